"""Time series (chapter 7's introduction): a chaotic one, a step ahead and left to itself.

Mackey and Glass (1977), dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x(t), the series on which RBF networks were
tried first (Moody and Darken 1989): x(t + 6) from x(t), x(t - 6), x(t - 12), x(t - 18). Beside the networks stand the
last value again, and linear autoregression on the same four values and on sixteen. Each of several series, with
beginnings of their own, is learnt from its first part and judged on its last.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from handbook.labs.rbf_networks.network import (
    Array,
    activations,
    interpolated,
    kmeans,
    least_squares,
    printed_width,
    with_bias,
)

SERIES, TRAIN, TEST = 8, 500, 500  # rows of each series, one a unit of time
DELAY, STEP, LAG = 17.0, 0.1, 6
FADED, STARTS, HORIZON = 200, 20, 60  # units of time that are left out; places to run on from, and steps to run
WIDTH, ALPHA = 1.0, 1e-8  # of a network with a centre on every row
TOLERANCE = 0.4  # of the series' deviation: beyond it a forecast has lost the series (Pathak et al. 2018)
FEW, MANY = 4, 16  # values that a rule looks at
Rule = Callable[[Array], Array]  # the last values (N, lags), newest first, to the next (N,)


def mackey_glass(series: int, length: int, rng: np.random.Generator) -> Array:
    """So many series (series, length), a value a unit of time; Runge and Kutta's steps of a tenth."""
    back, every = round(DELAY / STEP), round(1 / STEP)
    x = np.empty((back + length * every, series))
    x[: back + 1] = 1.2 + rng.uniform(-0.3, 0.3, series)  # a constant past
    for now in range(back, len(x) - 1):
        then, later = x[now - back], x[now - back + 1]
        middle = (then + later) / 2  # half a step on; the past is smooth, so a line between will do
        k1 = _change(x[now], then)
        k2 = _change(x[now] + STEP / 2 * k1, middle)
        k3 = _change(x[now] + STEP / 2 * k2, middle)
        k4 = _change(x[now] + STEP * k3, later)
        x[now + 1] = x[now] + STEP / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.ascontiguousarray(x[back::every][:length].T)


def _change(x: Array, then: Array) -> Array:
    return np.asarray(0.2 * then / (1 + then**10) - 0.1 * x)


def embedded(series: Array, lags: int) -> tuple[Array, Array]:
    """Rows (N, lags) of a series (T,), the newest value first, six units apart; and the value six units on (N,)."""
    first = LAG * (lags - 1)
    now = np.arange(first, len(series) - LAG)
    return series[now[:, None] - LAG * np.arange(lags)], series[now + LAG]


def rules(x: Array, t: Array, many: Array, many_t: Array, rng: np.random.Generator) -> dict[str, tuple[int, Rule]]:
    """What predicts the next value, with the number of values that it looks at, learnt from rows."""
    spread = x.std()
    unit = x / spread  # widths in deviations of the series
    exact = interpolated(unit, t - t.mean(), WIDTH, ALPHA)
    centres = kmeans(unit, 50, rng)
    wide = printed_width(centres)
    weights = least_squares(activations(unit, centres, wide), t, ALPHA)
    few_lines, many_lines = least_squares(x, t, 0.0), least_squares(many, many_t, 0.0)
    mean = float(t.mean())
    return {
        "RBF, every row a centre": (FEW, lambda r: activations(r / spread, unit, WIDTH) @ exact + mean),
        "RBF, 50 centres": (FEW, lambda r: with_bias(activations(r / spread, centres, wide)) @ weights),
        "linear, 16 values": (MANY, lambda r: with_bias(r) @ many_lines),
        "linear, 4 values": (FEW, lambda r: with_bias(r) @ few_lines),
        "the last value again": (FEW, lambda r: np.asarray(r[:, 0])),
    }


class Forecasts(NamedTuple):
    """By rule: errors a step ahead (SERIES,), steps that it keeps to the series (SERIES,), and one run of it."""

    ahead: dict[str, Array]  # root mean square by the deviation
    kept: dict[str, Array]  # mean over the starts, of HORIZON at most
    run: dict[str, Array]  # (HORIZON,) from the first start of the first series
    true: Array  # (HORIZON,)


@cache
def forecasts() -> Forecasts:
    """Learn each series' first part, forecast its last."""
    length = FADED + TRAIN + TEST + LAG * (2 * MANY + HORIZON)
    ahead: dict[str, list[float]] = {}
    kept: dict[str, list[float]] = {}
    run: dict[str, Array] = {}
    true = np.empty(0)
    for number, series in enumerate(mackey_glass(SERIES, length, np.random.default_rng(17))[:, FADED:]):
        past, future = series[: TRAIN + LAG * MANY], series[TRAIN + LAG * MANY :]
        learnt = rules(*embedded(past, FEW), *embedded(past, MANY), np.random.default_rng([17, number]))
        starts = LAG * MANY + np.linspace(0, TEST - LAG * MANY, STARTS).astype(int)
        ends = future[starts[:, None] + LAG * np.arange(1, HORIZON + 1)]
        for name, (lags, rule) in learnt.items():
            x, t = embedded(future[: TEST + LAG * MANY], lags)
            ahead.setdefault(name, []).append(float(np.sqrt(((rule(x) - t) ** 2).mean()) / series.std()))
            found = alone(rule, future[starts[:, None] - LAG * np.arange(lags)])
            lost = np.abs(found - ends) > TOLERANCE * series.std()
            kept.setdefault(name, []).append(float(np.where(lost.any(1), lost.argmax(1), HORIZON).mean()))
            if not number:
                run[name], true = found[0], ends[0]
    means, steps = ({name: np.array(each) for name, each in by.items()} for by in (ahead, kept))
    return Forecasts(means, steps, run, true)


def alone(rule: Rule, values: Array) -> Array:
    """What a rule makes of (N, lags), newest first, when it is given its own forecasts: (N, HORIZON)."""
    found = np.empty((len(values), HORIZON))
    for step in range(HORIZON):
        found[:, step] = rule(values)
        # a linear rule may run away; beyond twice the greatest value there is nothing to follow any more
        values = np.concatenate([np.clip(found[:, step : step + 1], -3, 3), values[:, :-1]], axis=1)
    return found
