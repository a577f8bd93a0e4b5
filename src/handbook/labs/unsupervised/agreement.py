"""How far two partitions of the same rows agree, by the table of their common rows.

The adjusted Rand index (Hubert and Arabie 1985) counts pairs of rows that both put together or both put apart; 1 is the
same partition, 0 what chance gives. Normalised mutual information says how much of one is known from the other; chance
gives more than 0, and more with more clusters. A bootstrap over rows is a multinomial draw of the table's cells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
RESAMPLES = 1_000


def table(clusters: Array, classes: Array) -> Array:
    """The number of rows in each cluster of each class, (K, C)."""
    shape = int(clusters.max()) + 1, int(classes.max()) + 1
    return np.bincount(clusters * shape[1] + classes, minlength=shape[0] * shape[1]).reshape(shape)


def adjusted_rand(tables: Array) -> Array:
    """Of tables (..., K, C): (...)."""
    together = _pairs(tables).sum(axis=(-2, -1))
    rows, columns = (_pairs(tables.sum(axis=axis)).sum(axis=-1) for axis in (-1, -2))
    expected = rows * columns / _pairs(tables.sum(axis=(-2, -1)))
    return _ratio(together - expected, (rows + columns) / 2 - expected)


def _pairs(n: Array) -> Array:
    return np.asarray(n * (n - 1) / 2)


def _ratio(part: Array, whole: Array) -> Array:
    """1 where both are nothing: two partitions that put all rows together are the same."""
    return np.where(whole == 0, 1.0, part / np.where(whole == 0, 1.0, whole))


def mutual_information(tables: Array) -> Array:
    """Of tables (..., K, C), normalised by the mean of both entropies: (...)."""
    p = tables / tables.sum(axis=(-2, -1), keepdims=True)
    one, other = _entropy(p.sum(axis=-1)), _entropy(p.sum(axis=-2))
    both = _entropy(p.reshape(*p.shape[:-2], -1))
    return _ratio(one + other - both, (one + other) / 2)


def _entropy(p: Array) -> Array:
    """In nats, over the last axis."""
    return np.asarray(-(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=-1))


MEASURES = {"adjusted Rand index": adjusted_rand, "normalised mutual information": mutual_information}


def intervals(counts: Array, rng: np.random.Generator) -> dict[str, tuple[float, float, float]]:
    """Each measure of a table (K, C), and the ends of its 95 % bootstrap interval over rows."""
    n = int(counts.sum())
    draws = rng.multinomial(n, (counts / n).ravel(), RESAMPLES).reshape(RESAMPLES, *counts.shape)
    found = {}
    for name, measure in MEASURES.items():
        low, high = np.percentile(measure(draws), [2.5, 97.5])
        found[name] = float(measure(counts)), float(low), float(high)
    return found
