"""Rows that have types already are held to them: nothing is cast that a cast would change."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook import contract, datasets
from handbook.errors import HandbookError
from handbook.serving import inputs

COLUMNS = {
    "age": inputs.Column(int, None, 18, 95), "bmi": inputs.Column(float),
    "job": inputs.Column(str, frozenset(["admin.", "student"])),
}  # fmt: skip
GOOD: dict[str, Any] = {"age": 40, "bmi": 21.5, "job": "admin."}
MIRROR = Path(os.environ.get("HANDBOOK_MIRROR") or "/no mirror")
TABLES = ("bank_marketing", "boston", "credit_card_applications", "credit_card_transactions", "diabetes", "iris")


def taken(*rows: dict[str, Any]) -> inputs.Batch:
    return inputs.frame(pd.DataFrame([{**GOOD, **row} for row in rows], dtype=object), COLUMNS)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"age": 40.5}, "expected a whole number, found 40.5"),
        ({"age": True}, "expected a whole number, found True"),
        ({"age": "40"}, "expected a whole number, found '40'"),
        ({"age": None}, "the value is missing"),
        ({"age": float("nan")}, "the value is missing"),
        ({"age": float("inf")}, "expected a whole number, found inf"),
        ({"age": 2**60}, "expected a whole number, found 1152921504606846976"),
        ({"age": [40]}, "expected a whole number, found [40]"),
        ({"bmi": np.bool_(False)}, "expected a number, found False"),
        ({"bmi": pd.Timestamp("2026-01-01")}, "expected a number, found Timestamp"),
        ({"job": None}, "the value is missing"),
        ({"job": ""}, "the value is missing"),
        ({"job": 7}, "expected text, found 7"),
        ({"job": b"admin."}, "expected text, found b'admin.'"),
    ],
)
def test_a_value_of_another_type_is_a_fault_of_its_row(row: dict[str, Any], problem: str) -> None:
    batch = taken({}, row, {"age": 41.0, "bmi": Decimal("2.5")})
    assert batch.names == [1, 3]
    (fault,) = batch.faults
    assert (fault.name, fault.column) == ("2", next(iter(row)))
    assert fault.problem.startswith(problem)
    assert batch.data.dtypes.astype(str).to_dict() == {"age": "int64", "bmi": "float64", "job": "str"}


def test_unknown_words_and_numbers_out_of_range_are_noted() -> None:
    assert taken({}, {"age": 1970}, {"job": "astronaut"}).notes == [
        "", "age 1970 is outside of 18 to 95", "unknown job 'astronaut' counts as none",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["int64", "int8", "float32", "Int64", "int64[pyarrow]", "double[pyarrow]"])
def test_the_type_of_a_column_changes_no_value(kind: str) -> None:
    table = pd.DataFrame(
        {"age": pd.Series([20, 30], dtype=kind), "bmi": [1, 2], "job": ["admin.", "student"], "more": 1}
    )
    batch = inputs.frame(table, COLUMNS)
    assert not batch.faults
    assert batch.data.to_dict("list") == {"age": [20, 30], "bmi": [1.0, 2.0], "job": ["admin.", "student"]}


def test_a_gap_in_a_column_of_whole_numbers_is_missing_and_a_truth_value_no_number() -> None:
    for kind in ("Int64", "int64[pyarrow]"):
        column = inputs.frame(pd.DataFrame({"age": pd.Series([20, None], dtype=kind)}), {"age": inputs.Column(int)})
        assert column.names == [1]
        assert column.faults[0].problem == "the value is missing"
    for kind in ("bool", "boolean", "bool[pyarrow]"):
        column = inputs.frame(pd.DataFrame({"age": pd.Series([True], dtype=kind)}), {"age": inputs.Column(int)})
        assert column.faults[0].problem == "expected a whole number, found True"


def test_rows_without_a_column_or_with_one_twice_or_none_at_all_are_refused() -> None:
    table = pd.DataFrame([GOOD])
    for spoilt, reported in (
        (table.drop(columns="job"), "the rows lack columns 'job'; they have 'age', 'bmi'"),
        (pd.concat([table, table[["age"]]], axis=1), "the rows have column 'age' 2 times"),
        (table.iloc[:0], "expected one row or more, found 0"),
    ):
        with pytest.raises(HandbookError, match=reported):
            inputs.frame(spoilt, COLUMNS)


def held_against(page: Any) -> dict[str, inputs.Column]:
    """The page's numbers, each with what it can be."""
    types, ranges = contract.dataset(page).columns, contract.usual(page).ranges
    assert set(ranges) <= set(types)
    return {name: inputs.Column(types[name], None, *span) for name, span in ranges.items()}


@pytest.mark.real
@pytest.mark.skipif(not MIRROR.is_dir(), reason="HANDBOOK_MIRROR is not a folder with the real data")
@pytest.mark.parametrize("name", [name for name in TABLES if (MIRROR / name).is_dir()])
def test_no_real_row_is_doubted(name: str) -> None:
    page = datasets.page(name)
    batch = inputs.frame(page._read(MIRROR / name), held_against(page))
    assert not batch.faults
    assert set(batch.notes) == {""}


@pytest.mark.parametrize("name", TABLES)
def test_every_number_of_a_table_has_its_range_and_beyond_it_is_doubted(name: str) -> None:
    page = datasets.page(name)
    columns, target = held_against(page), list(page.COLUMNS)[-1]
    assert set(columns) | {target} >= {each for each, kind in page.COLUMNS.items() if kind is not str}
    low, high = ({name: span[side] for name, span in page.RANGES.items()} for side in (0, 1))
    table = pd.DataFrame([{key: float(value) for key, value in each.items()} for each in (low, high)])
    whole = {key: column for key, column in columns.items() if column.kind is int}
    assert set(inputs.frame(table.round(), whole).notes) == {""} if whole else True
    for key in columns:
        beyond = inputs.frame(
            table.assign(**{key: [page.RANGES[key][0] - 1.0, page.RANGES[key][1] + 1.0]}), {key: columns[key]}
        )
        assert all(note.startswith(f"{key} ") for note in beyond.notes)
        assert len(beyond.notes) == 2
