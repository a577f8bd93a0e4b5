"""The data: fetched, checked, unpacked, read, and held against expectations."""
