"""What this machine has room for, and the children that must not outlive the flow that started them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from itertools import count
from pathlib import Path

from flows.processes import Process, entrusted, stop
from handbook.errors import HandbookError
from handbook.startup.cores import available_cores

GRACE = 5.0  # seconds a stage has to end before it is killed
MEMORY = 3 * 2**30  # bytes that a trainer of the handbook takes at most


class Places:
    """A place a core, some of them for heavy stages; whoever waits with the lowest rank and fits in goes first."""

    def __init__(self, cores: int, heavy: int) -> None:
        self._free = {False: cores, True: heavy}  # places, and those of them that a heavy stage may take
        self._waiting: list[tuple[int, int, bool]] = []  # rank, order of arrival, heavy
        self._arrived = count()
        self._changed = threading.Condition()

    @contextmanager
    def held(self, heavy: bool, rank: int) -> Iterator[None]:
        """Wait for a place, and hold it."""
        with self._changed:
            mine = (rank, next(self._arrived), heavy)
            self._waiting.append(mine)
            self._changed.wait_for(lambda: self._first() == mine)
            self._waiting.remove(mine)
            self._move(heavy, -1)
        try:
            yield
        finally:
            with self._changed:
                self._move(heavy, 1)

    def _first(self) -> tuple[int, int, bool] | None:
        fits = [each for each in self._waiting if self._free[False] and (not each[2] or self._free[True])]
        return min(fits, default=None)

    def _move(self, heavy: bool, by: int) -> None:
        for kind in {False, heavy}:
            self._free[kind] += by
        self._changed.notify_all()


class Machine:
    """Room for a stage a core, of them `at_once` heavy ones: every stage works on one thread."""

    def __init__(self, at_once: int = 1, cores: int | None = None, alone: bool = False) -> None:
        """`alone`: nobody closes it, for its process may be killed; what runs inside must see to that itself."""
        if at_once < 1:
            raise HandbookError(f"at_once={at_once}: at least one trainer must run at a time")
        cores = cores or available_cores()
        self.alone = alone
        self._places = Places(max(cores, at_once), at_once)
        self._children: set[Process] = set()
        self._closed = threading.Event()

    def place(self, heavy: bool, rank: int = 0) -> AbstractContextManager[None]:
        """Wait for room, and hold it; of those that wait, the lowest rank goes first."""
        return self._places.held(heavy, rank)

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    @contextmanager
    def child(self, process: Process) -> Iterator[None]:
        """Know a process for as long as it runs."""
        self._children.add(process)
        with entrusted(process, signal.SIGINT, GRACE):
            if self.closed:  # closed between its start and now: nobody else would end it
                self._end(process)
            try:
                yield
            finally:
                self._children.discard(process)

    def pause(self, seconds: float) -> None:
        """Sleep, but no longer than the flow lives."""
        self._closed.wait(seconds)

    def close(self) -> None:
        """Start nothing more, and end what runs."""
        self._closed.set()
        self._end(*self._children)

    def _end(self, *stages: Process) -> None:
        """By Ctrl-C: it ends a stage's command, while DVC itself goes on and puts its locks in order."""
        stop(*stages, ask=signal.SIGINT, grace=GRACE)


_current: ContextVar[Machine | None] = ContextVar("machine", default=None)


@contextmanager
def machine(at_once: int = 1) -> Iterator[Machine]:
    """The machine that all stages run inside share; none of them outlives it."""
    room = Machine(at_once)
    before = _current.set(room)
    try:
        yield room
    finally:
        _current.reset(before)
        room.close()


def current() -> Machine:
    """The machine around us, or, in a worker of a cluster, one of our own."""
    return _current.get() or Machine(alone=True)


def room_for() -> int:
    """How many train at a time unless somebody says: one a core, as far as memory goes, or one for the accelerator."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 1 if gpus() else max(1, min(available_cores(), memory // MEMORY))


def gpus() -> int:
    """The NVIDIA accelerators of this machine, without loading what could use them."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))
