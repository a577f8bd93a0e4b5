"""The digits that both networks learn from, as bytes: what was computed from the same bytes is computed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from handbook.data.images import LabelledImages

Array = npt.NDArray[Any]
TRAIN, TEST = 8_000, 1_000


@dataclass(frozen=True)
class Digits:
    """Pictures (28 x 28 bytes each) and labels (a byte each), to learn from and new."""

    pictures: bytes
    labels: bytes
    new: bytes
    answers: bytes

    @classmethod
    def of(cls, data: LabelledImages) -> Digits:
        parts = data.train_images[:TRAIN], data.train_labels[:TRAIN], data.test_images[:TEST], data.test_labels[:TEST]
        return cls(*(part.tobytes() for part in parts))

    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """Pictures (N, 784) of 0 to 1 and labels (N,), to learn from, and new."""
        x, labels, new, answers = (
            np.frombuffer(each, np.uint8) for each in (self.pictures, self.labels, self.new, self.answers)
        )
        return x.reshape(-1, 784) / 255, labels, new.reshape(-1, 784) / 255, answers
