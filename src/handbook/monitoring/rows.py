"""A batch's CSV, read strictly, and written as its dataset's page reads it: labelled and unlabelled alike.

It is read as `predict` reads one: a byte order mark is dropped, an empty line is no row, another encoding is refused
with what to do about it. But here one row at fault is a fault of the batch, and columns come in the dataset's order.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from handbook.data import unpacking
from handbook.data.provenance import forms
from handbook.data.schema import listed
from handbook.data.tables import DELIMITERS
from handbook.errors import HandbookError
from handbook.serving.inputs import reading

Line = list[str]


@dataclass(frozen=True)
class Rows:
    """The rows of a batch as text, in its dataset's order of columns."""

    header: Line
    lines: list[Line]
    separator: str  # the dataset's own

    def text(self, *, answer: str | None = None, target: str = "") -> bytes:
        """A CSV of them; with that answer in a further column, for a page that reads whole rows."""
        extra = [] if answer is None else [answer]
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.separator, lineterminator="\n")
        writer.writerow(self.header + ([target] if extra else []))
        writer.writerows(line + extra for line in self.lines)
        return out.getvalue().encode()


def pinned_file(page: ModuleType, directory: Path) -> Path:
    """The file that the dataset's rows lie in, whichever form it is of."""
    names = [files[0].name for files in forms(page).values()]
    return next(directory / name for name in names if (directory / name).exists())


def plain_bytes(path: Path) -> bytes:
    """A file's bytes, unpacked where its name ends in .gz."""
    return unpacking.read(path) if path.suffix == ".gz" else path.read_bytes()


def manner(pinned: bytes, columns: list[str]) -> tuple[str, str]:
    """The separator of a dataset's file, and the answer of its first row."""
    lines = io.StringIO(b"\n".join(pinned.split(b"\n", 2)[:2]).decode("utf-8-sig"), newline="")
    head, first = lines.readline(), lines.readline()
    mark = next(mark for mark in DELIMITERS if _split(head, mark) == columns)
    return mark, _split(first, mark)[-1]


def read(file: Path, columns: list[str], separator: str) -> Rows:
    """The rows of a batch, with all columns, or all but the last, the target.

    Raises HandbookError for another encoding, another separator, columns that are not these in this order, a row with
    another number of cells, a quotation without an end, and for a file without rows.
    """
    with reading.opened(file) as (stream, _):
        lines = reading.checked_lines(str(file), stream)
        header = _header(file, reading.head(str(file), lines, columns)[0], columns, separator)
        found = reading.numbered(reading.records(lines, separator, header, list(range(len(header)))))
        rows = list(_rows(file, found))
    if not rows:
        raise HandbookError(f"{file} has a header but 0 rows. Put it there again when it has some")
    return Rows(header, rows, separator)


def _split(line: str, mark: str) -> Line:
    return reading.parsed(line.rstrip("\r\n"), mark)[0]


def _header(file: Path, line: str, columns: list[str], separator: str) -> Line:
    """The columns' names, the target's among them or not."""
    found = _split(line, separator)
    if found in (columns, columns[:-1]):
        return found
    known = {mark: len(set(_split(line, mark)) & set(columns)) for mark in DELIMITERS}
    other = max(known, key=lambda mark: known[mark])
    if known[other] > known[separator]:
        raise HandbookError(
            f"{file} is not separated by a {DELIMITERS[separator]} but by a {DELIMITERS[other]}: its header is\n"
            f"  {line.rstrip()[:100]!r}\n  Write it with {separator!r} between the columns"
        )
    missing = [name for name in columns[:-1] if name not in found]
    strange = [name for name in found if name not in columns]
    twice = [name for name in dict.fromkeys(found) if found.count(name) > 1]
    named = (("without", missing), ("with unknown", strange), ("twice", twice))
    faults = [f"{kind} {listed(names)}" for kind, names in named if names]
    if not faults:
        place = next(k for k, (a, b) in enumerate(zip(found, columns, strict=False)) if a != b)
        faults = [f"in another order: column {place + 1} is {found[place]!r}, not {columns[place]!r}"]
    raise HandbookError(
        f"{file} has columns {' and '.join(faults)}\n  expected {', '.join(columns)} (the last may be left out)\n"
        f"  found    {', '.join(map(repr, found[: 2 * len(columns)]))}"
    )


def _rows(file: Path, found: Iterable[tuple[int, Line, str]]) -> Iterator[Line]:
    """The cells of each row; HandbookError for the first that has none."""
    for number, cells, problem in found:
        if problem:
            raise HandbookError(f"{file}, row {number}: {problem}")
        yield cells
