"""The network: how near a row is to each centre, and what the nearness adds up to (sections 7.1 to 7.1.2).

    phi_j(x) = exp(-|x - c_j|^2 / (2 sigma_j^2)),   y(x) = w_0 + sum_j w_j phi_j(x)

With a centre on every row the weights solve a square system, and the network passes through every target (Broomhead and
Lowe 1988); with fewer centres, by k-means, they are least squares (Moody and Darken 1989). The book divides by sigma^2
in 7.1 and by (2 sigma)^2 in its listing: the same units, sigma over or times the root of 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
LLOYD_STEPS = 50  # at most; k-means ends by itself as a rule
BOOK = {"2σ²": 1.0, "7.1: σ²": 2**-0.5, "listing: (2σ)²": 2**0.5}  # what each way of dividing makes of a width


def squared(x: Array, centres: Array) -> Array:
    """Squared distances (..., N, M) of rows (..., N, D) to centres (..., M, D)."""
    near = np.asarray((x**2).sum(-1)[..., None] + (centres**2).sum(-1)[..., None, :])
    near -= 2 * x @ np.swapaxes(centres, -1, -2)
    return np.asarray(np.maximum(near, 0, out=near))


def activations(x: Array, centres: Array, width: float | Array) -> Array:
    """What each unit says to each row, (N, M), 0 to 1; 1 at its centre. `width` is sigma, one or (M,)."""
    return np.asarray(np.exp(squared(x, centres) / (-2 * width**2)))


def interpolated(x: Array, targets: Array, width: float, alpha: float = 0.0) -> Array:
    """Weights (N,) or (N, K) of a network with a centre on every row, so that phi w + alpha w = targets.

    With alpha 0 it passes through them all. Above, it is kernel ridge regression, smooth where targets are noisy
    (Poggio and Girosi 1990).
    """
    phi = activations(x, x, width)
    if not alpha:
        return np.linalg.solve(phi, targets)
    from scipy.linalg import cho_factor, cho_solve

    phi[np.diag_indices_from(phi)] += alpha  # positive definite by now
    return np.asarray(cho_solve(cho_factor(phi, overwrite_a=True), targets))


def with_bias(phi: Array) -> Array:
    """Activations (..., N, M) and a column of ones (..., N, M + 1)."""
    return np.concatenate([phi, np.ones_like(phi[..., :1])], axis=-1)


def least_squares(phi: Array, targets: Array, alpha: float) -> Array:
    """Weights (M + 1,) or (M + 1, K) of least |phi w + w_0 - targets|^2 + alpha |w|^2; w_0, the last, is free.

    As a least-squares problem with a row more for each weight, so that phi'phi is never formed.
    """
    middle, mean = phi.mean(axis=0), targets.mean(axis=0)
    below = alpha**0.5 * np.eye(phi.shape[1], dtype=phi.dtype)
    rows = np.concatenate([phi - middle, below])
    wanted = np.concatenate([targets - mean, np.zeros((phi.shape[1], *targets.shape[1:]), targets.dtype)])
    weights = np.linalg.lstsq(rows, wanted, rcond=None)[0]
    bias = np.reshape(mean - middle @ weights, (1, *targets.shape[1:]))
    return np.concatenate([weights, bias])


def kmeans(x: Array, number: int, rng: np.random.Generator) -> Array:
    """Centres (M, D) by Lloyd's rule from a k-means++ start (Arthur and Vassilvitskii 2007)."""
    return lloyd(x, spread_out(x, number, rng))


def spread_out(x: Array, number: int, rng: np.random.Generator) -> Array:
    """Rows (M, D) to start from, each drawn by its squared distance to those before."""
    chosen = [int(rng.integers(len(x)))]
    near = squared(x, x[chosen])[:, 0].astype(float)
    while len(chosen) < number:
        total = near.sum()
        share = near / total if total > 0 else np.full(len(x), 1 / len(x))  # all rows are centres already
        chosen.append(int(rng.choice(len(x), p=share / share.sum())))
        near = np.minimum(near, squared(x, x[chosen[-1:]])[:, 0])
    return np.asarray(x[chosen])


def lloyd(x: Array, centres: Array, steps: int = LLOYD_STEPS) -> Array:
    """Each centre to the mean of the rows that are nearest to it, until none moves; one without rows stays."""
    for _ in range(steps):
        nearest = squared(x, centres).argmin(axis=1)
        member = np.zeros((len(x), len(centres)), x.dtype)
        member[np.arange(len(x)), nearest] = 1
        counts = member.sum(axis=0)[:, None]
        moved = np.where(counts > 0, member.T @ x / np.maximum(counts, 1), centres)
        if np.allclose(moved, centres, rtol=0, atol=1e-7):
            return np.asarray(moved)
        centres = moved
    return centres


def printed_width(centres: Array) -> float:
    """Sigma as section 7.1.1 has it: the greatest distance of two centres over the root of twice their number."""
    return float(np.sqrt(squared(centres, centres).max() / (2 * len(centres))))


def spacing(centres: Array) -> float:
    """The mean distance of a centre to its nearest neighbour."""
    apart = squared(centres, centres)
    apart[np.diag_indices_from(apart)] = np.inf
    return float(np.sqrt(apart.min(axis=1)).mean())
