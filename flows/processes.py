"""Ending, and being asked to end: by Ctrl-C, by SIGTERM, by a terminal that closes."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Process = subprocess.Popen[Any]
GOING = 5.0  # seconds that a watcher has to go
_telling = threading.Lock()


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


@contextmanager
def entrusted(leader: Process, ask: signal.Signals, grace: float) -> Iterator[None]:
    """A process group that ends with this process, however that ends: `kill -9` leaves a watcher that sees to it."""
    watcher = _heir(grace)
    _tell(watcher, f"+{leader.pid} {int(ask)}\n")
    try:
        yield
    finally:
        _tell(watcher, f"-{leader.pid}\n")


@cache
def _heir(grace: float) -> Process:
    """The watcher of this process, one for each grace: it goes when its input ends, which is when we do."""
    script = Path(__file__).with_name("heir.py")
    command = [sys.executable, "-I", str(script), str(grace)]
    watcher = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True, text=True
    )
    atexit.register(_dismiss, watcher)
    return watcher


def _dismiss(watcher: Process) -> None:
    """An orderly end: nobody is entrusted any more, and the watcher goes before us."""
    with suppress(OSError, subprocess.TimeoutExpired):
        watcher.stdin.close()  # type: ignore[union-attr] # a pipe
        watcher.wait(GOING)


def _tell(watcher: Process, line: str) -> None:
    with suppress(OSError), _telling:  # somebody has killed the watcher: then only an orderly end is seen to
        watcher.stdin.write(line)  # type: ignore[union-attr] # a pipe
        watcher.stdin.flush()  # type: ignore[union-attr]


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
