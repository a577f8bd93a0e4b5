"""What this machine has room for, and the children that must not outlive the flow that started them."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from flows.signals import undisturbed
from handbook.errors import HandbookError

GRACE = 5.0  # seconds a stage has to end before it is killed

Child = subprocess.Popen[str]


class Machine:
    """Room for `at_once` stages that use every core they are given, and for a light stage a core."""

    def __init__(self, at_once: int = 1, cores: int | None = None) -> None:
        if at_once < 1:
            raise HandbookError(f"at_once={at_once}: at least one trainer must run at a time")
        cores = cores or available_cores()
        self.threads = max(1, cores // at_once)
        self._heavy = threading.BoundedSemaphore(at_once)
        self._light = threading.BoundedSemaphore(cores)
        self._children: set[Child] = set()
        self._closed = threading.Event()

    def place(self, heavy: bool) -> AbstractContextManager[object]:
        """Wait for room, and hold it."""
        return self._heavy if heavy else self._light

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    @contextmanager
    def child(self, process: Child) -> Iterator[None]:
        """Know a process for as long as it runs."""
        self._children.add(process)
        if self.closed:  # closed between its start and now: nobody else would end it
            end(process)
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
        with undisturbed():
            end(*self._children)


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
    """The machine around us, or one of our own."""
    return _current.get() or Machine()


def available_cores() -> int:
    """The cores this process may use, which in a container can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end(*stages: Child) -> None:
    """End stages: first what DVC started, so that DVC can put its locks in order; then whatever is left.

    Asking DVC alone would leave the trainer running: it ends without a word to its command.
    """
    import psutil  # type: ignore[import-untyped]

    families = [_family(stage) for stage in stages]
    for dvc, *started in filter(None, families):
        for member in started or [dvc]:
            _unless_gone(member.terminate)
    _, left = psutil.wait_procs([member for family in families for member in family], timeout=GRACE)
    for member in left:
        _unless_gone(member.kill)


def _family(stage: Child) -> list[Any]:
    """A stage's DVC, then all that it started."""
    import psutil

    try:
        dvc = psutil.Process(stage.pid)
        return [dvc, *dvc.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _unless_gone(action: Callable[[], None]) -> None:
    import psutil

    with suppress(psutil.NoSuchProcess):
        action()
