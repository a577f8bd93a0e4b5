"""The digits that both networks learn from, as bytes: what was computed from the same bytes is computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from handbook.data.subsets import Subset, plan_for

if TYPE_CHECKING:
    from handbook.data.images import LabelledImages

Array = npt.NDArray[Any]
TRAIN, TEST, SAMPLE = 8_000, 1_000, 600  # the last to learn from, of a drawn sample


class Digits(Subset):
    """The digits to learn from, and new."""

    @classmethod
    def of(cls, data: LabelledImages) -> Digits:
        return cls.first(data, plan_for(len(data.train_images), TRAIN, SAMPLE), TEST)

    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """Pictures (N, 784) of 0 to 1 and labels (N,), to learn from, and new."""
        x, labels, new, answers = self.flat()
        return x / 255, labels, new / 255, answers
