"""Bias and variance, measured (sections 2.12 and 2.17.1; Geman, Bienenstock and Doursat 1992; Breiman 1996).

The book speaks of them; here the truth is known, f(x) = sin 2πx + x with noise of deviation 0.5, so both are numbers.
Many training sets are drawn, a model is fitted to each, and at every x of a grid

    error of a prediction     =  noise²  +  (mean prediction − f)²  +  variance of the predictions
                                  0.25        bias²                      over training sets

The mean of M predictions is itself off by variance/M, which is taken off the bias². Bagging averages models of
bootstrap samples. B models of variance v whose errors are correlated by ρ have together the variance
ρv + (1 − ρ)v/B: it falls to ρv and no further, and the bias stays.

The trees here are scikit-learn's, two thousand of them: ours are the same, and twenty times as slow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from handbook.labs.classics.neighbours import Neighbours
from handbook.labs.classics.tree import Array

NOISE = 0.5
SETS, ROWS, GRID = 80, 80, 101  # training sets, rows of each, places to predict at
DEPTHS, NEIGHBOURS, BAGGED = (1, 2, 3, 4, 5, 6, 8, 10), (1, 2, 3, 5, 8, 12, 20, 40), (1, 2, 4, 8, 16)
DEEP = 10  # of the trees that are bagged
Predict = Callable[[Array, Array, Array, np.random.Generator], Array]  # x (n,), y (n,), grid (g,), rng -> (g,)


def truth(x: Array) -> Array:
    """What would be predicted if it were known."""
    return np.sin(2 * np.pi * x) + x


@dataclass(frozen=True)
class Parts:
    """Bias² and variance, means over the grid, each with its 95 % interval over the training sets."""

    bias: float
    variance: float
    bias_interval: tuple[float, float]
    variance_interval: tuple[float, float]

    @property
    def error(self) -> float:
        """Of a prediction of a new row: with the noise that nobody can predict."""
        return NOISE**2 + self.bias + self.variance


def split(predictions: Array, f: Array) -> tuple[float, float]:
    """Bias² and variance of predictions (M, g) of f (g,); the first without the part that M sets leave by chance."""
    variance = predictions.var(axis=0, ddof=1)
    bias = (predictions.mean(axis=0) - f) ** 2 - variance / len(predictions)
    return float(bias.mean()), float(variance.mean())


def decomposed(predictions: Array, f: Array, resamples: int = 200) -> Parts:
    """The parts with their intervals: training sets drawn again from those that there are."""
    rng = np.random.default_rng(0)
    drawn = np.array(
        [split(predictions[rng.integers(0, len(predictions), len(predictions))], f) for _ in range(resamples)]
    )
    bias, variance = split(predictions, f)
    # drawn again, the mean is off once more by variance/M, and of the variance a set drawn twice hides 1/M
    drawn += np.array([-variance, variance]) / len(predictions)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return Parts(bias, variance, (float(low[0]), float(high[0])), (float(low[1]), float(high[1])))


def drawn_predictions(predict: Predict, sets: int = SETS, rows: int = ROWS, seed: int = 0) -> Array:
    """The same training sets for every model: its predictions on the grid (sets, GRID)."""
    from sklearn import config_context

    rng, grid, found = np.random.default_rng(seed), np.linspace(0, 1, GRID), []
    # thousands of small fits, of settings and rows that are made here: none of them has to be checked
    with config_context(assume_finite=True, skip_parameter_validation=True):
        for number in range(sets):
            x = rng.random(rows)
            y = truth(x) + NOISE * rng.standard_normal(rows)
            found.append(predict(x, y, grid, np.random.default_rng([seed, number])))
    return np.array(found)


def tree(depth: int) -> Predict:
    """A regression tree of that depth."""

    def predict(x: Array, y: Array, grid: Array, rng: np.random.Generator) -> Array:
        from sklearn.tree import DecisionTreeRegressor

        grown = DecisionTreeRegressor(max_depth=depth, random_state=0).fit(x[:, None], y)
        return np.asarray(grown.predict(grid[:, None]))

    return predict


def nearest(k: int) -> Predict:
    """The mean of the k nearest rows."""
    return lambda x, y, grid, rng: Neighbours(x[:, None], k).values(grid[:, None], y)


def grown(models: int, depth: int = DEEP) -> Predict:
    """Each of so many trees (models, g), of a bootstrap sample of the training set."""
    one = tree(depth)

    def predict(x: Array, y: Array, grid: Array, rng: np.random.Generator) -> Array:
        draws = rng.integers(0, len(x), (models, len(x)))
        return np.array([one(x[rows], y[rows], grid, rng) for rows in draws])

    return predict


@cache
def bagged() -> dict[int, Array]:
    """The mean of the first 1, 2, 4 … of the same trees (SETS, g), by their number."""
    trees = drawn_predictions(grown(max(BAGGED)))  # (SETS, models, g)
    return {models: trees[:, :models].mean(axis=1) for models in BAGGED}


@cache
def swept() -> dict[str, dict[int, Parts]]:
    """Depth, neighbours and number of bagged trees, each from one end to the other; worked out once."""
    f = truth(np.linspace(0, 1, GRID))
    return {
        "depth": {depth: decomposed(drawn_predictions(tree(depth)), f) for depth in DEPTHS},
        "neighbours": {k: decomposed(drawn_predictions(nearest(k)), f) for k in NEIGHBOURS},
        "bagged": {models: decomposed(found, f) for models, found in bagged().items()},
    }


@cache
def correlated(pairs: int = 2 * SETS) -> tuple[float, float]:
    """ρ and v of the law above: of two trees of bootstrap samples of the same training set, over many sets."""
    found = drawn_predictions(grown(2), pairs, seed=1)  # (pairs, 2, GRID)
    off = found - found.mean(axis=(0, 1))
    v, together = float((off**2).mean()), float((off[:, 0] * off[:, 1]).mean())
    return together / v, v * pairs / (pairs - 1)
