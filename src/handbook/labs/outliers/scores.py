"""Scores of outlyingness that see no label: greater is more outlying.

    Mahalanobis           (x − m)ᵀ C⁻¹ (x − m), distance in the rows' own ellipsoid (Mahalanobis 1936)
    principal components  ‖x − x̂‖², with x̂ from the first d components
    map                   mean distance to the nearest units that hold a tenth of all rows, of a self-organising map

and those of `evaluation.outlying`, which the map of chapter 8 is held against too: robust covariance, isolation
forest, local outlier factor and autoencoder.

The components that the bank published are uncorrelated already; scaled to one spread, no direction is greater than
another, and all that PCA could find is in the amount. What an autoencoder finds is bends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.data.tables import Table
from handbook.evaluation.metrics import binary
from handbook.evaluation.outlying import CLIP, autoencoder, isolation_forest, local_outlier_factor, robust_covariance

Array = npt.NDArray[Any]
DIMENSIONS, CHOSEN, SEEDS = (2, 4, 8, 16), 8, 3  # numbers that a payment is squeezed into, and seeds of the network
GRID, EPOCHS, SIGMA, HELD = 12, 12, (4.0, 0.7), 0.1  # of the map: side, epochs, width first and last, share of the rows
AREAS = ("roc_auc", "average_precision")


@dataclass(frozen=True)
class Halves:
    """Payments scaled by those to learn from: (N, 29) of the first half as bytes, of the second, and labels (N,)."""

    first: bytes
    second: bytes
    known: bytes  # labels of the first half, which no score sees
    answers: bytes

    @classmethod
    def of(cls, data: Table) -> Halves:
        """Two halves, drawn by a seed; the time is left out, and the amount taken as log(1 + x)."""
        features = data.features.drop(columns="Time").assign(Amount=np.log1p(data.features["Amount"]))
        order = np.random.default_rng(0).permutation(len(features))
        parts = np.array_split(order, 2)
        x = features.to_numpy(np.float64)
        centre, spread = x[parts[0]].mean(axis=0), x[parts[0]].std(axis=0)
        scaled = ((x - centre) / np.where(spread > 0, spread, 1)).astype(np.float32)
        labels = data.target.astype(np.int64)
        return cls(*(scaled[rows].tobytes() for rows in parts), *(labels[rows].tobytes() for rows in parts))

    @property
    def labels(self) -> Array:
        """Of the second half: 1 is fraud."""
        return np.frombuffer(self.answers, np.int64)

    @property
    def rows(self) -> tuple[Array, Array]:
        """Both halves, (N, 29) each."""
        first, second = (np.frombuffer(each, np.float32) for each in (self.first, self.second))
        columns = len(first) // (len(self.known) // 8)  # a label has eight bytes
        return first.reshape(-1, columns), second.reshape(-1, columns)

    @property
    def genuine(self) -> Array:
        """The rows of the first half that are no fraud."""
        return np.asarray(self.rows[0][np.frombuffer(self.known, np.int64) == 0])


def mahalanobis(x: Array, new: Array) -> Array:
    """Squared distances (M,) of new rows (M, D) by the mean and covariance of rows (N, D)."""
    centre = x.mean(axis=0, dtype=np.float64)
    away = new - centre
    return np.asarray((away @ np.linalg.pinv(np.cov(x, rowvar=False)) * away).sum(axis=1))


def principal_components(x: Array, new: Array, d: int) -> Array:
    """Squared error (M,) of what the first d components give back."""
    centre = x.mean(axis=0, dtype=np.float64)
    vectors = np.linalg.eigh(np.cov(x, rowvar=False))[1][:, -d:]
    away = new - centre
    return np.asarray(np.square(away - away @ vectors @ vectors.T).sum(axis=1))


def units(x: Array, seed: int) -> tuple[Array, Array]:
    """A self-organising map by the batch rule (Kohonen 1982): units (GRID², D), and how many rows each matches."""
    rng = np.random.default_rng(seed)
    nodes = x[rng.choice(len(x), GRID**2, replace=len(x) < GRID**2)].astype(np.float64)
    place = np.stack(np.meshgrid(np.arange(GRID), np.arange(GRID)), axis=-1).reshape(-1, 2)
    apart = np.square(place[:, None] - place[None]).sum(axis=2)
    for sigma in np.geomspace(*SIGMA, EPOCHS):
        winners = nearest(x, nodes)
        sums = np.zeros_like(nodes)
        np.add.at(sums, winners, x)
        near = np.exp(-apart / (2 * sigma**2))
        nodes = near @ sums / (near @ np.bincount(winners, minlength=GRID**2))[:, None]
    return nodes, np.bincount(nearest(x, nodes), minlength=GRID**2)


def nearest(x: Array, nodes: Array) -> Array:
    """The best matching unit of each row, (N,)."""
    return np.asarray((np.square(nodes).sum(axis=1) - 2 * x @ nodes.T).argmin(axis=1))


def small_map(x: Array, new: Array, share: float = HELD, seed: int = 0) -> Array:
    """Mean distance (M,) to the nearest units that together hold a share of the rows that the map was fitted to."""
    nodes, hits = _fitted(x.astype(np.float32).tobytes(), x.shape[1], seed)
    squared = np.square(new).sum(axis=1)[:, None] + np.square(nodes).sum(axis=1) - 2 * new @ nodes.T
    order = np.argsort(squared, axis=1)
    distance = np.sqrt(np.maximum(np.take_along_axis(squared, order, axis=1), 0))
    counts = np.minimum(np.cumsum(hits[order], axis=1), share * len(x))
    return np.asarray((distance * np.diff(counts, axis=1, prepend=0)).sum(axis=1) / (share * len(x)))


@cache
def _fitted(rows: bytes, columns: int, seed: int) -> tuple[Array, Array]:
    """The units of rows given as bytes, fitted once whatever share of them a score then takes."""
    return units(np.frombuffer(rows, np.float32).reshape(-1, columns).clip(-CLIP, CLIP), seed)


@cache
def scored(halves: Halves) -> dict[str, Array]:
    """Every score of the second half's payments, (N,) each, by settings that no label chose."""
    x, new = halves.rows
    usual = {name: tried(halves, name)[setting][len(x) :] for name, (_, _, setting) in FAMILIES.items()}
    return {
        "Mahalanobis distance": mahalanobis(x, new),
        **usual,
        "autoencoder, frauds left out": autoencoder(halves.genuine, new, CHOSEN),
        "amount alone": new[:, -1].astype(np.float64),
    }


