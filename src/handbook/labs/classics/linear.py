"""Least squares, ridge and lasso (sections 2.6 to 2.6.5).

    least squares   |y − b − Xw|²                   Xᵀ(y − Xw) = 0, by an orthogonal factorisation of X
    ridge           … + λ Σ w²                      (XᵀX + λ)w = Xᵀy         (Hoerl and Kennard 1970)
    lasso           … + λ Σ |w|                     a coefficient at a time  (Tibshirani 1996)

The constant b is not penalised: columns and target are moved to their means first, and b follows. For the lasso there
is no formula, but there is one for a single coefficient while the others rest: with ρ what its column has in common
with what the others leave, w = sign(ρ) max(|ρ| − λ/2, 0) / |column|². Whatever has less in common than λ/2 is out, to
the last digit. Going round until nothing moves is coordinate descent (Friedman, Hastie and Tibshirani 2010).

The book's λ is on the sum of squares, as here; scikit-learn's `Ridge` has the same, its `Lasso` divides the sum of
squares by 2n, so that its alpha is λ / 2n. Both are equal to ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handbook.labs.classics.tree import Array


@dataclass(frozen=True)
class Linear:
    """Constant and slopes (d,)."""

    b: float
    w: Array

    def values(self, x: Array) -> Array:
        """Of rows (n, d)."""
        return np.asarray(self.b + x @ self.w)


def _behind_the_means(x: Array, y: Array, w: Array) -> Linear:
    return Linear(float(y.mean() - x.mean(axis=0) @ w), w)


def least_squares(x: Array, y: Array) -> Linear:
    """Of all lines the one with the least squared error; of several such, the one with the smallest slopes."""
    w = np.linalg.lstsq(x - x.mean(axis=0), y - y.mean(), rcond=None)[0]
    return _behind_the_means(x, y, w)


def ridge(x: Array, y: Array, penalty: float) -> Linear:
    """The same with λ on the squares of the slopes."""
    centred = x - x.mean(axis=0)
    w = np.linalg.solve(centred.T @ centred + penalty * np.eye(x.shape[1]), centred.T @ (y - y.mean()))
    return _behind_the_means(x, y, w)


def lasso(x: Array, y: Array, penalty: float, *, rounds: int = 10_000, tolerance: float = 1e-12) -> Linear:
    """The same with λ on their absolute values. ValueError if the rounds do not suffice."""
    centred = x - x.mean(axis=0)
    gram, common = centred.T @ centred, centred.T @ (y - y.mean())
    w = np.zeros(x.shape[1])
    for _ in range(rounds):
        before = w.copy()
        for j, square in enumerate(gram.diagonal()):
            rho = common[j] - gram[j] @ w + square * w[j]
            w[j] = np.sign(rho) * max(abs(rho) - penalty / 2, 0) / square if square > 0 else 0.0
        if np.abs(w - before).max() <= tolerance * max(1.0, float(np.abs(w).max())):
            return _behind_the_means(x, y, w)
    raise ValueError(f"the lasso still moves after {rounds:,} rounds; scale the columns, or allow more")
