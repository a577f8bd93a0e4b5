"""Scores of outlyingness that see no label: greater is more outlying.

    Mahalanobis           (x − m)ᵀ C⁻¹ (x − m), distance in the rows' own ellipsoid (Mahalanobis 1936)
    isolation forest      how few random cuts part a row from the others (Liu, Ting and Zhou 2008)
    principal components  ‖x − x̂‖², with x̂ from the first d components
    autoencoder           ‖x − x̂‖², with x̂ from d numbers that a network of 29-16-d-16-29 squeezes x into
    map                   mean distance to the nearest units that hold a tenth of all rows, of a self-organising map

The components that the bank published are uncorrelated already; scaled to one spread, no direction is greater than
another, and all that PCA could find is in the amount. What an autoencoder finds is bends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.data.tables import Table
from handbook.evaluation.metrics import binary
from handbook.evaluation.trials import fit, one_thread

Array = npt.NDArray[Any]
CLIP = 8.0  # deviations beyond which a value counts no more in training, so that one payment moves no network
DIMENSIONS, CHOSEN, WIDTH = (2, 4, 8, 16), 8, 16
PASSES, BATCH, RATE, SEEDS = 12, 256, 0.003, 3
TREES = 100
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


def isolation_forest(x: Array, new: Array) -> Array:
    from sklearn.ensemble import IsolationForest

    return np.asarray(-IsolationForest(n_estimators=TREES, random_state=0).fit(x).score_samples(new))


def principal_components(x: Array, new: Array, d: int) -> Array:
    """Squared error (M,) of what the first d components give back."""
    centre = x.mean(axis=0, dtype=np.float64)
    vectors = np.linalg.eigh(np.cov(x, rowvar=False))[1][:, -d:]
    away = new - centre
    return np.asarray(np.square(away - away @ vectors @ vectors.T).sum(axis=1))


def autoencoder(x: Array, new: Array, d: int, seed: int) -> Array:
    """Squared error (M,) of what the network gives back."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Linear(x.shape[1], WIDTH), nn.Tanh(), nn.Linear(WIDTH, d), nn.Linear(d, WIDTH), nn.Tanh(),
        nn.Linear(WIDTH, x.shape[1]),
    )  # fmt: skip
    rows, judged = torch.from_numpy(x.clip(-CLIP, CLIP)), torch.from_numpy(new.copy())
    with one_thread():
        fit(net, lambda chosen: (net(rows[chosen]) - rows[chosen]).square().sum(dim=1).mean(), len(x),
            steps=max(1, PASSES * len(x) // BATCH), batch=BATCH, rate=RATE, seed=seed)  # fmt: skip
        with torch.inference_mode():
            return np.asarray((net(judged) - judged).square().sum(dim=1).double().numpy())


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


def small_map(x: Array, new: Array, seed: int = 0) -> Array:
    """Mean distance (M,) to the nearest units that together hold a tenth of the rows that the map was fitted to."""
    nodes, hits = units(x.clip(-CLIP, CLIP), seed)
    squared = np.square(new).sum(axis=1)[:, None] + np.square(nodes).sum(axis=1) - 2 * new @ nodes.T
    order = np.argsort(squared, axis=1)
    distance = np.sqrt(np.maximum(np.take_along_axis(squared, order, axis=1), 0))
    counts = np.minimum(np.cumsum(hits[order], axis=1), HELD * len(x))
    return np.asarray((distance * np.diff(counts, axis=1, prepend=0)).sum(axis=1) / (HELD * len(x)))


@cache
def scored(halves: Halves) -> dict[str, Array]:
    """Every score of the second half's payments, (N,) each."""
    x, new = halves.rows
    return {
        "Mahalanobis distance": mahalanobis(x, new),
        "isolation forest": isolation_forest(x, new),
        "principal components": principal_components(x, new, CHOSEN),
        "autoencoder": autoencoder(x, new, CHOSEN, 0),
        "autoencoder, frauds left out": autoencoder(halves.genuine, new, CHOSEN, 0),
        "map, 12 x 12 units": small_map(x, new),
        "amount alone": new[:, -1].astype(np.float64),
    }


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
    x, new = halves.rows
    known = {CHOSEN: scored(halves)["autoencoder"]}
    return {
        "principal components": _areas(halves, [principal_components(x, new, d) for d in DIMENSIONS]),
        "autoencoder": _areas(halves, [known[d] if d in known else autoencoder(x, new, d, 0) for d in DIMENSIONS]),
    }


def _areas(halves: Halves, found: list[Array]) -> dict[str, list[float]]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    measures = dict(zip(AREAS, (roc_auc_score, average_precision_score), strict=True))
    return {key: [float(measure(halves.labels, each)) for each in found] for key, measure in measures.items()}