# what is tried of each, and with which setting it stands where no label chose: that of its authors, or of the lab
FAMILIES: dict[str, tuple[Callable[[Array, Array, Any], Array], tuple[float, ...], float]] = {
    "robust covariance": (robust_covariance, (0.5, 0.9), 0.5),  # share of the rows that the covariance is of
    "isolation forest": (isolation_forest, (256, 2048), 256),  # rows that a tree sees
    "local outlier factor": (local_outlier_factor, (20, 100, 500), 20),  # neighbours
    "principal components": (principal_components, DIMENSIONS, CHOSEN),
    "autoencoder": (autoencoder, DIMENSIONS, CHOSEN),
    "map, 12 x 12 units": (small_map, (0.01, 0.03, 0.1, 0.3), HELD),  # share of the rows whose units are near
}


@cache
def tried(halves: Halves, family: str) -> dict[float, Array]:
    """The scores (N1 + N2,) of both halves' payments, fitted to the first, by each setting of a family."""
    x, new = halves.rows
    score, settings, _ = FAMILIES[family]
    return {each: score(x, np.concatenate([x, new]), each) for each in settings}


@cache
def judged(halves: Halves) -> dict[str, tuple[dict[str, float], dict[str, tuple[float, float]]]]:
    """ROC-AUC and average precision of each score, with 95 % bootstrap intervals over payments."""
    found = {}
    for name, each in scored(halves).items():
        metrics, interval = binary(halves.labels, each, np.random.default_rng(0))
        found[name] = {key: metrics[key] for key in AREAS}, interval
    return found


@cache
def over_seeds(halves: Halves) -> dict[str, list[float]]:
    """Both areas of the autoencoder by seed of its weights and its batches."""
    found = [scored(halves)["autoencoder"], *(autoencoder(*halves.rows, CHOSEN, seed) for seed in range(1, SEEDS))]
    return _areas(halves, found)


@cache
def by_dimension(halves: Halves) -> dict[str, dict[str, list[float]]]:
    """Both areas by the number of dimensions, of principal components and of the autoencoder."""
    n = len(halves.rows[0])
    return {
        name: _areas(halves, [each[n:] for each in tried(halves, name).values()])
        for name in ("principal components", "autoencoder")
    }


def _areas(halves: Halves, found: list[Array]) -> dict[str, list[float]]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    measures = dict(zip(AREAS, (roc_auc_score, average_precision_score), strict=True))
    return {key: [float(measure(halves.labels, each)) for each in found] for key, measure in measures.items()}
