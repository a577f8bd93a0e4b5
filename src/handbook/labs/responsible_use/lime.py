"""LIME: a weighted linear model of what a model does near one row (Ribeiro, Singh and Guestrin 2016).

    rows are drawn around x, z is what they differ in, pi their nearness:   min over w, b of
    sum pi(z) (f(z) - b - w'z)^2 + ridge |w|^2,   pi(z) = exp(-|z|^2 / (2 width^2))

A number is moved by a normal draw, and z is that in units of the attribute's deviation; a word is now and then another,
drawn from the training rows, and z is 1 where it is. Coefficients are then what a deviation more, or another word,
does to the answer; `effects` holds the row against the mean of training, as Shapley values do. Written here in place
of the package `lime`, which has had no release since 2020.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
DRAWS, REACH, RIDGE = 1000, 1.0, 1e-3  # rows around one; deviations by which a number is moved; small: it only steadies
SWAP = 0.5  # of the words that are drawn again


@dataclass(frozen=True)
class Surroundings:
    """What rows are drawn around one: training rows (N, A), and which of the A columns are words."""

    rows: Floats
    words: npt.NDArray[np.bool_]

    @property
    def deviation(self) -> Floats:
        """Of the numbers (A,); 1 for words, and for a number that is always the same."""
        spread = self.rows.std(axis=0)
        return np.where(self.words | (spread == 0), 1.0, spread)

    def around(self, row: Floats, rng: np.random.Generator, draws: int = DRAWS) -> Floats:
        """Rows (draws, A) around one (A,)."""
        moved = row + REACH * self.deviation * rng.standard_normal((draws, len(row)))
        # each column of its own row, so that words are independent of each other
        other = np.take_along_axis(self.rows, rng.integers(0, len(self.rows), moved.shape), axis=0)
        swapped = rng.random(moved.shape) < SWAP
        return np.where(self.words, np.where(swapped, other, row), moved)

    def apart(self, rows: Floats, row: Floats) -> Floats:
        """What rows (N, A) differ from one in: deviations of numbers, 1 for another word."""
        return np.where(self.words, rows != row, (rows - row) / self.deviation).astype(np.float64)


@dataclass(frozen=True)
class Local:
    """The linear model near a row."""

    coefficients: Floats  # (A,): what a deviation more, or another word, adds
    intercept: float  # its answer to the row itself
    effects: Floats  # (A,): what each attribute adds, against the mean of the training rows
    r2: float  # weighted share of the answers' variance, near the row, that it explains


def explain(
    answer: Callable[[Floats], Floats], row: Floats, near: Surroundings, rng: np.random.Generator, draws: int = DRAWS
) -> Local:
    """The linear model of `answer` (rows (N, A) -> (N,)) near a row (A,)."""
    rows = near.around(row, rng, draws)
    z, f = near.apart(rows, row), answer(rows)
    width = 0.75 * np.sqrt(z.shape[1])  # as the authors' programme has it
    pi = np.exp(-(z**2).sum(axis=1) / (2 * width**2))
    design = np.column_stack([np.ones(len(z)), z])
    penalty = RIDGE * np.eye(design.shape[1])
    penalty[0, 0] = 0.0  # a level is no effect
    normal = design.T * pi
    solved = np.linalg.solve(normal @ design + penalty, normal @ f)
    left, spread = f - design @ solved, f - np.average(f, weights=pi)
    r2 = 1 - float((pi * left**2).sum() / max((pi * spread**2).sum(), 1e-12))
    effects = -solved[1:] * near.apart(near.rows, row).mean(axis=0)
    return Local(solved[1:], float(solved[0]), effects, r2)
