"""A command is done whether Prefect hears of it or not."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from handbook.project import Project
from handbook.serving import announcing


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that were started; each of them fails."""
    seen: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        seen.append(command)
        return subprocess.CompletedProcess(command, 1, "", "error: it does not answer\n")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    return seen


def test_without_a_server_nothing_is_started_and_nothing_said(
    started: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    announcing.tell(Project(tmp_path), "promoted", "lenet")
    assert not started
    assert capsys.readouterr().err == ""


def test_a_server_that_does_not_hear_is_a_note_and_no_error(
    started: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    announcing.tell(Project(tmp_path), "rolled-back", "lenet")
    assert [command[1:] for command in started] == [["-m", "flows.events", "rolled-back", "lenet"]]
    assert capsys.readouterr().err == "note: it is done, but Prefect has not heard of it: error: it does not answer\n"
