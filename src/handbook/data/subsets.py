"""How much of a dataset a lab takes: the first pictures as bytes, which are known again; of a drawn sample, less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from handbook.data.images import LabelledImages
    from handbook.data.tables import Table

Bytes = npt.NDArray[np.uint8]
T = TypeVar("T")
WHOLE = 10_000  # rows: the real data of every dataset of which a lab takes a part have more, and no drawn sample has


def plan_for(rows: int, whole: T, sample: T) -> T:
    """How much a lab does with a dataset of so many rows: less if it is a drawn sample, which is no result."""
    return whole if rows >= WHOLE else sample


def some_of(table: Table, sample: int) -> Table:
    """A table; of a drawn sample, whose rows come in no order, the first of them, so many at most."""
    return plan_for(len(table), table, table.take(np.arange(min(sample, len(table)))))


@dataclass(frozen=True)
class Subset:
    """Pictures (H x W bytes each) and labels (a byte each), to learn from and new; a key for `functools.cache`."""

    pictures: bytes
    labels: bytes
    new: bytes
    answers: bytes

    @classmethod
    def first(cls, data: LabelledImages, train: int, test: int) -> Self:
        """Of training and test pictures so many at most, the first."""
        known, new = (data.train_images, data.train_labels), (data.test_images, data.test_labels)
        return cls(*(part[:train].tobytes() for part in known), *(part[:test].tobytes() for part in new))

    def flat(self) -> tuple[Bytes, Bytes, Bytes, Bytes]:
        """Pictures (N, H W) and labels (N,) to learn from, and new."""
        known, labels, new, answers = (
            np.frombuffer(each, np.uint8) for each in (self.pictures, self.labels, self.new, self.answers)
        )
        return known.reshape(len(labels), -1), labels, new.reshape(len(answers), -1), answers
