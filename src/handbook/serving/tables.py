"""Tables in JSON: rows in each of the forms that MLflow's scoring server takes, and cells by a model's signature."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handbook.serving.inputs import Batch, Fault
from handbook.serving.limits import RefusalError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Field:
    """A column of a model's signature: its name, its kind (long, double, string, array), whether it must be there."""

    name: str
    kind: str
    required: bool


def fields_of(schema: Any) -> tuple[Field, ...]:
    """The columns of a signature of MLflow's; none where the model takes an array."""
    if schema is None or schema.is_tensor_spec():
        return ()
    return tuple(Field(each["name"], each["type"], each.get("required", True)) for each in schema.to_dict())


def table(form: str, content: Any, names: Sequence[str], bare: str | None = None) -> pd.DataFrame:
    """A table of Python's own values from one of the forms; RefusalError where it is none.

    `names` are the columns' where `dataframe_split` gives none; `bare` is the one that a plain list of values is for.
    """
    import pandas as pd

    reads: dict[str, Callable[[], dict[str, list[Any]]]] = {
        "dataframe_split": lambda: _split(content, names),
        "dataframe_records": lambda: _records(content),
        "instances": lambda: _records(content) if _are_objects(content) else _columns(content, bare),
        "inputs": lambda: _records(content) if _are_objects(content) else _columns(content, bare),
    }
    columns = reads[form]()
    return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})


def _are_objects(content: Any) -> bool:
    return isinstance(content, list) and bool(content) and isinstance(content[0], dict)


def _split(content: Any, names: Sequence[str]) -> dict[str, list[Any]]:
    if not isinstance(content, dict) or not isinstance(content.get("data"), list):
        raise RefusalError(400, "dataframe_split: expected an object with `columns` and `data`, a list of rows")
    columns, rows = content.get("columns") or list(names), content["data"]
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise RefusalError(400, "dataframe_split: expected `columns` to be a list of names")
    if len(set(columns)) < len(columns):
        raise RefusalError(400, "dataframe_split: a column is there twice. Keep one of them")
    for k, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(columns):
            found = f"{len(row)} cells" if isinstance(row, list) else type(row).__name__
            raise _one(k, f"expected {len(columns)} cells, found {found}")
    return {name: [row[k] for row in rows] for k, name in enumerate(columns)}


def _records(content: Any) -> dict[str, list[Any]]:
    if not isinstance(content, list):
        raise RefusalError(400, f"expected a list of objects, one for each row, found {type(content).__name__}")
    names: dict[str, None] = {}
    for k, row in enumerate(content):
        if not isinstance(row, dict):
            raise _one(k, f"expected an object with the columns' names, found {type(row).__name__}")
        names |= dict.fromkeys(row)
    return {name: [row.get(name) for row in content] for name in names}


def _columns(content: Any, bare: str | None) -> dict[str, list[Any]]:
    if isinstance(content, list) and bare:
        return {bare: content}
    if not isinstance(content, dict) or not content:
        raise RefusalError(
            400, "expected an object with a list for each column, or a list of objects, one for each row"
        )
    columns = {name: cells if isinstance(cells, list) else [cells] for name, cells in content.items()}
    if len(set(map(len, columns.values()))) > 1:
        lengths = ", ".join(f"{name} {len(cells)}" for name, cells in columns.items())
        raise RefusalError(400, f"expected lists of one length for all columns, found {lengths[:200]}")
    return columns


def _one(place: int, problem: str) -> RefusalError:
    return RefusalError(400, f"row {place + 1}: {problem}", [Fault(str(place + 1), "", problem)])


def typed(rows: pd.DataFrame, fields: Sequence[Field]) -> Batch:
    """Rows (N) of prompts or of latents by the columns of a signature; others are left out, with a note that says so.

    A cell that is missing in a column that need not be there is NA.
    """
    import pandas as pd

    faults: list[Fault] = []
    known: dict[str, pd.Series] = {}
    for field in fields:
        if field.name not in rows:
            if field.required:
                there = ", ".join(repr(str(name)) for name in rows)[:200]
                raise RefusalError(400, f"expected column {field.name!r}, found {there or 'none'}")
            continue
        cells = rows[field.name].tolist()
        problems = [_problem(cell, field) for cell in cells]
        faults += [Fault(str(k + 1), field.name, problem) for k, problem in enumerate(problems) if problem]
        if not any(problems):
            known[field.name] = _series(cells, field.kind)
    strange = [str(name) for name in rows if name not in {field.name for field in fields}]
    note = f"left out: {', '.join(strange)[:200]}, since the model takes {', '.join(field.name for field in fields)}"
    names = [str(k + 1) for k in range(len(rows))]
    faults.sort(key=lambda fault: int(fault.name))
    return Batch(names, pd.DataFrame(known), [note if strange else ""] * len(rows), faults)


def _problem(cell: Any, field: Field) -> str:
    """What is wrong with a cell; nothing where it is of its kind."""
    if cell is None:
        return "the value is missing" if field.required else ""
    fits: dict[str, Callable[[], bool]] = {
        "string": lambda: isinstance(cell, str),
        "long": lambda: _is_number(cell) and abs(cell) < 1 << 63 and cell == int(cell),
        "double": lambda: _is_number(cell),
        "array": lambda: isinstance(cell, list) and all(map(_is_number, cell)),
    }
    named = {"string": "a text", "long": "a whole number", "double": "a number", "array": "a list of numbers"}
    return "" if fits[field.kind]() else f"expected {named[field.kind]}, found {str(cell)[:60]!r}"


def _is_number(cell: Any) -> bool:
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return False
    return math.isfinite(cell) if isinstance(cell, float) else abs(cell) < 1 << 63


def _series(cells: list[Any], kind: str) -> pd.Series:
    import pandas as pd

    if kind == "long" and None not in cells:
        return pd.Series(cells, dtype="int64")
    return pd.Series(cells, dtype={"long": "Int64", "string": "str", "array": "object"}.get(kind, "float64"))
