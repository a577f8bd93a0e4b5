"""Ending, and being asked to end: by Ctrl-C, by SIGTERM, by a terminal that closes."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Process = subprocess.Popen[Any]


def stop(*leaders: Process, ask: signal.Signals, grace: float) -> None:
    """End process groups: asked first, forced after `grace` seconds, and what a leader left behind too.

    Whole groups, since a process that is just being born is missing from every list of children.
    """
    with undisturbed():
        for leader in leaders:
            _signal_group(leader, ask)
        deadline = time.monotonic() + grace
        for leader in leaders:
            with suppress(subprocess.TimeoutExpired):
                leader.wait(max(0.0, deadline - time.monotonic()))
        for leader in leaders:
            _signal_group(leader, signal.SIGKILL)
            leader.wait()


def _signal_group(leader: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # the latter is what macOS says of a group of zombies
        os.killpg(leader.pid, number)


@contextmanager
def interruptible() -> Iterator[None]:
    """Being asked to end raises KeyboardInterrupt in here, whichever way it is asked.

    Once: an impatient second Ctrl-C would cut short the stopping that the first one began, so from then on, and
    after this block too, the process is deaf.
    """
    ending = threading.Event()

    def once(number: int, frame: FrameType | None) -> None:
        if not ending.is_set():
            ending.set()
            raise KeyboardInterrupt

    before = _handle(once)
    try:
        yield
    finally:
        if not ending.is_set():
            _restore(before)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Being asked to end waits until this is done: no child starts unknown to us, none is left half stopped."""
    seen: list[int] = []
    before = _handle(lambda number, _: seen.append(number))
    try:
        yield
    finally:
        _restore(before)
    if seen:
        signal.raise_signal(seen[0])


def _handle(handler: Callable[[int, FrameType | None], object]) -> dict[signal.Signals, Any]:
    """The handlers that were there. Signals reach only the main thread: in others there is nothing to handle."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.signal(number, handler) for number in SIGNALS}


def _restore(handlers: dict[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
