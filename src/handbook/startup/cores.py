"""How many processors a process may use, and how many threads its user asks for."""

from __future__ import annotations

import os


def available_cores() -> int:
    """The cores this process may use, which in a container can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def granted_threads() -> int:
    """The threads that OMP_NUM_THREADS grants, at its outermost level (`4,2` is 4); 0 without it, or by a word."""
    granted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(granted) if granted.isdecimal() else 0
