"""Being asked to end: the same way by each signal, and never as a success."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from handbook.startup import endings


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.usefixtures("heard")
def test_each_signal_ends_with_the_code_that_shells_have_for_it(number: signal.Signals, code: int) -> None:
    before = signal.getsignal(number)
    with pytest.raises(endings.Ended) as ended, endings.raised():
        os.kill(os.getpid(), number)
    assert (ended.value.code, ended.value.said.endswith("; run again to go on")) == (code, True)
    assert signal.getsignal(number) == before


def test_no_library_takes_it_for_an_error_or_for_its_own_ctrl_c() -> None:
    assert not issubclass(endings.Ended, Exception | KeyboardInterrupt)


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with endings.raised():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


STUBBORN = """
import os, signal
from handbook.startup import endings
with endings.raised():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        raise SystemExit(0)
"""


def test_who_asks_again_ends_the_process_at_once() -> None:
    assert subprocess.run([sys.executable, "-c", STUBBORN], check=False).returncode == -signal.SIGTERM
