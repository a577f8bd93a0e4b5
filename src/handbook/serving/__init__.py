"""Serving: predictions from files, over http and on the command line."""
