"""Gradient boosting (section 2.16; Friedman 2001): every tree learns what those before it left.

    1  begin with the constant that fits best
    2  of every row, what is left: the residual, the direction in which its loss falls
    3  grow a small regression tree on the residuals
    4  in each of its leaves take Newton's step: the sum of the residuals by the sum of the curvatures
    5  add the tree, times the rate
    6  repeat 2 to 5

                     starts at        residual    curvature
    squared error    mean             y − F       1              so the step is the leaf's mean
    log loss         log-odds         y − p       p(1 − p)       p = 1/(1 + exp(−F)), y is 0 or 1

The book would begin with a simple model such as a stump; the method, and scikit-learn, begin with a constant.

Equal to scikit-learn's `GradientBoostingRegressor` and, for two classes, `GradientBoostingClassifier`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from handbook.labs.classics import tree
from handbook.labs.classics.tree import Array, Tree


class Loss(NamedTuple):
    """Where boosting begins, and of every row (n,) what is left and how bent its loss is, by answer and score."""

    start: Callable[[Array], float]
    residual: Callable[[Array, Array], Array]
    curvature: Callable[[Array, Array], Array]


def chance(score: Array) -> Array:
    """Log-odds as probabilities; no exponent is ever positive."""
    e = np.exp(-np.abs(score))
    return np.asarray(np.where(score >= 0, 1.0, e) / (1 + e))


def _log_odds(y: Array) -> float:
    share = float(y.mean())
    if not 0 < share < 1:
        raise ValueError("log loss needs answers of both classes, 0 and 1; found one class only")
    return float(np.log(share / (1 - share)))


SQUARES = Loss(lambda y: float(y.mean()), lambda y, f: y - f, lambda y, f: np.ones_like(f))
LOG_LOSS = Loss(_log_odds, lambda y, f: y - chance(f), lambda y, f: chance(f) * chance(-f))


@dataclass(frozen=True)
class Boosted:
    """The constant, the rate, the trees, and of each the step of every node that is a leaf."""

    start: float
    rate: float
    trees: tuple[Tree, ...]
    steps: tuple[Array, ...]

    def staged(self, x: Array) -> Iterator[Array]:
        """The scores (n,) after each round: values for squared error, log-odds for log loss."""
        score = np.full(len(x), self.start)
        for grown, step in zip(self.trees, self.steps, strict=True):
            score = score + self.rate * step[grown.leaf(x)]
            yield score

    def score(self, x: Array) -> Array:
        """After the last round (n,)."""
        *_, last = self.staged(x)
        return last


def fit(x: Array, y: Array, loss: Loss, *, rounds: int = 100, rate: float = 0.1, depth: int = 3) -> Boosted:
    """Learn from rows (n, d) and answers (n,); rounds, rate and depth are the book's."""
    if rounds < 1:
        raise ValueError(f"rounds must be 1 or more, found {rounds}")
    start, order = loss.start(y), tree.presorted(x)
    score, trees, steps = np.full(len(x), start), [], []
    for _ in range(rounds):
        left = loss.residual(y, score)
        grown = tree.regression(x, left, depth=depth, order=order)
        leaf = grown.leaf(x)
        bent = np.bincount(leaf, loss.curvature(y, score), len(grown.column))
        step = np.bincount(leaf, left, len(grown.column)) / np.where(bent > 0, bent, 1)  # nodes within: 0
        score = score + rate * step[leaf]
        trees.append(grown)
        steps.append(step)
    return Boosted(start, rate, tuple(trees), tuple(steps))
