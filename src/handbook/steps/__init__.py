"""The pipeline's verbs, a file a verb: files in, files out; pages in between compute."""
