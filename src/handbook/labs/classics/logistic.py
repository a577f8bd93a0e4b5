"""Logistic regression by Newton's method, as reweighted least squares (section 2.7; Nelder and Wedderburn 1972).

    log-odds are a line         log p/(1 − p) = b + wᵀx
    the loss                    Σ −log(probability of what happened) + λ/2 |w|²
    its slope                   Xᵀ(p − y) + λw
    its curvature               Xᵀ diag(p(1 − p)) X + λ

A step of Newton's is a weighted least squares, in which rows whose outcome is open, p near ½, weigh most. It ends in
half a dozen steps, each of which doubles the digits that are right; where a step would raise the loss, it is halved.
The constant b is not penalised. scikit-learn's C is 1/λ, and 1 where nothing is said.

Equal to scikit-learn's `LogisticRegression`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from handbook.labs.classics.boosting import chance
from handbook.labs.classics.tree import Array

SURE = 1e-6  # all outcomes this near to certain: nothing but rounding ends the growth of the weights


@dataclass(frozen=True)
class Logistic:
    """Constant and slopes w (1 + d,), the weights before each step (steps + 1, 1 + d) and the loss there."""

    w: Array
    path: Array
    losses: Array

    def probabilities(self, x: Array) -> Array:
        """Of class 1, (n,)."""
        return chance(self.w[0] + x @ self.w[1:])


def loss(w: Array, x: Array, y: Array, penalty: float) -> float:
    """The penalised loss in nats, for rows (n, 1 + d) that begin with a 1."""
    score = x @ w
    return float((np.logaddexp(0, score) - y * score).sum() + penalty / 2 * w[1:] @ w[1:])


def slope(w: Array, x: Array, y: Array, penalty: float) -> Array:
    """Its gradient (1 + d,)."""
    return np.asarray(x.T @ (chance(x @ w) - y) + penalty * np.r_[0, w[1:]])


def curvature(w: Array, x: Array, penalty: float) -> Array:
    """Its Hessian (1 + d, 1 + d)."""
    score = x @ w
    return np.asarray((x.T * (chance(score) * chance(-score))) @ x + penalty * np.diag(np.r_[0, np.ones(len(w) - 1)]))


def fit(x: Array, y: Array, penalty: float = 1.0, *, steps: int = 50, tolerance: float = 1e-9) -> Logistic:
    """Learn from rows (n, d) and answers 0 or 1 (n,). ValueError if that does not settle: the classes are separable."""
    x = np.c_[np.ones(len(x)), x]
    cost, path = partial(loss, x=x, y=y, penalty=penalty), [np.zeros(x.shape[1])]
    losses = [cost(path[0])]
    for _ in range(steps):
        g = slope(path[-1], x, y, penalty)
        if np.abs(g).max() <= tolerance * len(x):
            if np.abs(chance(x @ path[-1]) - y).max() < SURE:
                break
            return Logistic(path[-1], np.stack(path), np.array(losses))
        move = np.asarray(np.linalg.solve(curvature(path[-1], x, penalty), g), np.float64)
        path.append(_lower(path[-1], move, cost))
        losses.append(cost(path[-1]))
    raise ValueError(
        f"logistic regression has not settled after {len(path) - 1} steps: without a penalty the weights of classes "
        f"that a plane divides grow without end. Give a penalty above {penalty:g}"
    )


def _lower(w: Array, move: Array, cost: Callable[[Array], float]) -> Array:
    """The point after Newton's move, or after the half of it, and so on, that does not raise the loss."""
    before = cost(w)
    for halvings in range(30):
        after = w - move / 2**halvings
        if cost(after) <= before + 1e-12 * abs(before):
            return np.asarray(after)
    return w


def gradient_descent(x: Array, y: Array, penalty: float, steps: int) -> Array:
    """Losses (steps + 1,) of plain descent at the greatest rate that is safe: 1 by the largest curvature there is."""
    x = np.c_[np.ones(len(x)), x]
    rate = 1 / (np.linalg.eigvalsh(x.T @ x)[-1] / 4 + penalty)  # p(1 − p) is at most a quarter
    w, losses = np.zeros(x.shape[1]), []
    for _ in range(steps + 1):
        losses.append(loss(w, x, y, penalty))
        w = w - rate * slope(w, x, y, penalty)
    return np.array(losses)
