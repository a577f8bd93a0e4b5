"""Side by side, in one run: what ours costs beside what people use today. `make bench` writes results.md."""
