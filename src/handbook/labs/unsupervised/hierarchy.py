"""Agglomerative clustering: every row begins as a cluster, and the two nearest become one, until one is left.

How far two clusters are from each other is the linkage: by their nearest rows (single), their farthest (complete), the
mean over all pairs (average), or how much the sum of squared distances to their means would rise (Ward 1963). In all
four the distance to a merged cluster follows from those to its two parts (Lance and Williams 1967), so rows are looked
at once. The tree is kept as SciPy keeps it: a row a merger, both parts, height, size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Merger(NamedTuple):
    """Two clusters that become one, and the others that are left."""

    a: Array  # distances of the others (L,) to one of the two
    b: Array  # and to the other
    between: float  # distance of the two
    m: float  # their rows
    n: float
    sizes: Array  # rows of the others, (L,)


def _ward(it: Merger) -> Array:
    squares = (it.sizes + it.m) * it.a**2 + (it.sizes + it.n) * it.b**2 - it.sizes * it.between**2
    return np.asarray(np.sqrt(squares / (it.sizes + it.m + it.n)))


# The distances of the others to the merged cluster, (L,).
LINKAGES: dict[str, Callable[[Merger], Array]] = {
    "single": lambda it: np.minimum(it.a, it.b),
    "complete": lambda it: np.maximum(it.a, it.b),
    "average": lambda it: (it.m * it.a + it.n * it.b) / (it.m + it.n),
    "ward": _ward,
}


def agglomerate(x: Array, linkage: str) -> Array:
    """The tree over rows (N, D): mergers (N - 1, 4), lowest first, a merged cluster's number from N on."""
    distance = np.sqrt(((x[:, None] - x) ** 2).sum(axis=2))
    np.fill_diagonal(distance, np.inf)
    number, size = np.arange(len(x)), np.ones(len(x))
    tree = np.empty((len(x) - 1, 4))
    for step in range(len(x) - 1):
        i, j = divmod(int(distance.argmin()), len(x))
        height, m, n = (float(each) for each in (distance[i, j], size[i], size[j]))
        tree[step] = min(number[i], number[j]), max(number[i], number[j]), height, m + n
        alive = np.isfinite(distance[i]) & np.isfinite(distance[j])  # neither of the two, nor one that was merged
        it = Merger(distance[i, alive], distance[j, alive], height, m, n, size[alive])
        distance[i, alive] = distance[alive, i] = LINKAGES[linkage](it)
        distance[j], distance[:, j] = np.inf, np.inf
        number[i], size[i] = len(x) + step, m + n
    return tree


def cut(tree: Array, k: int) -> Array:
    """The cluster of each row, (N,) of 0 to k-1, where k clusters are left."""
    from scipy.cluster.hierarchy import cut_tree

    return np.asarray(cut_tree(tree, n_clusters=k)[:, 0])
