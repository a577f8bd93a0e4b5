"""The first pictures of a dataset as bytes: the same are known again, and computed with once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from handbook.data.images import LabelledImages

Bytes = npt.NDArray[np.uint8]


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
