"""The expectations that a batch which came in is held to."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from handbook.errors import HandbookError

INHERITED = {  # expectations of each row, of pairs of rows, or of the columns: true of a part if true of the whole
    "expect_table_columns_to_match_ordered_list",
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_be_unique",
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_pair_values_to_be_equal",
    "expect_column_distinct_values_to_be_in_set",
    "expect_compound_columns_to_be_unique",
}
OF_THE_WHOLE = {
    "expect_table_row_count_to_equal",
    "expect_table_row_count_to_be_between",
    "expect_column_mean_to_be_between",
    "expect_column_proportion_of_unique_values_to_be_between",
    "expect_column_pair_values_to_be_in_set",  # only ever of counts that a page writes beside each row
    "expect_column_values_to_be_increasing",
    "expect_column_values_to_be_decreasing",
}
ORDER = ("disorder",)  # facts that say whether a row comes after the one before it: of no row, and of no part
ALWAYS = {"expect_column_values_to_be_of_type", "expect_column_values_to_not_be_null"}  # of columns that a case ignores


def of_the_batch(message: str, files: tuple[Path, ...], scratch: Path) -> str:
    """The message with the names of our copies replaced by those of the batch."""
    lines = []
    for line in message.splitlines():
        for copy in sorted((path for path in scratch.rglob("*") if path.is_file()), key=lambda path: -len(str(path))):
            own = next((file for file in files if file.name[-12:] == copy.name[-12:]), files[0])
            line = line.replace(str(copy), own.name)  # noqa: PLW2901
        for file in files:
            line = line.replace(str(file), file.name)  # noqa: PLW2901
        lines.append(line.replace(" Fetch it again: make data", "").replace(". Fetch it again: make data", ""))
    return "\n".join(lines)


def suite(expectations: list[Any], without: str = "", ignored: Collection[str] = ()) -> list[Any]:
    """What each part of a table inherits of these expectations; without those of a column, where it is not there.

    Of columns that the case ignores the values are nothing to it: a later day has later times.
    Raises HandbookError for a kind of expectation of which nobody has said whether a part inherits it.
    """
    kept = []
    for each in expectations:
        columns = {each.configuration.kwargs.get("column"), *_columns_of(each)}
        if without in columns or (columns & {*ignored} and each.expectation_type not in ALWAYS):
            continue
        inherited = _inherited(each)
        if inherited is not None:
            kept.append(_less(inherited, without))
    return kept


def _columns_of(expectation: Any) -> list[str]:
    names = ("column_A", "column_B")
    return [str(expectation.configuration.kwargs[name]) for name in names if expectation.configuration.kwargs.get(name)]


def _less(expectation: Any, column: str) -> Any:
    """The list of columns without one that is not there."""
    columns = getattr(expectation, "column_list", None)
    if not column or not columns or column not in columns:
        return expectation
    left = [name for name in columns if name != column]
    return type(expectation)(column_list=left, description=f"The columns are, in this order: {', '.join(left)}")


def _inherited(expectation: Any) -> Any:
    """The expectation as a part inherits it; None where it speaks of the whole."""
    import great_expectations.expectations as gxe

    kind = expectation.expectation_type
    if getattr(expectation, "column", None) in ORDER:
        return None
    if kind in INHERITED:
        return expectation
    if kind == "expect_column_distinct_values_to_equal_set":  # none left out: of the whole; no other: of each row
        return gxe.ExpectColumnValuesToBeInSet(
            column=expectation.column,
            value_set=expectation.value_set,
            row_condition=expectation.row_condition,
            description=expectation.description,
        )
    if kind == "expect_column_sum_to_be_between":  # a count of what must not be, unless it is of more than none
        return expectation if (expectation.min_value, expectation.max_value) == (0, 0) else None
    if kind in OF_THE_WHOLE:
        return None
    raise HandbookError(f"{kind}: does a part of the data inherit it from the whole? Say so in {__name__}")
