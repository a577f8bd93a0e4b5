"""A batch's CSV, read strictly, and written as its dataset's page reads it: labelled and unlabelled alike.

What a page's own reader would guess at is decided here: a byte order mark is dropped, an empty line is no row, cells
that are too many or too few are a fault of their row, and text in another encoding or with another separator is
refused with what to do about it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from handbook.data import unpacking
from handbook.data.provenance import forms
from handbook.data.schema import listed
from handbook.data.tables import DELIMITERS
from handbook.errors import HandbookError

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
    lines = io.StringIO(_decoded(file), newline="")
    head = lines.readline()
    if head.strip().lower().strip('"') == f"sep={separator}":  # Excel's own first line
        head = lines.readline()
    header = _header(file, head, columns, separator)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    rows = list(_rows(file, reader, len(header)))
    if not rows:
        raise HandbookError(f"{file} has a header but 0 rows. Put it there again when it has some")
    return Rows(header, rows, separator)


def _decoded(file: Path) -> str:
    content = file.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise HandbookError(f"{file} is UTF-16 text; expected UTF-8. Write it so: iconv -f UTF-16 -t UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise HandbookError(
            f"{file}, line {line}: not UTF-8 text, found byte {content[error.start : error.start + 1]!r}. If it is "
            "Latin-1, as older programs write, convert it: iconv -f LATIN1 -t UTF-8"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise HandbookError(f"{file}, line {line}: a zero byte, which no text has. Expected a CSV in UTF-8")
    return text


def _split(line: str, mark: str) -> Line:
    try:
        return next(csv.reader([line.rstrip("\r\n")], delimiter=mark, strict=True), [])
    except csv.Error:
        return []


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


def _rows(file: Path, reader: Iterator[Line], width: int) -> Iterator[Line]:
    """Each row but those of empty lines; counted from 1 on."""
    number = 0
    while True:
        try:
            line = next(reader, None)
        except csv.Error as error:
            raise HandbookError(
                f"{file}, row {number + 1}: it cannot be read ({error}). Is there a quotation mark without its pair?"
            ) from None
        if line is None:
            return
        if not line:
            continue
        number += 1
        if len(line) != width:
            raise HandbookError(
                f"{file}, row {number}: expected {width} cells, found {len(line)}. Take out what is too much, fill in "
                "what is missing, or put cells with a separator in quotation marks"
            )
        yield line
