"""A change of the ledger that was cut off is ended by the same command, and made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.errors import HandbookError
from handbook.registry import changes, standings
from handbook.registry.standings import LedgerState

ONE, TWO = "1" * 16, "2" * 16


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    standings.write(tmp_path, standings.blank() | {"versions": [ONE, TWO], "champion": TWO, "previous": ONE})
    return tmp_path


def swap(store: Path) -> LedgerState:
    """A change that undoes itself when it is made twice."""
    known = standings.opened(store)
    assert known is not None
    known |= {"champion": known["previous"], "previous": known["champion"]}
    standings.write(store, known)
    return known


def test_a_change_that_was_cut_off_is_made_once(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace
    for last in range(1, 5):  # the note, the ledger before, the ledger, and nothing
        before, calls = standings.opened(store), 0

        def counted(path: Path, target: Path, last: int = last) -> Path:
            nonlocal calls
            calls += 1
            if calls == last:
                raise Killed
            return replace(path, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", counted)
            try:
                changes.carried_out(store, "swap", lambda: swap(store))
            except Killed:
                assert last < 4
        was, now = changes.carried_out(store, "swap", lambda: swap(store))
        assert before is not None
        assert (was, now["champion"], now["previous"]) == (before, before["previous"], before["champion"])
        assert standings.opened(store) == now
        changes.ended(store)


def test_the_same_command_is_a_new_one_once_the_first_has_ended(store: Path) -> None:
    for champion in (ONE, TWO):
        assert changes.carried_out(store, "swap", lambda: swap(store))[1]["champion"] == champion
        changes.ended(store)


def test_another_command_does_not_end_what_was_begun(store: Path) -> None:
    changes.carried_out(store, "swap", lambda: swap(store))
    assert changes.carried_out(store, "swap again", lambda: swap(store))[1]["champion"] == TWO


def test_what_is_refused_was_never_begun(store: Path) -> None:
    def refuse() -> LedgerState:
        raise HandbookError("no")

    with pytest.raises(HandbookError, match="no"):
        changes.carried_out(store, "swap", refuse)
    assert not (store / changes.UNFINISHED).exists()


def test_a_damaged_note_is_named(store: Path) -> None:
    (store / changes.UNFINISHED).write_text("{")
    with pytest.raises(HandbookError, match=r"unfinished\.json cannot be used: it is not JSON.*\n.*Remove it"):
        changes.carried_out(store, "swap", lambda: swap(store))
