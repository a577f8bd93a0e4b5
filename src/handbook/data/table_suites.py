"""What Great Expectations is asked about tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handbook.data.tables import NAMES


@dataclass(frozen=True)
class Habits:
    """What a table's columns are known to hold, measured on the original; bounds are included."""

    rows: int | None  # None where a page knows more forms than one, and counts for itself
    ranges: Mapping[str, tuple[float, float]]  # every number of the column
    words: Mapping[str, Sequence[Any]]  # every value of the column, none left out
    means: Mapping[str, tuple[float, float]]  # of the column: units, and order of the rows' making
    target: str
    shares: Mapping[Any, tuple[float, float]]  # of the rows, by value of the target; {} where it is a number
    sums: Mapping[str, tuple[float, float, str]]  # of a column of the facts, from and to, and what that means in words
    extra_columns: Sequence[str] = ()  # further columns of the facts


def expectations(columns: Mapping[str, type], habits: Habits) -> list[Any]:
    """The suite of Great Expectations for a table of facts, each expectation in words as well."""
    import great_expectations.expectations as gxe

    names = [*columns, *(name for name in habits.sums if name not in columns), *habits.extra_columns]
    count = [] if habits.rows is None else [_expect_rows(habits.rows)]
    kinds = {str: "str", int: "int64", float: "float64"}
    return [
        *count,
        gxe.ExpectTableColumnsToMatchOrderedList(
            column_list=names, description=f"The columns are, in this order: {', '.join(names)}"
        ),
        *(
            gxe.ExpectColumnValuesToBeOfType(
                column=name, type_=kinds[kind], description=f"{name} is {NAMES[kind]} ({kinds[kind]})"
            )
            for name, kind in columns.items()
        ),
        *(gxe.ExpectColumnValuesToNotBeNull(column=name, description=f"No {name} is missing") for name in columns),
        *_expect_values(habits),
        *_expect_target(habits),
        *(
            gxe.ExpectColumnSumToBeBetween(column=name, min_value=low, max_value=high, description=meaning)
            for name, (low, high, meaning) in habits.sums.items()
        ),
    ]


def _expect_rows(rows: int) -> Any:
    import great_expectations.expectations as gxe

    return gxe.ExpectTableRowCountToEqual(value=rows, description=f"There are {rows:,} rows")


def _expect_values(habits: Habits) -> list[Any]:
    import great_expectations.expectations as gxe

    return [
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column=name, min_value=low, max_value=high, description=f"Every {name} is from {low:,} to {high:,}"
            )
            for name, (low, high) in habits.ranges.items()
        ),
        *(
            gxe.ExpectColumnDistinctValuesToEqualSet(
                column=name, value_set=list(values), description=f"{name} is one of {', '.join(map(str, values))}"
            )
            for name, values in habits.words.items()
        ),
        *(
            gxe.ExpectColumnMeanToBeBetween(
                column=name, min_value=low, max_value=high, description=f"The mean of {name} is {low:,} to {high:,}"
            )
            for name, (low, high) in habits.means.items()
        ),
    ]


def _expect_target(habits: Habits) -> list[Any]:
    import great_expectations.expectations as gxe
    from great_expectations.expectations.row_conditions import Column

    return [
        gxe.ExpectTableRowCountToBeBetween(
            min_value=round(low * (habits.rows or 0)),
            max_value=round(high * (habits.rows or 0)),
            row_condition=Column(habits.target) == value,
            description=f"{low:.2%} to {high:.2%} of the rows have {habits.target} {value}",
        )
        for value, (low, high) in habits.shares.items()
    ]
