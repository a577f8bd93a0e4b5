"""Nearest neighbours (section 2.9; Fix and Hodges 1951): ask the k training rows that lie closest.

    1  measure the distance to every training row      Euclid √Σ(a − b)²,  Manhattan Σ|a − b|
    2  keep the k nearest
    3  classes: the commonest among them; values: their mean, or a mean with weights 1/distance

Nothing is learnt, so nothing is stored but the rows, and every question costs a look at all of them: here a block of
questions at a time, column by column. |a − b|² = |a|² − 2ab + |b|² would be one matrix product and faster, but equal
rows would come out a little apart by it, and the inverse of that little is all the weight there is.

Equal to scikit-learn's `KNeighborsClassifier` and `KNeighborsRegressor` (tests/labs/test_classics.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Distance = Callable[[Array, Array], Array]
BLOCK = 256  # questions at a time: their distances to 10,000 rows are 20 MB


def euclid(a: Array, b: Array) -> Array:
    """Distances (m, n) between rows (m, d) and (n, d)."""
    return np.sqrt(_summed(np.square, a, b))


def manhattan(a: Array, b: Array) -> Array:
    """Distances (m, n) between rows (m, d) and (n, d)."""
    return _summed(np.abs, a, b)


def _summed(measure: Callable[[Array], Array], a: Array, b: Array) -> Array:
    """A column at a time: no block of (m, n, d) is ever held."""
    found = np.zeros((len(a), len(b)))
    for one, other in zip(a.T, b.T, strict=True):
        found += measure(one[:, None] - other)
    return found


@dataclass(frozen=True)
class Neighbours:
    """Training rows (n, d), how many of them are asked, how far apart two rows are, and whether the nearer say more."""

    x: Array
    k: int
    distance: Distance = euclid
    weighted: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.k <= len(self.x):
            raise ValueError(f"k must be 1 to {len(self.x)}, the number of training rows, found {self.k}")

    def of(self, questions: Array) -> tuple[Labels, Array]:
        """The nearest rows of each question and their weights, both (m, k); of equal distances the first rows."""
        parts = np.array_split(questions, max(1, -(-len(questions) // BLOCK)))
        found = [self._block(part) for part in parts]
        rows, weights = (np.concatenate(each) for each in zip(*found, strict=True))
        return rows, weights

    def _block(self, questions: Array) -> tuple[Labels, Array]:
        far = self.distance(questions, self.x)
        rows = np.argsort(far, axis=1, kind="stable")[:, : self.k]
        near = np.take_along_axis(far, rows, axis=1)
        if not self.weighted:
            return rows, np.ones_like(near)
        same = near == 0  # a row that is the question itself has all the say
        with np.errstate(divide="ignore"):
            return rows, np.where(same.any(axis=1, keepdims=True), same.astype(float), 1 / near)

    def shares(self, questions: Array, labels: Labels) -> Array:
        """Of each question, the neighbours' share in every class (m, K); `labels` (n,) are those of the rows."""
        rows, weights = self.of(questions)
        classes = np.arange(labels.max() + 1)
        votes = ((labels[rows][..., None] == classes) * weights[..., None]).sum(axis=1)  # (m, k, K) -> (m, K)
        return np.asarray(votes / votes.sum(axis=1, keepdims=True))

    def classes(self, questions: Array, labels: Labels) -> Labels:
        """The commonest class among the neighbours (m,); of equally common ones the first."""
        return np.asarray(self.shares(questions, labels).argmax(axis=1))

    def values(self, questions: Array, y: Array) -> Array:
        """The mean of the neighbours' values (m,); `y` (n,) are those of the rows."""
        rows, weights = self.of(questions)
        return np.asarray((y[rows] * weights).sum(axis=1) / weights.sum(axis=1))
