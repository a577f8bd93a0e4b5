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


class Machine:
    """Room for `at_once` stages that use every core they are given, and for a light stage a core."""

    def __init__(self, at_once: int = 1, cores: int | None = None, alone: bool = False) -> None:
        """`alone`: nobody closes it, for its process may be killed; what runs inside must see to that itself."""
        if at_once < 1:
            raise HandbookError(f"at_once={at_once}: at least one trainer must run at a time")
        cores = cores or available_cores()
        self.threads = max(1, cores // at_once)
        self.alone = alone
        self._heavy = threading.BoundedSemaphore(at_once)
        self._light = threading.BoundedSemaphore(cores)
        self._children: set[Process] = set()
        self._closed = threading.Event()

    def place(self, heavy: bool) -> AbstractContextManager[object]:
        """Wait for room, and hold it."""
        return self._heavy if heavy else self._light

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


def gpus() -> int:
    """The NVIDIA accelerators of this machine, without loading what could use them."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))
