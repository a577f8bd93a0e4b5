"""What Great Expectations is asked about texts: a line is a row, with its length, its kind, and if it is a copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handbook.data import texts

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("characters", "bytes", "foreign", "kind", "trailing", "copy")
SHORT = 20  # characters: `[Exeunt]` or `MACBETH` may well stand there many times
Kinds = Callable[[Sequence[str]], list[str]]  # the kind of each of a text's lines


@dataclass(frozen=True)
class Habits:
    """What a text is known to hold, measured on the original; bounds are included."""

    what: str  # "play" or "text", as the expectations say it
    lines: int
    characters: tuple[int, int]  # in all, line ends not counted
    longest: int  # characters of a line
    alphabet: str  # every character but the line end
    without: str  # what that alphabet leaves out, in words
    copies: tuple[int, int]  # lines longer than SHORT that stand there before
    shares: Mapping[str, tuple[float, float]]  # of the lines, by kind
    block: str = "scene"  # that would stand there twice if more were copies


def facts(path: Path, alphabet: str, kinds: Kinds) -> pd.DataFrame:
    """The table that the suite looks at, a row for each line of a text file. HandbookError if it is no text."""
    import pandas as pd

    texts.read(path)  # says it better, if the bytes are no text
    lines = path.read_bytes().decode().split("\n")
    table = pd.DataFrame({"line": pd.Series(lines[:-1] if not lines[-1] else lines, dtype="str")})
    bare = table["line"].str.strip()
    return pd.DataFrame(
        {
            "characters": table["line"].str.len().astype("int64"),
            "bytes": table["line"].map(lambda line: len(line.encode())).astype("int64"),
            "foreign": table["line"].map(lambda line: sum(each not in alphabet for each in line)).astype("int64"),
            "kind": kinds(table["line"].tolist()),
            "trailing": table["line"].str.endswith((" ", "\t")).astype("int64"),
            "copy": (bare.duplicated() & (bare.str.len() > SHORT)).astype("int64"),
        }
    )


def expectations(habits: Habits) -> list[Any]:
    """The suite of Great Expectations for a table of facts, each expectation in words as well."""
    import great_expectations.expectations as gxe

    return [
        gxe.ExpectTableColumnsToMatchOrderedList(
            column_list=list(COLUMNS), description=f"The columns are, in this order: {', '.join(COLUMNS)}"
        ),
        *(
            gxe.ExpectColumnValuesToBeOfType(
                column=column,
                type_="str" if column == "kind" else "int64",
                description=f"{column} is of type {'str' if column == 'kind' else 'int64'}",
            )
            for column in COLUMNS
        ),
        gxe.ExpectTableRowCountToEqual(value=habits.lines, description=f"The {habits.what} has {habits.lines:,} lines"),
        *_expect_characters(habits),
        *_expect_kinds(habits),
    ]


def _expect_characters(habits: Habits) -> list[Any]:
    import great_expectations.expectations as gxe

    low, high = habits.characters
    few, many = habits.copies
    return [
        gxe.ExpectColumnSumToBeBetween(
            column="characters", min_value=low, max_value=high,
            description=f"Its length is {low:,}{'' if low == high else f' to {high:,}'} characters without line ends",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="characters", min_value=0, max_value=habits.longest,
            description=f"No line is longer than {habits.longest} characters",
        ),
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="characters", column_B="bytes", description="The encoding is ASCII: every character is one byte"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="foreign", min_value=0, max_value=0,
            description=f"The alphabet is that of the {habits.what}, {len(habits.alphabet) + 1} characters with the "
            f"line end: {habits.without}",
        ),
        gxe.ExpectColumnSumToBeBetween(
            column="copy", min_value=few, max_value=many,
            description=f"Of lines longer than {SHORT} characters {few} to {many} repeat an earlier one: "
            f"no {habits.block} stands there twice",
        ),
    ]  # fmt: skip


def _expect_kinds(habits: Habits) -> list[Any]:
    import great_expectations.expectations as gxe
    from great_expectations.expectations.row_conditions import Column

    return [
        gxe.ExpectColumnDistinctValuesToEqualSet(
            column="kind", value_set=list(habits.shares), description=f"A line is one of: {', '.join(habits.shares)}"
        ),
        *(
            gxe.ExpectTableRowCountToBeBetween(
                min_value=round(low * habits.lines),
                max_value=round(high * habits.lines),
                row_condition=Column("kind") == kind,
                description=f"{low:.0%} to {high:.0%} of the lines are of kind {kind}: "
                f"the layout is the {habits.what}'s",
            )
            for kind, (low, high) in habits.shares.items()
        ),
    ]
