"""A linear support vector machine (section 2.8; Cortes and Vapnik 1995), by its dual (Hsieh et al. 2008).

    primal   ½|w|² + C Σ max(0, 1 − y(wᵀx))                      y is −1 or 1; x begins with a 1 for the constant
    dual     ½ αᵀQα − Σα,  0 ≤ α ≤ C,  Q = y yᵀ xxᵀ,  w = Σ α y x

    1  take a row; G = y(wᵀx) − 1 is how far it is beyond its margin
    2  move its α by −G/|x|², but not out of [0, C]
    3  w follows
    4  go through all rows, in a new order each round, until none moves

A row with α = 0 could be left out without a change: those that cannot are the support vectors. Rows take turns, each
with the w that the one before left, so this is a loop over rows; it is for some hundreds of them.

Equal to scikit-learn's `LinearSVC(loss="hinge")`, which penalises the constant as well, like this one and unlike `SVC`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handbook.labs.classics.tree import Array, Labels


@dataclass(frozen=True)
class Support:
    """Constant and slopes w (1 + d,), and what each row has to say, α (n,)."""

    w: Array
    alpha: Array

    def margin(self, x: Array) -> Array:
        """Of rows (n, d): above 0 for class 1, at ±1 on the edges of the margin."""
        return np.asarray(self.w[0] + x @ self.w[1:])


def primal(w: Array, x: Array, sign: Array, C: float) -> float:
    """What is to be least, of rows (n, 1 + d) and signs (n,)."""
    return float(w @ w / 2 + C * np.maximum(0, 1 - sign * (x @ w)).sum())


def fit(x: Array, labels: Labels, C: float = 1.0, *, rounds: int = 5000, tolerance: float = 1e-10) -> Support:
    """Learn from rows (n, d) and labels 0 or 1, until primal and dual differ by less than a share of the primal.

    ValueError if the rounds do not suffice: columns of very different widths are what keeps it from settling.
    """
    x, sign, rng = np.c_[np.ones(len(x)), x], np.where(labels == 1, 1.0, -1.0), np.random.default_rng(0)
    w, alpha, size = np.zeros(x.shape[1]), np.zeros(len(x)), (x * x).sum(axis=1)
    for _ in range(rounds):
        for i in rng.permutation(len(x)):
            after = min(max(alpha[i] - (sign[i] * (x[i] @ w) - 1) / size[i], 0.0), C)
            w = np.asarray(w + (after - alpha[i]) * sign[i] * x[i], np.float64)
            alpha[i] = after
        cost = primal(w, x, sign, C)
        if cost - (alpha.sum() - w @ w / 2) <= tolerance * max(1.0, cost):
            return Support(w, alpha)
    raise ValueError(f"the support vectors still move after {rounds:,} rounds; scale the columns, or allow more")
