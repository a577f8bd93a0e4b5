"""Records: named by what they are, every file written down, and stored again where they were damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.files.integrity import FILES, hashes
from handbook.project import Project
from handbook.registry import kept, ledger, standings

NAME = "digits"


def test_the_name_of_a_record_follows_from_all_that_it_is_and_from_nothing_else(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model").write_bytes(b"weights")
    first = kept.content_of({"a": 1, "b": 2}, {"accuracy": 0.9}, tmp_path / "one")
    assert standings.CONTENT.fullmatch(first)
    assert kept.content_of({"b": 2, "a": 1}, {"accuracy": 0.9}, tmp_path / "two", tmp_path / "none") == first
    others = {
        kept.content_of({"a": 1, "b": 3}, {"accuracy": 0.9}, tmp_path / "one"),
        kept.content_of({"a": 1, "b": 2}, {"accuracy": 0.8}, tmp_path / "one"),
        kept.content_of({"a": 1, "b": 2}, {"accuracy": 0.9}),
    }
    (tmp_path / "two" / "model").rename(tmp_path / "two" / "other")
    others.add(kept.content_of({"a": 1, "b": 2}, {"accuracy": 0.9}, tmp_path / "two"))
    assert len(others | {first}) == 5


def test_a_record_holds_model_report_and_code_and_its_list_says_so(
    entered: Callable[..., str], project: Project
) -> None:
    entered(NAME)
    store, known = ledger.store(project, NAME), ledger.state(project, NAME)
    place = store / known["champion"]
    record = kept.sealed(store, known, known["champion"])
    record.check()
    assert record.title == f"{NAME} version 1"
    assert dict(record.files) == hashes(place)
    assert hashes(place / "model") == hashes(project.models(NAME))
    assert not [path for path in place.rglob(kept.COMPILED) if path.is_dir()]


def test_a_damaged_record_is_said_and_stored_again_and_a_sound_one_is_left(
    entered: Callable[..., str], project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    entered(NAME)
    place = ledger.store(project, NAME) / ledger.state(project, NAME)["champion"]
    before, stamp = hashes(place), (place / FILES).stat().st_mtime_ns
    entered(NAME)
    assert (place / FILES).stat().st_mtime_ns == stamp
    (place / "model" / "model.safetensors").write_bytes(b"other")
    entered(NAME)
    assert hashes(place) == before
    assert f"It is stored again, from models/{NAME}" in capsys.readouterr().err


def test_what_was_never_evaluated_is_not_kept(placed: Callable[..., Any], project: Project) -> None:
    case = placed(NAME)
    (project.reports(NAME) / "example.json").unlink()
    place = ledger.store(project, NAME) / "0123456789abcdef"
    with pytest.raises(HandbookError) as caught:
        kept.keep(project, case, {}, place, lambda *_: None)
    assert str(caught.value) == f"{NAME} is not evaluated yet. Make it: dvc repro evaluate@{NAME}"
    assert not place.exists()


def test_a_record_that_does_not_hash_to_its_name_stays_unused(entered: Callable[..., str], project: Project) -> None:
    entered(NAME)
    place = ledger.store(project, NAME) / ledger.state(project, NAME)["champion"]
    assert kept.unsealed_fault(place.with_name("0" * 16)) == f"{place.with_name('0' * 16)} is missing"
    (place / FILES).unlink()
    moved = place.rename(place.with_name("0" * 16))
    assert f"hash to {place.name}, expected {'0' * 16}" in kept.unsealed_fault(moved)
