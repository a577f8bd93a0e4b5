"""Values of columns, each of its type: out of text, or out of rows that have types already.

Nothing is cast that a cast would change: a fraction is no whole number, a truth value no number, a null no word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data.schema import listed
from handbook.data.tables import NAMES
from handbook.errors import HandbookError
from handbook.serving.inputs.batch import Batch, Column, Fault

if TYPE_CHECKING:
    import pandas as pd

ABSENT = ("", "NA", "N/A", "NaN", "nan", "null", "?")  # what `tables.read_csv` takes for a number that is missing
MISSING = "the value is missing"
LARGEST = 1 << 53  # from here on a float no longer tells whole numbers apart
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
PLAIN, DIGITS = re.compile(r"[-+0-9.eE\n]*"), re.compile(r"[-+0-9\n]*")
COMMA = re.compile(r"[+-]?\d+,\d+")
GROUPED = re.compile(r"[+-]?\d{1,3}(([ '.,_\u00a0\u202f’])\d{3})(\2\d{3})*([.,]\d+)?")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(\.000)")


@dataclass
class Values:
    """A column's values, what is wrong with which, and what is odd about which, by position."""

    values: Any  # (N,): float64, or text; of no meaning where there is a problem
    problems: dict[int, str] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)


def of_text(cells: Mapping[str, Sequence[str]], columns: Mapping[str, Column]) -> dict[str, Values]:
    """Columns of text as the values that they must hold."""
    return {name: _words(cells[name]) if column.kind is str else _numbers(name, cells[name], column.kind)
            for name, column in columns.items()}  # fmt: skip


def _words(cells: Sequence[str]) -> Values:
    return Values(np.array(cells, dtype=object), {k: MISSING for k, cell in enumerate(cells) if cell == ""})


def _numbers(name: str, cells: Sequence[str], kind: type) -> Values:
    if (quick := _all_numbers(cells, kind)) is not None:
        return Values(quick)
    found = Values(np.zeros(len(cells)))
    for k, cell in enumerate(cells):
        text = cell.strip()
        if text in ABSENT:
            found.problems[k] = MISSING
        elif NUMBER.fullmatch(text) and fits(value := float(text), kind):
            found.values[k] = value
            if kind is int and THOUSANDS.fullmatch(text):
                found.notes[k] = f"{name} {text!r} is read as {value:.0f}: is the point a mark between thousands?"
        else:
            found.problems[k] = f"expected {NAMES[kind]}, found {text!r}{_advice(text, kind)}"
    return found


def _all_numbers(cells: Sequence[str], kind: type) -> npt.NDArray[np.float64] | None:
    """The numbers, if all cells are plain ones: a table of a million cells is not looked through one by one."""
    if not (PLAIN if kind is float else DIGITS).fullmatch("\n".join(cells)):
        return None
    try:
        numbers = np.array(cells, dtype=object).astype(np.float64)
    except ValueError:
        return None
    good = np.isfinite(numbers) & (True if kind is float else abs(numbers) < LARGEST)
    return numbers if good.all() else None


def fits(value: float, kind: type) -> bool:
    """Whether a number is finite and, if it is to be a whole one, is that and differs from its neighbours."""
    return bool(np.isfinite(value)) and (kind is float or (value % 1 == 0 and abs(value) < LARGEST))


def _advice(text: str, kind: type) -> str:
    if COMMA.fullmatch(text):
        return ". Write the decimal point as a point, and no marks between thousands"
    if GROUPED.fullmatch(text):
        return ". Write no marks between thousands"
    return f". Whole numbers end at {LARGEST:,}" if kind is int and re.fullmatch(r"[+-]?\d{16,}", text) else ""


