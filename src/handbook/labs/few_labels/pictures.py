"""Pictures of two datasets, of which few keep their labels; and what several draws of those labels say together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data.subsets import Subset, plan_for

if TYPE_CHECKING:
    from handbook.data.images import LabelledImages

Array = npt.NDArray[Any]
TRAIN, CLASSES = 20_000, 10
ALL, PART = 2_000, 200  # new pictures; and of a drawn sample


class Given(Subset):
    """The first pictures and their labels, to learn from and to be judged by."""

    @classmethod
    def of(cls, data: LabelledImages) -> Given:
        return cls.first(data, TRAIN, plan_for(len(data.train_images), ALL, PART))

    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """Pictures (N, 784) float32, labels (N,), new pictures (M, 784), answers (M,).

        Intensities are standardised by mean and deviation of the pictures to learn from, which takes no label.
        """
        x, labels, new, right = self.flat()
        y, answers = labels.astype(np.int64), right.astype(np.int64)
        levels = np.arange(256)
        share = np.bincount(x.ravel(), minlength=256) / x.size
        centre = levels @ share
        scale = ((levels - centre) / np.sqrt((levels - centre) ** 2 @ share)).astype(np.float32)  # of each intensity
        return scale[x], y, scale[new], answers


def drawn(labels: Array, each: int, rng: np.random.Generator) -> Array:
    """`each` rows of every class, (classes, each), in random order; the first of them are a smaller draw."""
    return np.stack([rng.choice(np.flatnonzero(labels == k), each, replace=False) for k in np.unique(labels)])


def most_of_each(labels: bytes) -> int:
    """How many rows the rarest class has."""
    return int(np.bincount(np.frombuffer(labels, np.uint8), minlength=CLASSES).min())


def mean_and_half(values: Array) -> tuple[Array, Array]:
    """Means (...) and half of their 95 % intervals over draws (..., S), by Student's t, for S of 2 or more."""
    from scipy.stats import t

    draws = values.shape[-1]
    return values.mean(-1), t.ppf(0.975, draws - 1) * values.std(-1, ddof=1) / np.sqrt(draws)


@dataclass(frozen=True)
class Found:
    """Accuracies on new pictures by method, (labels, draws) each; every method had the same labels in each draw."""

    labels: tuple[int, ...]
    accuracy: dict[str, Array]
    ceiling: float = float("nan")  # of a network that had all labels
    most: int = 0  # how many those were

    def gain(self, method: str, over: str) -> tuple[Array, Array]:
        """Means (labels,) of the paired differences between two methods, and half of their 95 % intervals."""
        return mean_and_half(self.accuracy[method] - self.accuracy[over])

    def surely(self, method: str, over: str, sign: int = 1) -> list[int]:
        """The numbers of labels at which a method is better (sign 1) or worse (-1) beyond its interval."""
        mean, half = self.gain(method, over)
        return [n for n, sure in zip(self.labels, sign * mean > half, strict=True) if sure]

    def facts(self, over: str) -> dict[str, float | bool]:
        """Accuracies by method and number of labels, and the least that each is worth over another, in points."""
        facts: dict[str, float | bool] = {}
        for name, values in self.accuracy.items():
            mean, half = self.gain(name, over)
            for k, n in enumerate(self.labels):
                facts[f"{n:,} labels, {name}"] = float(values[k].mean())
                if name != over:
                    facts[f"{n:,} labels, {name} over {over}"] = float(mean[k])
                    facts[f"{n:,} labels, {name} over {over}, at least"] = float(mean[k] - half[k])
        return facts
