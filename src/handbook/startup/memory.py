"""Memory that is freed and asked for again at every step: kept, not given back to the system in between."""

from __future__ import annotations

import ctypes

# Parameters of mallopt(3), by their numbers in glibc's malloc.h.
TRIM_THRESHOLD, MOST = -1, 2**31 - 1  # bytes that may lie free at the end of the heap
MMAP_MAX, NONE = -4, 0  # blocks that lie apart from the heap, to be given back one by one


def keep_freed() -> None:
    """Have glibc keep what is freed for the next who asks, up to 2 GiB.

    A training frees what its layers gave at every step and asks for as much at the next. By itself glibc gives much of
    it back in between, and the system clears every page before it hands it out again: up to a fifth of the time of a
    small network. Other libraries of C, musl's and macOS's, have no such switch and are left alone.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(TRIM_THRESHOLD, MOST)
        mallopt(MMAP_MAX, NONE)
