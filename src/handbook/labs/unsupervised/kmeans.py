"""K-means (Lloyd 1957, printed 1982): each row to the nearest centre, each centre to the mean of its rows, until rest.

The sum of squared distances, the inertia, never rises, but where it comes to rest depends on the start. A good start
takes one row after another as a centre, each with a probability in proportion to its squared distance from the nearest
centre so far (k-means++, Arthur and Vassilvitskii 2007); of several starts the one with the least inertia is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
MOST_STEPS = 300


@dataclass(frozen=True)
class Clusters:
    """Centres (K, D), the cluster of each row (N,), and the inertia before each step and at the end."""

    centres: Array
    labels: Array
    path: tuple[float, ...]

    @property
    def inertia(self) -> float:
        """The sum of squared distances between rows and their centres."""
        return self.path[-1]


def squared_distances(x: Array, centres: Array) -> Array:
    """Of rows (N, D) to centres (K, D), (N, K); rounding may leave a little less than zero, which is cut."""
    lengths = (x**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1)
    return np.asarray(np.maximum(lengths - 2 * x @ centres.T, 0))


def start(x: Array, k: int, rng: np.random.Generator) -> Array:
    """K rows (K, D) far from each other: k-means++."""
    centres = x[[rng.integers(len(x))]]
    nearest = squared_distances(x, centres)[:, 0]
    for _ in range(k - 1):
        # where all rows coincide with a centre, any is as good as another
        weights = nearest / nearest.sum() if nearest.sum() > 0 else None
        centres = np.concatenate([centres, x[[rng.choice(len(x), p=weights)]]])
        nearest = np.minimum(nearest, squared_distances(x, centres[-1:])[:, 0])
    return centres


def lloyd(x: Array, centres: Array) -> Clusters:
    """From centres (K, D) until no row changes its cluster; a centre that no row is nearest to stays where it is."""
    path: list[float] = []
    before = None
    for _ in range(MOST_STEPS):
        distances = squared_distances(x, centres)
        labels = distances.argmin(axis=1)
        path.append(float(distances[np.arange(len(x)), labels].sum()))
        if before is not None and np.array_equal(labels, before):
            break
        centres, before = means(x, labels, centres), labels
    return Clusters(centres, labels, tuple(path))


def means(x: Array, labels: Array, before: Array) -> Array:
    """The mean row of each cluster, (K, D)."""
    member = labels == np.arange(len(before))[:, None]  # (K, N)
    count = member.sum(axis=1, keepdims=True)
    return np.where(count > 0, member @ x / np.maximum(count, 1), before)


def best(runs: list[Clusters]) -> Clusters:
    """The one with the least inertia."""
    return min(runs, key=lambda run: run.inertia)
