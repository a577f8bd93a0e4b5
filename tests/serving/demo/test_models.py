"""The page's models: loaded once, asked one at a time, and what is not there says what to type."""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.serving import choice
from handbook.serving.demo.models import CASES, Models, known
from tests.conftest import ROOT, small
from tests.serving.demo.toys import client


def test_every_section_asks_a_case_that_there_is() -> None:
    assert set(CASES.values()) <= set(Project(ROOT).cases())


def test_a_champion_is_chosen_once_and_asked_by_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, inside, most = [], [], []

    def choose(_: Project, name: str) -> Any:
        chosen.append(name)
        return client()

    def ask(_: Any) -> dict[str, Any]:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.01)
        inside.pop()
        return {}

    monkeypatch.setattr(choice, "choose", choose)
    models = Models(Project(ROOT))
    threads = [threading.Thread(target=models.ask, args=("client", ask)) for _ in range(5)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert chosen == [CASES["client"]]
    assert most == [1] * 5


def test_without_a_model_or_a_case_the_way_to_one_is_named(tmp_path: Path) -> None:
    small(tmp_path, "digits")
    models = Models(Project(tmp_path))
    with pytest.raises(HandbookError, match="dvc repro train@digits"):
        models.ask("digit", lambda _: {})
    with pytest.raises(HandbookError, match="no case 'cnn'"):
        models.ask("garment", lambda _: {})


def test_what_was_made_from_samples_says_so(samples: Any) -> None:
    toy = client()
    assert known(toy)["data"] == "real"
    assert known(dataclasses.replace(toy, entry={"data": "sample"}))["data"] == "sample"
    assert known(dataclasses.replace(toy, data=samples("iris")))["data"] == "sample"
