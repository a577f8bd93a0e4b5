"""Files: written in one step, locked, private, and held against their hashes."""
