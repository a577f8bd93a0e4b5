"""ledger.json: what was written is read back, and lost, damaged or edited it is an error and never a new beginning."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from handbook.errors import HandbookError
from handbook.registry import standings

ONE, TWO = "0123456789abcdef", "fedcba9876543210"


def state(*versions: str, champion: str | None = None) -> standings.LedgerState:
    return standings.blank() | {"versions": list(versions), "champion": champion, "files": dict.fromkeys(versions, "x")}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A ledger of two versions, written one after the other."""
    place = tmp_path / "lenet"
    standings.write(place, state(ONE, champion=ONE))
    standings.write(place, state(ONE, TWO, champion=TWO))
    return place


def test_what_was_written_is_read_back_and_the_one_before_lies_beside_it(store: Path) -> None:
    assert standings.opened(store) == state(ONE, TWO, champion=TWO)
    assert json.loads((store / standings.BEFORE).read_text())["versions"] == [ONE]
    before = (store / standings.LEDGER).stat().st_mtime_ns
    standings.write(store, state(ONE, TWO, champion=TWO))  # says nothing new
    assert (store / standings.LEDGER).stat().st_mtime_ns == before
    assert json.loads((store / standings.BEFORE).read_text())["versions"] == [ONE]


def test_nothing_registered_is_no_error_and_a_record_without_a_ledger_is_one(tmp_path: Path) -> None:
    assert standings.opened(tmp_path / "lenet") is None
    (tmp_path / "lenet" / ONE).mkdir(parents=True)
    (tmp_path / "lenet" / "notes").mkdir()
    assert standings.records(tmp_path / "lenet") == [ONE]
    with pytest.raises(
        HandbookError, match=r"ledger\.json is damaged: it is missing, beside models that were registered"
    ):
        standings.opened(tmp_path / "lenet")


def _edited(text: str) -> str:
    return text.replace(f'"champion": "{TWO}"', f'"champion": "{ONE}"')


def _stranger(text: str) -> str:
    body = json.loads(text) | {"champion": "f" * 16}
    del body[standings.CHECKSUM]
    return json.dumps(body)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (_edited, "it does not have the checksum that it was written with"),
        (_stranger, "its aliases name {'champion': 'ffffffffffffffff'}, but its versions are"),
        (lambda text: text[:-5], "it is not JSON"),
        (lambda text: "[]", "it holds no list of versions"),
        (lambda text: json.dumps({"versions": [ONE, "../../elsewhere"]}), "it holds no list of versions"),
        (lambda text: json.dumps({"versions": [ONE, 7]}), "it holds no list of versions"),
        (lambda text: json.dumps({"versions": [ONE], "rejected": [TWO]}), "`rejected` names what is no version"),
    ],
)
def test_each_damage_has_its_own_error_and_the_one_before_is_offered(
    store: Path, spoil: Callable[[str], str], fault: str
) -> None:
    path = store / standings.LEDGER
    path.write_text(spoil(path.read_text()))
    with pytest.raises(HandbookError) as caught:
        standings.opened(store)
    assert str(caught.value).startswith(f"{path} is damaged: {fault}")
    assert str(caught.value).endswith(f"As it was before its last change: cp {store / standings.BEFORE} {path}")
    (store / standings.BEFORE).replace(path)
    assert standings.opened(store) == state(ONE, champion=ONE)


def test_the_ledger_of_an_older_handbook_is_read_without_a_checksum(tmp_path: Path) -> None:
    (tmp_path / standings.LEDGER).write_text(json.dumps({"versions": [ONE], "champion": ONE}))
    found = standings.opened(tmp_path)
    assert found == {"versions": [ONE], "challenger": None, "champion": ONE, "previous": None}


def test_a_ledger_before_that_is_damaged_too_is_not_offered(store: Path) -> None:
    for name in (standings.LEDGER, standings.BEFORE):
        (store / name).write_text("{}")
    with pytest.raises(HandbookError) as caught:
        standings.opened(store)
    assert "is damaged: it holds no list of versions" in str(caught.value)
    assert "As it was before" not in str(caught.value)


def test_what_is_written_is_on_the_disk_before_it_takes_its_place_and_so_is_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "lenet"
    synced: list[tuple[str, str]] = []  # what was synced, and what lay in the ledger's place then

    def sync(descriptor: int) -> None:
        held = os.fstat(descriptor)
        (name,) = (each.name for each in (store, *store.iterdir()) if os.path.samestat(each.stat(), held))
        ledger = store / standings.LEDGER
        synced.append((name, ledger.read_text() if ledger.exists() else ""))

    monkeypatch.setattr(os, "fsync", sync)
    standings.write(store, state(ONE))
    (first, before), (second, after) = synced
    assert (first, second) == (f".{standings.LEDGER}.new", "lenet")
    assert before == "" != after
