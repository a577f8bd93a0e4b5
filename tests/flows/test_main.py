"""python -m flows: one at a time in a checkout, and whoever waits learns for whom."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from flows.__main__ import one_at_a_time
from handbook.project import Project


def test_a_second_flow_says_who_is_at_work_and_begins_when_that_has_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, begun = Project(tmp_path), threading.Event()

    def second() -> None:
        with one_at_a_time(project):
            begun.set()

    with one_at_a_time(project):
        waiting = threading.Thread(target=second)
        waiting.start()
        said, deadline = "", time.monotonic() + 20
        while not said and time.monotonic() < deadline:
            time.sleep(0.02)
            said = capsys.readouterr().err
        assert f"python -m flows, process {os.getpid()} since " in said
        assert f"is at work in {tmp_path}; this one begins when that has ended" in said
        assert not begun.is_set()
    waiting.join(20)
    assert begun.is_set()
