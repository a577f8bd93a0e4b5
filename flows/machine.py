"""What this machine has room for, and the children that must not outlive the flow that started them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path

from flows.processes import Process, stop
from handbook.errors import HandbookError

GRACE = 5.0  # seconds a stage has to end before it is killed
MEMORY = 3 * 2**30  # bytes that a trainer of the handbook takes at most


class Places:
    """So many places, of which somebody takes one or several in one go."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._free = number
        self._changed = threading.Condition()

    @contextmanager
    def held(self, number: int) -> Iterator[None]:
        """Wait until so many are free, or all of them if there are fewer, and hold them."""
        number = min(number, self.number)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= number)
            self._free -= number
        try:
            yield
        finally:
            with self._changed:
                self._free += number
                self._changed.notify_all()


class Machine:
    """Room for `at_once` trainers, which share the cores, and for a light stage a core."""

    def __init__(self, at_once: int = 1, cores: int | None = None, alone: bool = False) -> None:
        """`alone`: nobody closes it, for its process may be killed; what runs inside must see to that itself."""
        if at_once < 1:
            raise HandbookError(f"at_once={at_once}: at least one trainer must run at a time")
        cores = cores or available_cores()
        self.threads = max(1, cores // at_once)
        self.alone = alone
        self._heavy, self._light = Places(at_once), Places(cores)
        self._children: set[Process] = set()
        self._closed = threading.Event()

    def place(self, heavy: int) -> AbstractContextManager[object]:
        """Wait for room, and hold it; `heavy`: how many trainers' places a stage takes, 0 a light one."""
        return self._heavy.held(heavy) if heavy else self._light.held(1)

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    @contextmanager
    def child(self, process: Process) -> Iterator[None]:
        """Know a process for as long as it runs."""
        self._children.add(process)
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


def available_cores() -> int:
    """The cores this process may use, which in a container can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def room_for() -> int:
    """How many train at a time unless somebody says: one a core, as far as memory goes, or one for the accelerator."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 1 if gpus() else max(1, min(available_cores(), memory // MEMORY))


def gpus() -> int:
    """The NVIDIA accelerators of this machine, without loading what could use them."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))
