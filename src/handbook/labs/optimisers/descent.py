"""Batch, stochastic and mini-batch descent (section 3.6): how many rows a gradient is taken over.

The book's example: y = 3 x1 + 2 x2 + noise, 100 rows, rate 0.01, batches of 10. The loss is the mean squared error, its
gradient 2/B X'(X w - y) over the B rows of a batch: all of them, one, or ten. A batch's gradient is right on average,
and its scatter falls as 1/B; so small batches take cheap steps that never come to rest. `descend` races the three step
by step, on half of the book's noise and without its column of ones.

The book prints the weights of its own three runs of 100 passes, and `printed` repeats them to the last digit: NumPy's
seed 0, noise of deviation 1, a column of ones; X'e/B as the gradient of batch and mini-batch, half of that of its loss,
and the whole one, 2 x e, for single rows in the order of the table. A pass is one step of batch descent, which takes 1
% off the error and has 36 % of the way left after 100; it is ten of mini-batch descent and a hundred of stochastic,
which end 0.03 % and 2.6 % from the best weights.

Where the book is wrong: its listings are mixed up, though the printed weights stand where they belong. That of batch
descent (3.6.1) is cut off and stands under mini-batch (3.6.3), that of mini-batch under stochastic (3.6.2), and that of
stochastic descent is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from handbook.labs.optimisers.rules import Descent, Rule, Vector
from handbook.labs.optimisers.schedules import Schedule

TRUTH = np.array([3.0, 2.0])
ROWS, ETA, STEPS = 100, 0.01, 100  # the book's; its hundred are passes over the rows, ours are steps
PRINTED = {  # weights that sections 3.6.1 to 3.6.3 print
    "batch": np.array([0.06893943, 2.00432774, 1.2328745]),
    "stochastic": np.array([0.02922543, 3.06187484, 1.94812191]),
    "mini-batch": np.array([-0.05168228, 3.11146125, 1.94541002]),
}
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
    """The example in our form: two standard normal columns, y = 3 x1 + 2 x2 + noise."""
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


def descend_each(data: Rows, steps: int, seeds: Iterable[int], plan: Schedule, eta: float) -> Iterator[Vector]:
    """Of each seed the path (steps + 1, d) that `descend` takes by single rows; all are walked side by side."""
    draws = [islice(batches(len(data.y), 1, np.random.default_rng(seed)), steps) for seed in seeds]
    order = np.stack([np.concatenate([*draw]) for draw in draws])  # (seeds, steps)
    rule, path = Descent(eta), [np.zeros((data.x.shape[1], len(order)))]
    for t, rows in enumerate(order.T):
        rule.eta = eta * plan(t)
        x = data.x[rows].T
        path.append(rule.step(path[-1], 2 * x * ((x * path[-1]).sum(axis=0) - data.y[rows])))
    return iter(np.moveaxis(np.stack(path), -1, 0))


def after(data: Rows, t: int, eta: float = ETA) -> Vector:
    """Where batch descent is after t steps from zero, in closed form: w* - (I - 2 eta X'X/n)^t w*."""
    curvature = 2 * data.x.T @ data.x / len(data.y)
    shrink = np.linalg.matrix_power(np.eye(len(curvature)) - eta * curvature, t)
    return np.asarray(data.best() - shrink @ data.best())


def printed_rows(rng: np.random.RandomState) -> Rows:
    """The book's table: a column of ones, two standard normal ones, noise of deviation 1, by NumPy's old generator."""
    x = rng.randn(ROWS, 2)
    return Rows(np.c_[np.ones(ROWS), x], x @ TRUTH + rng.randn(ROWS))


def printed(name: str) -> tuple[Rows, Vector]:
    """The book's run of that name: its table, and the weights after each update from zero, (updates + 1, 3)."""
    rng = np.random.RandomState(0)
    data = printed_rows(rng)
    path = [np.zeros(data.x.shape[1])]
    for _ in range(STEPS):
        for batch in _pass(name, rng):
            half = data.gradient(path[-1], batch) / 2
            path.append(path[-1] - ETA * (2 * half if name == "stochastic" else half))
    return data, np.stack(path)


def _pass(name: str, rng: np.random.RandomState) -> list[np.ndarray]:
    """The batches of a pass over the rows; mini-batches alone are drawn."""
    if name == "mini-batch":
        return np.array_split(rng.permutation(ROWS), ROWS // SIZES[name])
    return np.array_split(np.arange(ROWS), ROWS // SIZES[name])
