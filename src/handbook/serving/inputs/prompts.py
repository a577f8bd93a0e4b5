"""Prompts and seeds: as they are given, from a CSV file, or from rows that have types already."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handbook.errors import HandbookError
from handbook.serving.inputs import reading, typed
from handbook.serving.inputs.batch import Batch, Column, Fault, is_there, legible

if TYPE_CHECKING:
    import pandas as pd

TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
TEXTS = (*TABLES, ".txt", ".md")  # what ends so and has no blank is the name of a file, not words
SETTINGS: dict[str, dict[str, type]] = {  # what may stand beside them in a table
    "prompt": {"length": int, "temperature": float, "top_k": int, "top_p": float, "seed": int},
    "seed": {"label": int},
}
NEEDED = ("label",)  # where a table has it, every row must
SEEDS = 1 << 63  # seeds are below it
A_SEED = "a whole number from 0 on and below 2^63"
DIGITS = 20  # of a whole number at most: 2^63 has 19

Row = tuple[int, str, dict[str, Any], str]  # its number, the prompt or seed as it was given, its values, or a problem


def requests(
    given: Sequence[str], column: str, size: int, bare: bool = False, settings: Mapping[str, type] | None = None
) -> Iterator[Batch]:
    """Batches of prompts or seeds as a DataFrame with that column: given as they are, or the rows of one CSV file.

    `bare`: the column alone, as an array (N,). `settings` are the further columns that are kept, by default all that
    there are (`SETTINGS`). HandbookError for a file that is none, and for what is no seed but is given as one.
    """
    kept = dict(SETTINGS[column] if settings is None else settings)
    if any(_names_table(each) for each in given):
        if len(given) != 1:
            raise HandbookError(
                f"expected one CSV file alone, or {column}s, found {len(given)} inputs. Call it for each"
            )
        yield from _of_file(Path(given[0]), column, size, bare, kept)
        return
    found = [(k + 1, each, {column: _given(each, column)}, "") for k, each in enumerate(given)]
    yield from _batches(found, column, size, bare, numbered=False)


def settled(
    parts: Iterable[Batch], settings: Mapping[str, Any], known: Mapping[str, type], name: str
) -> Iterator[Batch]:
    """The batches with settings of all inputs, where a row of a table has none of its own.

    HandbookError for a setting that is not among those that the case of that name knows, or that is no number.
    """
    for key, value in settings.items():
        if key not in known:
            there = ", ".join(known) or "none"
            raise HandbookError(f"{name} knows no setting {key!r}; it has {there}. Leave it out")
        if isinstance(value, float) and not math.isfinite(value):  # NaN is a setting that was left out, in a table
            raise HandbookError(f"{key} must be a number, found {value}")
    for batch in parts:
        for key, value in settings.items():
            own = batch.data.get(key)
            batch.data[key] = value if own is None else own.where(own.notna(), value)
        yield batch


def _names_table(text: str) -> bool:
    return text.lower().endswith(TABLES) and (is_there(text) or not any(map(str.isspace, text)))


def _given(text: str, column: str) -> Any:
    """The prompt or seed that was typed; HandbookError for what is none, or the name of a file."""
    if column == "prompt":
        if (name := legible(text)) != text:
            raise HandbookError(
                f"expected a prompt in UTF-8, found {name[:100]!r}. Type it in a terminal that is UTF-8"
            )
        if is_there(text) or (text.lower().endswith(TEXTS) and not any(map(str.isspace, text))):
            raise HandbookError(
                f"{legible(text)!r} names a file or folder, and would be taken for the words to go on from. Give the "
                "text itself, or a CSV file with a column prompt; these words themselves can stand in such a file"
            )
        return text
    if not (_is_whole(text) and int(text) < SEEDS):
        raise HandbookError(
            f"expected a seed, {A_SEED}, or a CSV file with a column seed; found {legible(text)[:100]!r}"
        )
    return int(text)


def _is_whole(text: str) -> bool:
    """Whether a text is a whole number from 0 on, of no more digits than a seed can have."""
    return text.isascii() and text.isdecimal() and len(text) <= DIGITS


def _of_file(path: Path, column: str, size: int, bare: bool, settings: Mapping[str, type]) -> Iterator[Batch]:
    where = legible(str(path))
    with reading.opened(path) as (stream, raw):
        lines = reading.checked_lines(where, stream)
        header, found = reading.table(where, lines, [column], None, prose=("prompt",))
        twice = [name for name in settings if header.count(name) > 1]
        if twice:
            raise HandbookError(f"{where} has column {twice[0]!r} {header.count(twice[0])} times. Keep one of them")
        kinds: dict[str, type] = {column: int if column == "seed" else str}
        kinds |= {name: kind for name, kind in settings.items() if name in header}
        rows = (
            _row(number, dict(zip(header, cells, strict=False)), kinds, problem)
            for number, cells, problem in reading.numbered(reading.peeked(where, found))
        )
        before = 0
        for batch in _batches(rows, column, size, bare, numbered=True):
            batch.read, before = raw.tell() - before, raw.tell()
            yield batch


def _row(number: int, cells: Mapping[str, str], kinds: Mapping[str, type], problem: str) -> Row:
    """A row's values, or the first thing that is wrong with it; of `kinds` the first is what is wanted."""
    wanted, values = next(iter(kinds)), dict[str, Any]()
    for key, kind in kinds.items() if not problem else ():
        try:
            values[key] = _cell(cells[key], kind, key == wanted or key in NEEDED)
        except ValueError as error:
            return number, cells[wanted], {}, f"column {key!r}: {error}"
    return number, cells.get(wanted, ""), values, problem


