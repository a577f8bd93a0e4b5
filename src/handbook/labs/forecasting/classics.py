"""Forecasts without a network: the last value, that of a year before, drift, autoregression, exponential smoothing.

A method learns from the part of a series (T,) that is there to learn from, and gives a rule: what comes next, so many
values, after any history that begins with that part. All are as in Hyndman and Athanasopoulos, "Forecasting: Principles
and Practice" (3rd edition, 2021), chapters 5, 8 and 9.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from handbook.labs.forecasting.series import YEAR, Array

Rule = Callable[[Array, int], Array]  # a history (t,), how many (h,)
Method = Callable[[Array], Rule]


def naive(_: Array) -> Rule:
    """The last value again and again."""
    return lambda history, steps: np.full(steps, history[-1])


def drift(_: Array) -> Rule:
    """The line from the first value through the last."""
    return lambda history, steps: (
        history[-1] + np.arange(1, steps + 1) * (history[-1] - history[0]) / (len(history) - 1)
    )


def seasonal_naive(_: Array) -> Rule:
    """The value of the same month a year before."""
    return lambda history, steps: np.resize(history[-YEAR:], steps)


def autoregression(lags: int) -> Method:
    """Linear in the last values and the month's number, by least squares; further ahead it reads its own forecasts."""

    def learn(past: Array) -> Rule:
        place = np.arange(lags, len(past))
        rows = np.column_stack([past[place[:, None] - np.arange(1, lags + 1)], place, np.ones(len(place))])
        weights = np.linalg.lstsq(rows, past[lags:], rcond=None)[0]

        def rule(history: Array, steps: int) -> Array:
            known = list(history)
            for _ in range(steps):
                latest = known[: -lags - 1 : -1]
                known.append(float(np.dot([*latest, len(known), 1.0], weights)))
            return np.array(known[len(history) :])

        return rule

    return learn


def exponential_smoothing(season: int) -> Method:
    """Level, trend and season that follow the errors (Holt 1957, Winters 1960), additive; 1 for no season.

    The three rates are those of least squared errors a step ahead in the part to learn from.
    """

    def learn(past: Array) -> Rule:
        from scipy.optimize import minimize

        def cost(rates: Array) -> float:
            return float((smoothed(past, rates, season)[0] ** 2).mean())

        best = minimize(cost, [0.3, 0.02, 0.1], method="L-BFGS-B", bounds=[(0.001, 0.999)] * 3, options={"maxiter": 15})

        def rule(history: Array, steps: int) -> Array:
            _, level, trend, seasons = smoothed(history, best.x, season)
            ahead = np.arange(1, steps + 1)
            return np.asarray(level + trend * ahead + np.resize(seasons, steps))

        return rule

    return learn


def smoothed(values: Array, rates: Array, season: int) -> tuple[Array, float, float, Array]:
    """Errors a step ahead of values (T,), from the second year on; then level, trend, and the coming year's season.

    In its form of errors: level += trend + alpha e, trend += alpha beta e, season += gamma e.
    """
    alpha, beta, gamma = (float(rate) for rate in rates)
    first, second = values[:season].mean(), values[season : 2 * season].mean()
    trend = float(second - first) / season
    level = float(first) + trend * (season - 1) / 2  # at the end of the first year
    line = float(first) + trend * (np.arange(season) - (season - 1) / 2)
    seasons = [float(each) for each in values[:season] - line] if season > 1 else [0.0]
    errors = np.empty(len(values) - season)
    for t, value in enumerate(values[season:].tolist()):
        place = t % season
        e = value - level - trend - seasons[place]
        errors[t] = e
        level += trend + alpha * e
        trend += alpha * beta * e
        if season > 1:
            seasons[place] += gamma * e
    place = len(errors) % season
    return errors, level, trend, np.array(seasons[place:] + seasons[:place])


def scale(past: Array, season: int) -> float:
    """What errors are divided by: the mean error of the value a season before, in the part to learn from.

    So that 1 is as good as that (the mean absolute scaled error, MASE; Hyndman and Koehler 2006).
    """
    return float(np.abs(past[season:] - past[:-season]).mean())
