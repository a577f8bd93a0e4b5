"""What happens to a case is reported: who became champion, by what command, and nothing where nothing happened."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from flows import events
from handbook.project import Project
from handbook.registry import ledger, standings

NAME = "lenet"


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    said: list[tuple[str, str, str]] = []
    monkeypatch.setattr(events, "emit", lambda event, case, said_of, **_: said.append((event, case, said_of)))
    return said


def crowned(project: Project, champion: str) -> None:
    """The ledger after this version became champion."""
    store = ledger.store(project, NAME)
    known = standings.opened(store) or standings.blank()
    versions = list(dict.fromkeys([*known["versions"], champion]))
    state = known | {"versions": versions, "champion": champion, "previous": known["champion"]}
    standings.write(store, state)


def test_whoever_becomes_champion_is_reported_and_nobody_else(
    tmp_path: Path, heard: list[tuple[str, str, str]]
) -> None:
    project = Project(tmp_path)
    with events.promotions(project, NAME):
        crowned(project, "1" * 16)
    with events.promotions(project, NAME):
        crowned(project, "2" * 16)
    with events.promotions(project, NAME, "another"):
        pass
    assert [(event, case) for event, case, _ in heard] == [(events.PROMOTED, NAME)] * 2
    assert heard[1][2] == f"{NAME}: version 2 is champion, before it 1"


def test_a_damaged_ledger_names_no_champion(tmp_path: Path, heard: list[tuple[str, str, str]]) -> None:
    project = Project(tmp_path)
    crowned(project, "1" * 16)
    (ledger.store(project, NAME) / "ledger.json").write_text("{")
    assert events.champion(project, NAME) is None


def test_without_a_server_the_command_does_nothing_and_is_no_error(
    toy: Path, monkeypatch: pytest.MonkeyPatch, heard: list[tuple[str, str, str]]
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setattr(sys, "argv", ["flows.events", "promoted", NAME])
    assert events.main() == 0
    assert not heard


def test_a_server_that_does_not_answer_is_named(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setattr(sys, "argv", ["flows.events", "rolled-back", NAME])
    assert events.main() == 1
    assert "PREFECT_API_URL is http://127.0.0.1:9/api, but" in capsys.readouterr().err


def test_every_event_is_one_that_the_webhook_waits_for() -> None:
    names: list[Any] = [events.BATCH_DRIFTED, events.BATCH_REFUSED, events.DRIFTED, events.PROMOTED]
    names += [events.ROLLED_BACK, events.FAILED]
    assert all(name.startswith("handbook.") for name in names)
    assert len(set(names)) == len(names)
