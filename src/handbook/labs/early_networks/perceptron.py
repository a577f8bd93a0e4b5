"""The perceptron (Rosenblatt 1958; section 1.2.1): one neuron that learns from its mistakes.

    y = sign(w · x),   and for every row that it gets wrong   w += y x

If some unit vector u parts the rows with a margin, y (u · x) ≥ γ for all, and no row is longer than R, then it makes at
most (R / γ)² mistakes, in whatever order the rows come and however many they are (Novikoff 1962). The u with the widest
margin, and so the best bound, is the support vector machine's. Rows that no line parts are another matter (Minsky and
Papert 1969): on XOR the weights, whole numbers that cannot grow without end, come back to what they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from handbook.labs.early_networks.digits import Digits

Array = npt.NDArray[Any]
ROWS, PASSES = 150, 2000  # of each digit; passes after which a pair counts as not parted
PAIRS = 10 * 9 // 2  # of two digits
XOR = np.array([[1, 0, 0], [1, 0, 1], [1, 1, 0], [1, 1, 1]]), np.array([-1, 1, 1, -1])  # a constant, then the inputs


@dataclass(frozen=True)
class Learnt:
    """The weights (D,), how many mistakes were made, and in which pass none was; `passes` is None if there was none."""

    weights: Array
    mistakes: int
    passes: int | None


@dataclass(frozen=True)
class Pair:
    """Two digits: how many mistakes the perceptron made until it made none, and how many it may make."""

    name: str
    mistakes: int
    bound: float


def learn(x: Array, y: Array, passes: int = PASSES) -> Learnt:
    """The rule over rows (N, D) with labels ±1 (N,), in their order, until a pass has no mistake.

    Between two mistakes the weights stand still, so that the next one is found among all rows at once.
    """
    w, mistakes = np.zeros(x.shape[1]), 0
    signed = x * y[:, None]
    for done in range(1, passes + 1):
        place, before = 0, mistakes
        while place < len(x):
            wrong = np.flatnonzero(signed[place:] @ w <= 0)
            if not len(wrong):
                break
            place += int(wrong[0]) + 1
            w, mistakes = w + signed[place - 1], mistakes + 1
        if mistakes == before:
            return Learnt(w, mistakes, done)
    return Learnt(w, mistakes, None)


def bound(x: Array, y: Array) -> float:
    """(R / γ)² with the widest margin that rows (N, D) can be parted with through the origin."""
    w = widest(x, y)
    margin = (x @ w * y).min() / np.linalg.norm(w)
    return float((np.linalg.norm(x, axis=1).max() / margin) ** 2)


def widest(x: Array, y: Array) -> Array:
    """The direction (D,) with the widest margin, from the support vector machine's dual without a constant.

    min ½ ‖Σ a y x‖² − Σ a over a ≥ 0, as least squares that may not be negative (Lawson and Hanson 1974): with rows
    y x and a one behind each, the a nearest to (0, 1) are the dual's, but for their size.
    """
    from scipy.optimize import nnls

    signed = x * y[:, None]
    size = np.linalg.norm(signed, axis=1).max()
    rows = np.vstack([signed.T / size, np.ones(len(x))])
    a, _ = nnls(rows, np.append(np.zeros(x.shape[1]), 1.0), maxiter=30 * len(x))
    return np.asarray(a @ signed)


@cache
def pairs(digits: Digits) -> list[Pair]:
    """Every two digits that a plane parts in this many rows of each."""
    pictures, labels = digits.arrays()[:2]
    found = []
    for one, other in combinations(range(10), 2):
        rows = np.concatenate([np.flatnonzero(labels == digit)[:ROWS] for digit in (one, other)])
        rows = np.sort(rows)  # as they come, the two digits mixed
        x = np.hstack([np.ones((len(rows), 1)), pictures[rows]])
        y = np.where(labels[rows] == one, 1, -1)
        learnt = learn(x, y)
        if learnt.passes is not None:
            found.append(Pair(f"{one} and {other}", learnt.mistakes, bound(x, y)))
    return found


def cycle(x: Array, y: Array, passes: int = PASSES) -> tuple[int, int]:
    """After which pass the weights of a pass's end come for the first time again, and how many passes a round has.

    From the same weights the rule does the same again: it never ends. (-1, 0) if none came again.
    """
    w = np.zeros(x.shape[1])
    known: dict[tuple[float, ...], int] = {}
    for done in range(passes + 1):
        if tuple(w) in known:
            return known[tuple(w)], done - known[tuple(w)]
        known[tuple(w)] = done
        for row, label in zip(x, y, strict=True):
            w = w + label * row if label * (row @ w) <= 0 else w
    return -1, 0


def with_product(x: Array) -> Array:
    """XOR's rows (4, 3) with the product of the two inputs behind them, (4, 4): now a plane parts them."""
    return np.hstack([x, x[:, 1:2] * x[:, 2:3]])