def _cell(cell: str, kind: type, needed: bool) -> Any:
    """A cell's value, None where a setting is left to its default; ValueError says what is wrong."""
    text = cell.strip()
    if not text and (needed or kind is str):
        raise ValueError(typed.MISSING)
    if kind is str or not text:
        return cell if kind is str else None
    if kind is int and _is_whole(text):
        return int(text)  # exactly, however large
    (values,) = typed.of_text({"": [text]}, {"": Column(kind)}).values()
    if values.problems:
        raise ValueError(values.problems[0])
    return kind(values.values[0])


def _batches(found: Iterable[Row], column: str, size: int, bare: bool, numbered: bool) -> Iterator[Batch]:
    import pandas as pd

    left = map(_seeded, found) if column == "seed" else iter(found)
    while chunk := list(islice(left, size)):
        good = [row for row in chunk if not row[3]]
        data = pd.DataFrame([values for _, _, values, _ in good], columns=list(good[0][2]) if good else [column])
        batch = Batch([row[2][column] for row in good], data, [""] * len(good), read=len(chunk), numbered=numbered)
        batch.places = [row[0] for row in good]
        batch.faults = [Fault(name, "", f"row {number}: {why}", number) for number, name, _, why in chunk if why]
        if bare:
            batch.data = data[column].to_numpy(dtype=np.int64 if column == "seed" else object)
        yield batch


def _seeded(row: Row) -> Row:
    """The row, at fault if its seed is none."""
    number, name, values, problem = row
    if not problem and not 0 <= values["seed"] < SEEDS:
        problem = f"expected a seed, {A_SEED}, found {name}"
    return number, name, values, problem


def requested(table: pd.DataFrame, column: str, settings: Mapping[str, type] | None = None) -> Batch:
    """A batch from rows with that column that have types already; a null setting is left to its default.

    Other columns than `settings` (by default all of `SETTINGS`) are left out. HandbookError without the column.
    """
    kinds: dict[str, type] = {column: int if column == "seed" else str}
    if column not in table.columns:
        raise HandbookError(
            f"the rows lack column {column!r}; they have {', '.join(map(str, table.columns)) or 'none'}"
        )
    more = SETTINGS[column] if settings is None else settings
    kinds |= {key: kind for key, kind in more.items() if key in table.columns}
    values = {key: _typed(table[key], kind, key == column or key in NEEDED) for key, kind in kinds.items()}
    rows: list[Row] = []
    for k, name in enumerate(table[column].astype(object)):
        problem = next(
            (f"column {key!r}: {each.problems[k]}" for key, each in values.items() if k in each.problems), ""
        )
        rows.append((k + 1, str(name), {} if problem else {key: _value(each.values[k], kinds[key])
                                                          for key, each in values.items()}, problem))  # fmt: skip
    return next(_batches(rows, column, max(1, len(rows)), bare=False, numbered=True), Batch([], table[[column]], []))


def _typed(column: pd.Series, kind: type, needed: bool) -> typed.Values:
    """A column's values; where it may be left out, a null is NaN and no problem."""
    values = typed.of_column(column, kind)
    for k, problem in list(values.problems.items()) if not needed else ():
        if problem == typed.MISSING:
            del values.problems[k]
            values.values[k] = np.nan
    return values


def _value(value: Any, kind: type) -> Any:
    if kind is str:
        return value
    return None if np.isnan(value) else kind(value)
