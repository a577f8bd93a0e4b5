"""One process at a time, by a lock on a file that the system takes back when its holder dies.

The file stays, and what is in it is not touched: it is there to be locked and for nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from handbook.errors import HandbookError


@contextmanager
def alone(path: Path, busy: str = "") -> Iterator[None]:
    """Hold the lock of this file, whose folder is made if need be; waits for it, or raises `busy` as HandbookError."""
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0 if busy else -1)
    try:
        lock.acquire()
    except Timeout:
        raise HandbookError(busy) from None
    try:
        yield
    finally:
        lock.release()
