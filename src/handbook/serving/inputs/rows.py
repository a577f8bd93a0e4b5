"""Rows of attributes as CSV text: from a file, or line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from handbook.serving.inputs import reading, typed
from handbook.serving.inputs.batch import Batch, Column, Fault, legible

AT_ONCE = 8192


def rows(path: Path, columns: Mapping[str, Column], size: int, separator: str | None = None) -> Iterator[Batch]:
    """Batches of a CSV file's rows as DataFrames with just `columns`; a row's name is its number, from 1 on.

    Raises HandbookError for a file that is none, a header that lacks a column or has it twice, and for a file without
    rows.
    """
    with reading.opened(path) as (stream, raw):
        before = 0
        for batch in lines(stream, columns, separator, size, legible(str(path))):
            batch.read, before = raw.tell() - before, raw.tell()
            yield batch


def lines(
    stream: Iterable[str],
    columns: Mapping[str, Column],
    separator: str | None = None,
    size: int = AT_ONCE,
    where: str = "the CSV",
) -> Iterator[Batch]:
    """`rows` of CSV text that comes line by line."""
    text = reading.checked_lines(where, stream)
    header, found = reading.table(where, text, list(columns), separator)
    waiting = reading.numbered(reading.peeked(where, found))
    places = {name: header.index(name) for name in columns}
    while chunk := list(islice(waiting, size)):
        good = [(number, cells) for number, cells, problem in chunk if not problem]
        faults = [Fault(str(number), "", problem) for number, _, problem in chunk if problem]
        text_of = {name: [cells[k] for _, cells in good] for name, k in places.items()}
        yield typed.batch([number for number, _ in good], typed.of_text(text_of, columns), columns, faults)