def frame(table: pd.DataFrame, columns: Mapping[str, Column]) -> Batch:
    """A batch from rows that have types already; a row's name is its number, from 1 on, other columns are left out.

    Raises HandbookError for a column that is missing or there twice, and for no row.
    """
    found = [str(name) for name in table.columns]
    missing = [name for name in columns if name not in found]
    if missing:
        raise HandbookError(f"the rows lack columns {listed(missing)}; they have {listed(found) or 'none'}")
    twice = [name for name in columns if found.count(name) > 1]
    if twice:
        raise HandbookError(f"the rows have column {twice[0]!r} {found.count(twice[0])} times. Keep one of them")
    if not len(table):
        raise HandbookError("expected one row or more, found 0")
    values = {name: of_column(table.iloc[:, found.index(name)], column.kind) for name, column in columns.items()}
    return batch(list(range(1, len(table) + 1)), values, columns, [])


def of_column(column: pd.Series, kind: type) -> Values:
    """A column that has a type already as the values that it must hold."""
    import pandas as pd

    if kind is not str and column.dtype.kind in "iuf" and not pd.api.types.is_bool_dtype(column.dtype):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
        whole = np.isfinite(numbers) & ((numbers % 1 == 0) & (abs(numbers) < LARGEST) if kind is int else True)
        return Values(numbers, {int(k): _problem(column.iloc[k], kind) for k in np.flatnonzero(~whole)})
    values = Values(np.full(len(column), "" if kind is str else 0.0, dtype=object if kind is str else np.float64))
    for k, value in enumerate(column.astype(object)):
        if kind is str and isinstance(value, str) and value:
            values.values[k] = value
        elif kind is not str and _is_number(value) and fits(float(value), kind):
            values.values[k] = float(value)
        else:
            values.problems[k] = _problem(value, kind)
    return values


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating | Decimal) and not isinstance(
        value, bool | np.bool_
    )


def _problem(value: Any, kind: type) -> str:
    if _is_null(value) or (isinstance(value, str) and not value):
        return MISSING
    shown = value.item() if isinstance(value, np.generic) else value
    return f"expected {NAMES[kind]}, found {repr(shown)[:100]}"


def _is_null(value: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def batch(names: list[int], values: Mapping[str, Values], columns: Mapping[str, Column], faults: list[Fault]) -> Batch:
    """The rows that hold what they must, with what is odd about them; and the faults, in the order of the rows."""
    import pandas as pd

    good, notes = np.ones(len(names), dtype=bool), [""] * len(names)
    for name, each in values.items():
        good[list(each.problems)] = False
        faults = faults + [Fault(str(names[k]), name, problem) for k, problem in each.problems.items()]
    for name, column in columns.items():
        for k, note in (values[name].notes | _doubts(name, values[name].values, column)).items():
            notes[k] += ("; " if notes[k] else "") + note
    kept = np.flatnonzero(good)
    data = pd.DataFrame({name: _column(values[name].values[kept], column.kind) for name, column in columns.items()})
    order = sorted(faults, key=lambda fault: int(fault.name))
    return Batch([names[k] for k in kept], data, [notes[k] for k in kept], order)


def _column(values: npt.NDArray[Any], kind: type) -> Any:
    import pandas as pd

    return pd.Series(values, dtype={str: "str", int: "int64", float: "float64"}[kind])


def _doubts(name: str, values: npt.NDArray[Any], column: Column) -> dict[int, str]:
    """Words that training never saw, and numbers that the attribute cannot be, by position."""
    if column.words is not None:
        words = column.words
        return {k: f"unknown {name} {word!r} counts as none" for k, word in enumerate(values) if word not in words}
    if column.kind is str or (column.low is None and column.high is None):
        return {}
    low, high = (-np.inf if column.low is None else column.low), (np.inf if column.high is None else column.high)
    outside = np.flatnonzero((values < low) | (values > high))
    return {int(k): f"{name} {plain(values[k])} is outside of {plain(low)} to {plain(high)}" for k in outside}


def plain(number: float) -> str:
    """A number as people write it: whole ones without a point."""
    return f"{number:.0f}" if abs(number) < LARGEST and number % 1 == 0 else f"{number:g}"
