"""Scores of outlyingness that people use today, for what a page has to show beside them: greater is more outlying.

    robust covariance      (x − m)ᵀ C⁻¹ (x − m), by the half of the rows whose covariance has the least determinant
                           (FastMCD, Rousseeuw and Van Driessen 1999)
    isolation forest       how few random cuts part a row from the others (Liu, Ting and Zhou 2008)
    local outlier factor   how much thinner its neighbours lie around a row than around themselves (Breunig et al. 2000)
    autoencoder            ‖x − x̂‖², with x̂ from d numbers that a network of D-16-d-16-D squeezes x into

No label is seen. `x` (N, D) is what is learnt from, `new` (M, D) what is scored, standardised both.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.evaluation.trials import fit, one_thread

Array = npt.NDArray[Any]
CLIP = 8.0  # deviations beyond which a value counts no more in training, so that one row moves no network
WIDTH, PASSES, BATCH, RATE = 16, 12, 256, 0.003  # of the autoencoder
TREES = 100
LEARNT = 8_000  # rows, drawn by a seed, that a covariance and neighbourhoods are learnt from at most: time, not memory


def robust_covariance(x: Array, new: Array, support: float | None = None) -> Array:
    """Squared distances (M,); `support` is the share of rows that the covariance is of, at least half (None)."""
    from sklearn.covariance import MinCovDet

    with warnings.catch_warnings():
        # rows that repeat make some of FastMCD's many small starts degenerate; the best start is kept in any case
        warnings.filterwarnings("ignore", "Determinant has increased", RuntimeWarning)
        fitted = MinCovDet(support_fraction=support, random_state=0).fit(_some(x).astype(np.float64))
    return np.asarray(fitted.mahalanobis(new.astype(np.float64)))


def isolation_forest(x: Array, new: Array, seen: int = 256) -> Array:
    """Scores (M,); a tree sees so many rows, 256 in the paper."""
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=TREES, max_samples=min(seen, len(x)), random_state=0)
    return np.asarray(-forest.fit(x).score_samples(new))


def local_outlier_factor(x: Array, new: Array, neighbours: int = 20) -> Array:
    """Factors (M,), 1 for a row that lies as close to its neighbours as they do to theirs."""
    from sklearn.neighbors import LocalOutlierFactor

    some = _some(x)
    fitted = LocalOutlierFactor(min(neighbours, len(some) - 1), novelty=True).fit(some)
    return np.asarray(-fitted.score_samples(new))


def _some(x: Array) -> Array:
    """All rows, or as many as are learnt from."""
    return x if len(x) <= LEARNT else x[np.random.default_rng(0).choice(len(x), LEARNT, replace=False)]


def autoencoder(x: Array, new: Array, d: int = 8, seed: int = 0) -> Array:
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
