"""Who forecasts better: recurrent networks or the classics, a month ahead and a year ahead, on series made here.

Each method learns from a series up to its last two years, and its settings stay as they are. A month ahead is forecast
at each of the last 24 months, a year ahead from 13 of them; errors are scaled (MASE), 1 being as good as the naive
forecast in the part to learn from. A network's error is the mean of several, with seeds of their own; intervals are
over series.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from handbook.labs.forecasting import classics, networks, series
from handbook.labs.forecasting.series import TEST, YEAR, Array

SEEDS = 2  # networks for each series
LAGS = {0: "values", 1: "changes", YEAR: "changes over a year"}


class Contest(NamedTuple):
    """Scaled errors (SERIES,) by method, a month ahead and a year; and one series with its forecasts a year ahead."""

    month: dict[str, Array]
    year: dict[str, Array]
    values: Array  # (T,)
    shown: dict[str, Array]  # (YEAR,)
    trained: dict[str, networks.Trained]

    def ratio(self, method: str, other: str, ahead: str = "month") -> Array:
        """Errors of a method by another's, series by series, as logarithms (SERIES,)."""
        errors = self.month if ahead == "month" else self.year
        return np.log(errors[method] / errors[other])


@cache
def seasonal() -> Contest:
    """Months with a trend and a season."""
    methods = {
        "last value": classics.naive,
        "same month last year": classics.seasonal_naive,
        "linear in 13 values": classics.autoregression(YEAR + 1),
        "exponential smoothing": classics.exponential_smoothing(YEAR),
    }
    return held(series.months(np.random.default_rng(5)), methods, (0, YEAR), YEAR)


@cache
def prices() -> Contest:
    """Prices that walk at random."""
    methods = {
        "last value": classics.naive,
        "drift": classics.drift,
        "linear in 3 values": classics.autoregression(3),
        "exponential smoothing": classics.exponential_smoothing(1),
    }
    return held(series.walks(np.random.default_rng(6)), methods, (0, 1), 1)


def held(
    values: Array,
    methods: dict[str, classics.Method],
    lags: tuple[int, ...],
    season: int,
    updates: int = networks.UPDATES,
) -> Contest:
    """All methods, and both cells in each way of being handed the series (S, T)."""
    past = values[:, :-TEST]
    scales = np.array([classics.scale(each, season) for each in past])
    found = Contest({}, {}, values[0], {}, {})
    for name, method in methods.items():
        rules = [method(each) for each in past]
        _judge(found, name, scales, values, *(_by_rules(rules, values, ahead) for ahead in (1, YEAR)))
    tiled = np.repeat(values, SEEDS, axis=0)  # a series beside itself, once for each of its networks
    for cell in ("LSTM", "GRU"):
        for lag in lags:
            trained = networks.train(cell, tiled[:, :-TEST], lag, seed=lag, updates=updates)
            month, year = (networks.forecast(trained, _histories(tiled, ahead), ahead) for ahead in (1, YEAR))
            _judge(found, f"{cell} on {LAGS[lag]}", scales, values, month, year)
            found.trained[f"{cell} on {LAGS[lag]}"] = trained
    return found


def origins(ahead: int) -> range:
    """How many values are held back at each place that is forecast from, the earliest first."""
    return range(TEST, ahead - 1, -1)


def _by_rules(rules: list[classics.Rule], values: Array, ahead: int) -> Array:
    """(S, O, ahead)."""
    return np.array(
        [[rule(each[: len(each) - held_back], ahead) for held_back in origins(ahead)]
         for rule, each in zip(rules, values, strict=True)]
    )  # fmt: skip


def _histories(values: Array, ahead: int) -> Array:
    """The values before each place, as many for all, (S, O, T)."""
    length = values.shape[1] - TEST
    return np.stack([values[:, values.shape[1] - back - length :][:, :length] for back in origins(ahead)], axis=1)


def _judge(found: Contest, name: str, scales: Array, values: Array, month: Array, year: Array) -> None:  # noqa: PLR0917
    """Write down a method's errors, from its forecasts (S or S SEEDS, O, ahead)."""
    for into, named, ahead in ((found.month, month, 1), (found.year, year, YEAR)):
        total = values.shape[1]
        true = np.stack([values[:, total - back :][:, :ahead] for back in origins(ahead)], axis=1)
        each = np.abs(named.reshape(len(values), -1, *true.shape[1:]) - true[:, None]).mean(axis=(1, 2, 3))
        into[name] = each / scales
    found.shown[name] = year[0, 0]


class Book(NamedTuple):
    """The next price after the book's five: by rule, by networks (SEEDS_OF_PRICES,), and what those still err by."""

    rules: dict[str, float]
    networks: dict[str, Array]
    left: dict[str, float]  # root mean square in training, in units of the price


SEEDS_OF_PRICES, UPDATES_ON_PRICES = 40, 200


@cache
def book() -> Book:
    """What each method makes of [100, 110, 108, 120, 115]; all that networks can learn from are four pairs or three."""
    prices = series.PRICES
    t = np.arange(len(prices))
    slope, start = np.polyfit(t, prices, 1)
    rules = {
        "last value": float(classics.naive(prices)(prices, 1)[0]),
        "drift": float(classics.drift(prices)(prices, 1)[0]),
        "mean": float(prices.mean()),
        "line by least squares": float(start + slope * len(prices)),
    }
    tiled, ends, left = np.repeat(prices[None], SEEDS_OF_PRICES, axis=0), {}, {}
    for cell in ("LSTM", "GRU"):
        for lag in (0, 1):
            trained = networks.train(cell, tiled, lag, seed=5 + lag, updates=UPDATES_ON_PRICES)
            name = f"{cell} on {LAGS[lag]}"
            ends[name] = networks.forecast(trained, tiled[:, None], 1)[:, 0, 0]
            left[name] = float(np.sqrt(trained.losses[-1]).mean() * trained.handed.spread[0, 0])
    return Book(rules, ends, left)
