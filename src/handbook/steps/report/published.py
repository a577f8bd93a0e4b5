"""`published.yaml`, read: what others have published on the tasks of the cases, and which choices saw test rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from handbook.errors import HandbookError, unknown
from handbook.files import documents

FILE = Path(__file__).with_name("published.yaml")
WAY = f"Mend it, or bring it back: git checkout -- {FILE}"
ROW: dict[str, documents.Kind] = {
    "metric": str, "value": documents.NUMBER, "what": str, "source": str, "address": str,
}  # fmt: skip
COLUMNS = {"kind": "its kind", "best": "best"}  # of the case's kind and size; of any model on the task
NOTHING = "no published figure was looked up yet"


@dataclass(frozen=True)
class Published:
    """A published result: its value by a metric of ours, the model, where it is printed, and what sets it apart."""

    metric: str
    value: float
    what: str
    source: str
    address: str
    note: str = ""
    checked: bool = True  # whether it was seen in its source

    @property
    def cited_as(self) -> str:
        """What the note below a table says: the model, where it is printed, and what sets it apart."""
        return "; ".join([self.what, self.source, self.note, "" if self.checked else "not checked"])


@dataclass(frozen=True)
class Entry:
    """What stands beside a case: results of its kind and the best of all, or why there are none; and its leak."""

    results: Mapping[str, tuple[Published, ...]]  # by column
    reasons: Mapping[str, str]  # by column, for those without results
    leak: str = ""

    def of(self, column: str, metric: str) -> Published | None:
        """The published result of a column by that metric, if there is one."""
        return next((each for each in self.results[column] if each.metric == metric), None)

    @property
    def metrics(self) -> list[str]:
        """The metrics that anything is published by, each once."""
        return list(dict.fromkeys(each.metric for column in COLUMNS for each in self.results[column]))


def entry(case: str) -> Entry:
    """What stands beside a case; for one that `published.yaml` does not name, that nothing was looked up."""
    return _entries().get(case) or Entry(dict.fromkeys(COLUMNS, ()), dict.fromkeys(COLUMNS, NOTHING))


def entries(file: Path = FILE) -> dict[str, Entry]:
    """Every case's entry in the file; HandbookError names what is wrong with it."""
    found = documents.yaml_of(file, WAY)
    if fault := documents.misshapen(found, {"published": dict, "cases": dict}):
        raise documents.damaged(file, fault, WAY)
    rows = {name: _row(file, name, fields) for name, fields in found["published"].items()}
    return {case: _entry(file, case, fields, rows) for case, fields in found["cases"].items()}


@cache
def _entries() -> dict[str, Entry]:
    return entries()


def _row(file: Path, name: str, fields: Any) -> Published:
    fault = documents.misshapen(fields, ROW, f" in `published.{name}`")
    if not fault:
        known = Published.__dataclass_fields__
        fault = next((str(unknown("field", str(key), known)) for key in fields if key not in known), "")
    if fault:
        raise documents.damaged(file, fault, WAY)
    return Published(**fields)


def _entry(file: Path, case: str, fields: Any, rows: Mapping[str, Published]) -> Entry:
    fault = documents.misshapen(fields, dict.fromkeys(COLUMNS, (list, str)), f" in `cases.{case}`")
    if fault:
        raise documents.damaged(file, fault, WAY)
    named = {column: fields[column] if isinstance(fields[column], list) else [] for column in COLUMNS}
    for name in (each for names in named.values() for each in names):
        if name not in rows:
            raise HandbookError(f"{file}, cases.{case}: {unknown('published result', str(name), rows)}")
    results = {column: tuple(rows[name] for name in names) for column, names in named.items()}
    reasons = {column: fields[column] for column in COLUMNS if isinstance(fields[column], str)}
    return Entry(results, reasons, fields.get("leak", ""))


def remarks(cases: Mapping[str, Entry]) -> Iterator[tuple[str, list[str], str]]:
    """Why there is nothing beside some of the cases: the column, or "" for all of them; the cases; and the reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for case, known in cases.items():
        for reason in dict.fromkeys(known.reasons.values()):
            columns = [column for column in COLUMNS if known.reasons.get(column) == reason]
            found.setdefault((columns[0] if len(columns) == 1 else "", reason), []).append(case)
    yield from ((column, names, reason) for (column, reason), names in found.items())
