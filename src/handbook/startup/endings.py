"""Being asked to end: by Ctrl-C, by SIGTERM, by a terminal that closes. Always the same way, and never as a success."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "the terminal was closed"}


class Ended(BaseException):
    """The process was asked to end.

    No KeyboardInterrupt: Lightning turns that into an exit of its own, without a word, and SIGTERM into an end like any
    other; what is raised past it closes files and leaves the last checkpoint.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number  # as shells have it: 130 for Ctrl-C, 143 for SIGTERM, 129 for a closed terminal
        self.said = f"{WORDS[signal.Signals(number)]}; run again to go on"


@contextmanager
def raised() -> Iterator[None]:
    """Being asked to end raises `Ended` in here, once: who asks again ends the process at once.

    What is ignored, SIGHUP under `nohup` say, stays ignored. Signals reach only a process's main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in WORDS}
    heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]

    def once(number: int, frame: FrameType | None) -> None:
        for each in heard:
            signal.signal(each, signal.SIG_DFL)
        raise Ended(number)

    for number in heard:
        signal.signal(number, once)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])
