"""Batch, stochastic and mini-batch descent (section 3.6): how many rows a gradient is taken over.

The book's example: y = 3 x1 + 2 x2 + noise, 100 rows, rate 0.01, 100 steps, batches of 10. The loss is the mean squared
error, its gradient 2/B X'(X w - y) over the B rows of a batch: all of them, one, or ten. A batch's gradient is right on
average, and its scatter falls as 1/B; so small batches take cheap steps that never come to rest.

Where the book is wrong: its listings of stochastic and mini-batch descent are swapped. And 100 steps at 0.01 do not
arrive: each takes 2 % off the error, so some 13 % of the way is left, whichever the variant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from handbook.labs.optimisers.rules import Descent, Rule, Vector
from handbook.labs.optimisers.schedules import Schedule

TRUTH = np.array([3.0, 2.0])
ROWS, ETA, STEPS = 100, 0.01, 100  # the book's
SIZES = {"batch": 100, "mini-batch": 10, "stochastic": 1}


@dataclass(frozen=True)
class Rows:
    """The table x (n, d) and what is to be explained, y (n,)."""

    x: Vector
    y: Vector

    def loss(self, w: Vector) -> float:
        """Mean squared error."""
        return float(np.mean((self.x @ w - self.y) ** 2))

    def gradient(self, w: Vector, rows: slice | np.ndarray = slice(None)) -> Vector:
        """Of the mean squared error over some rows, (d,)."""
        x, y = self.x[rows], self.y[rows]
        return np.asarray(2 / len(x) * x.T @ (x @ w - y))

    def best(self) -> Vector:
        """Where the gradient is zero, (d,): the normal equations."""
        return np.asarray(np.linalg.solve(self.x.T @ self.x, self.x.T @ self.y))


def rows(rng: np.random.Generator, n: int = ROWS, noise: float = 0.5) -> Rows:
    """The book's example: two standard normal columns, y = 3 x1 + 2 x2 + noise."""
    x = rng.standard_normal((n, 2))
    return Rows(x, x @ TRUTH + noise * rng.standard_normal(n))


def batches(n: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Numbers of rows, `size` at a time, for ever: every row once a pass, in a new order each."""
    if not 1 <= size <= n:
        raise ValueError(f"a batch must hold 1 to {n} rows, found {size}")
    while True:
        order = rng.permutation(n)
        yield from (order[i : i + size] for i in range(0, n, size))


def descend(
    data: Rows,
    size: int,
    steps: int,
    rng: np.random.Generator,
    *,
    rule: Rule | None = None,
    schedule: Schedule | None = None,
) -> Vector:
    """The path (steps + 1, d) from zero, a batch of `size` rows a step; the rule is the book's descent by default."""
    rule, path = rule or Descent(ETA), [np.zeros(data.x.shape[1])]
    for t, batch in zip(range(steps), batches(len(data.y), size, rng), strict=False):
        if schedule:
            rule.eta = schedule(t)
        path.append(rule.step(path[-1], data.gradient(path[-1], batch)))
    return np.stack(path)


def after(data: Rows, t: int, eta: float = ETA) -> Vector:
    """Where batch descent is after t steps from zero, in closed form: w* - (I - 2 eta X'X/n)^t w*."""
    curvature = 2 * data.x.T @ data.x / len(data.y)
    shrink = np.linalg.matrix_power(np.eye(len(curvature)) - eta * curvature, t)
    return np.asarray(data.best() - shrink @ data.best())
