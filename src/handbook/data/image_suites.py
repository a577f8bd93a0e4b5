"""What Great Expectations is asked about labelled pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handbook.data.images import SIDE


@dataclass(frozen=True)
class Habits:
    """What pictures of one kind have in common, measured on the original, margins included."""

    share: tuple[float, float]  # of a split, in each class
    ink: tuple[float, float]  # share of a picture's pixels that are not black
    ink_of_class: Mapping[int, tuple[float, float]]  # mean over a split, for classes that stand out by it


def expectations(rows: Mapping[str, int], classes: tuple[str, ...], habits: Habits) -> list[Any]:
    """What the table of facts must hold for splits of so many rows, each expectation in words as well."""
    expected = [*_expect_table(), *_expect_pictures(habits)]
    for split, count in rows.items():
        expected += _expect_split(split, count, classes, habits)
    return expected


def _expect_table() -> list[Any]:
    import great_expectations.expectations as gxe

    kinds = {"split": "str", "digest": "str", "mean": "float64", "ink": "float64"}
    columns = ["split", "label", "rows", "columns", "darkest", "brightest", "mean", "ink", "digest"]
    return [
        gxe.ExpectTableColumnsToMatchOrderedList(
            column_list=columns, description=f"The columns are, in this order: {', '.join(columns)}"
        ),
        *(
            gxe.ExpectColumnValuesToBeOfType(column=column, type_=kind, description=f"{column} is of type {kind}")
            for column in columns
            for kind in (kinds.get(column, "int64"),)
        ),
        gxe.ExpectColumnDistinctValuesToEqualSet(
            column="split", value_set=["test", "train"], description="There are two splits: train and test"
        ),
    ]


def _expect_pictures(habits: Habits) -> list[Any]:
    import great_expectations.expectations as gxe

    ranges = (
        ("rows", SIDE, SIDE, f"Every picture has {SIDE} rows"),
        ("columns", SIDE, SIDE, f"Every picture has {SIDE} columns"),
        ("darkest", 0, 0, "Every picture has some black ground: its darkest pixel is 0"),
        ("brightest", 200, 255, "Every picture has a bright pixel, 200 to 255: none is blank or scaled to 0-1"),
        ("ink", *habits.ink, f"Of every picture {habits.ink[0]:.0%} to {habits.ink[1]:.0%} is inked"),
    )
    return [
        *(
            gxe.ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high, description=description)
            for column, low, high, description in ranges
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="brightest", column_B="darkest", description="No picture is of one tone: each can be read"
        ),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["split", "digest"], description="No picture appears twice in a split"
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="digest", description="No picture appears twice, not even once in train and once in test"
        ),
    ]


def _expect_split(split: str, count: int, classes: tuple[str, ...], habits: Habits) -> list[Any]:
    import great_expectations.expectations as gxe
    from great_expectations.expectations.row_conditions import Column

    here = Column("split") == split
    fewest, most = (round(share * count) for share in habits.share)
    wanted = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    return [
        gxe.ExpectTableRowCountToEqual(
            value=count, row_condition=here, description=f"{split} holds {count:,} pictures"
        ),
        gxe.ExpectColumnDistinctValuesToEqualSet(
            column="label",
            value_set=list(range(len(classes))),
            row_condition=here,
            description=f"{split} holds every label from 0 to {len(classes) - 1}, and no other",
        ),
        *(
            gxe.ExpectTableRowCountToBeBetween(
                min_value=fewest,
                max_value=most,
                row_condition=here & (Column("label") == label),
                description=f"{split} holds {wanted} pictures of class {label} ({name})",
            )
            for label, name in enumerate(classes)
        ),
        *(
            gxe.ExpectColumnMeanToBeBetween(
                column="ink",
                min_value=low,
                max_value=high,
                row_condition=here & (Column("label") == label),
                description=f"{split} labels are in step with the pictures: "
                f"those of class {label} ({classes[label]}) are {low:.0%} to {high:.0%} ink on average",
            )
            for label, (low, high) in habits.ink_of_class.items()
        ),
    ]
