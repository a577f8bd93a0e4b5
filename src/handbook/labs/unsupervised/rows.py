"""The rows that are clustered, with classes that judge what comes out and that no method is shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.labs.unsupervised import components

if TYPE_CHECKING:
    from handbook.data.images import LabelledImages
    from handbook.data.tables import Table

Array = npt.NDArray[Any]
PICTURES, KEPT = 1_500, 30


@dataclass(frozen=True)
class Rows:
    """Numbers (N, D), classes (N,), names of classes; of pictures the pixels (N, 784) too. Bytes, to be known again."""

    numbers: bytes
    answers: bytes
    classes: tuple[str, ...]
    pixels: bytes = b""

    @classmethod
    def of_table(cls, table: Table) -> Rows:
        """All attributes as they are: the four lengths of an iris are all centimetres."""
        x = table.features.to_numpy(dtype=np.float64)
        return cls(x.tobytes(), table.target.astype(np.int64).tobytes(), table.classes)

    @classmethod
    def of_pictures(cls, data: LabelledImages) -> Rows:
        """The first pictures along their first 30 principal components; intensities 0 to 1."""
        pixels = data.train_images[:PICTURES].tobytes()
        x = _leading(pixels).project(_shades(pixels), KEPT)
        answers = data.train_labels[:PICTURES].astype(np.int64)
        return cls(x.tobytes(), answers.tobytes(), data.classes, pixels)

    @property
    def labels(self) -> Array:
        """Classes (N,)."""
        return np.frombuffer(self.answers, np.int64)

    @property
    def x(self) -> Array:
        """What is clustered, (N, D)."""
        return np.frombuffer(self.numbers).reshape(len(self.labels), -1)

    @property
    def raw(self) -> Array:
        """The intensities (N, 784) of pictures, and the attributes (N, D) of others."""
        return _shades(self.pixels) if self.pixels else self.x

    @property
    def components(self) -> components.Components:
        """The principal components of `raw`."""
        return _leading(self.pixels) if self.pixels else components.of(self.x)


def _shades(pixels: bytes) -> Array:
    return np.frombuffer(pixels, np.uint8).reshape(-1, 28 * 28) / 255


@cache
def _leading(pixels: bytes) -> components.Components:
    """Of pictures, computed once for the same ones."""
    return components.of(_shades(pixels))
