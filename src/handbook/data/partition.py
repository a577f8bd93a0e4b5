"""Two classes of rows: which rows are learned from, which choose, and which judge."""

from __future__ import annotations

from dataclasses import dataclass

from handbook.contract import Split
from handbook.data.tables import Table, split


@dataclass(frozen=True)
class Task:
    """The part of a page's Params that says what is predicted from what, and what a mistake costs."""

    seed: int  # of the model, and of the rows that are chosen by
    split_seed: int  # of the test rows; the book's is 4
    test_share: float  # the book's is 0.33
    validation_share: float  # of the other rows, to choose threshold and length of training by
    leave_out: tuple[str, ...]  # columns that are withheld from the model
    threshold: float | None  # from which chance on to call; null: where mistakes cost least on the validation rows
    false_negative: float  # cost of a buyer who is not called
    false_positive: float  # cost of a call in vain

    def __post_init__(self) -> None:
        if not 0 < self.test_share < 1 or not 0 <= self.validation_share < 1:
            raise ValueError(f"shares must be in (0, 1), found {self.test_share} and {self.validation_share}")
        if self.threshold is None and not self.validation_share:
            raise ValueError("threshold: null is chosen on validation rows; validation_share must be above 0, found 0")
        if min(self.false_negative, self.false_positive) <= 0:
            raise ValueError(f"costs must be above 0, found {self.false_negative} and {self.false_positive}")


def rows(data: Table, task: Task) -> Split[Table]:
    """The test rows by the book's split, which is not stratified; what is chosen by comes out of the others."""
    rest, test = split(without(data, task.leave_out), task.test_share, task.split_seed, stratify=False)
    if not task.validation_share:
        return Split(rest, None, test)
    return Split(*split(rest, task.validation_share, task.seed), test)


def without(data: Table, columns: tuple[str, ...]) -> Table:
    """The table without these columns; ValueError if there is no such column."""
    strange = [name for name in columns if name not in data.features]
    if strange:
        raise ValueError(f"leave_out: no column {strange[0]!r}; the columns are {', '.join(data.features)}")
    return Table(data.features.drop(columns=list(columns)), data.target, data.classes)
