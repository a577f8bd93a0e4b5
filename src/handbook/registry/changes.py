"""A change of the ledger that MLflow is to follow, noted before it is made: cut off anywhere, the same command ends it.

The ledger is changed in one step, and MLflow after it in several. A process that is killed between the two leaves a
ledger that is changed already: the command, typed again, would be a second change. So `unfinished.json` beside the
ledger says which command is at work and what the ledger was before it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from handbook.errors import HandbookError
from handbook.files import documents, leftovers
from handbook.files.formats import write_json
from handbook.registry import standings
from handbook.registry.standings import LedgerState

UNFINISHED = "unfinished.json"


def carried_out(store: Path, command: str, change: Callable[[], LedgerState]) -> tuple[LedgerState, LedgerState]:
    """The ledger before a command's change and after it; the change is made unless the same command did so before.

    What `change` refuses, by a HandbookError, was never begun. The caller says when all is done: `ended`.
    """
    before, known = begun(store, command), standings.opened(store) or standings.blank()
    if before != known:
        return before, known
    try:
        return before, change()
    except HandbookError:
        ended(store)
        raise


def begun(store: Path, command: str) -> LedgerState:
    """Write down that a command is at work; returns the ledger before it, which is an older one if it was cut off."""
    before = _cut_off(store, command)
    if before is not None:
        return before
    known = standings.opened(store)
    if known is None:
        return standings.blank()
    with leftovers.removed(store / UNFINISHED):
        write_json(store / UNFINISHED, {"command": command, "before": known})
    return known


def ended(store: Path) -> None:
    """MLflow shows what the ledger says: from here on the same command is a new one."""
    (store / UNFINISHED).unlink(missing_ok=True)


def _cut_off(store: Path, command: str) -> LedgerState | None:
    """What the ledger was before the command that was cut off, if it was this one."""
    if not (store / UNFINISHED).exists():
        return None
    way = "It only says which command was cut off here. Remove it, then: python -m handbook verify"
    found = documents.json_object(store / UNFINISHED, way, {"command": str, "before": dict})
    return dict(found["before"]) if found["command"] == command else None
