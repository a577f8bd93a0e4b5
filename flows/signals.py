"""Being told to end: by Ctrl-C, by SIGTERM, by a terminal that closes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """Being told to end raises KeyboardInterrupt in here, whichever way it is told."""
    with _handled(signal.default_int_handler):
        yield


@contextmanager
def undisturbed() -> Iterator[None]:
    """Being told to end waits until this is done: no child is born unknown to us, none is half ended."""
    seen: list[int] = []
    with _handled(lambda number, _: seen.append(number)):
        yield
    if seen:
        signal.raise_signal(seen[0])


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Signals reach only the main thread; in any other there is nothing to handle."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
