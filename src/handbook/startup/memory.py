"""Memory that is freed and asked for again at every step: kept, not given back to the system in between."""

from __future__ import annotations

import ctypes

# Parameters of mallopt(3) in glibc's malloc.h, with the most that it takes for them.
TRIM_THRESHOLD, MOST_TRIM = -1, 2**31 - 1
MMAP_THRESHOLD, MOST_MMAP = -3, 32 * 2**20


def keep_freed() -> None:
    """Have glibc keep what is freed for the next who asks, up to 2 GiB, in blocks of up to 32 MiB.

    A training frees what its layers gave at every step and asks for as much at the next. By itself glibc gives much of
    it back in between, and the system clears every page before it hands it out again: up to a fifth of the time of a
    small network. Other libraries of C, musl's and macOS's, have no such switch and are left alone.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(TRIM_THRESHOLD, MOST_TRIM)
        mallopt(MMAP_THRESHOLD, MOST_MMAP)
