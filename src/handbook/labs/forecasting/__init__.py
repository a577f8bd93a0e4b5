"""Forecasting with recurrent networks, and an LSTM gate by gate (sections 5.2 to 5.5).

The book praises the LSTM for series such as prices, [100, 110, 108, 120, 115], and names no sixth. Here small networks
learn those five; months with a trend and a season; and prices that walk at random; beside what costs nothing: the last
value, that of a year before, a line, linear autoregression, exponential smoothing.

    series.py     the book's prices; series made here
    classics.py   the forecasts without a network, and the scale of errors
    cells.py      LSTM and GRU by the equations of section 5.5, many networks at once
    networks.py   how series are handed in; training, forecasts, gates
    contest.py    who errs less, with intervals
    drawings.py   figures
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from handbook.evaluation.metrics import mean_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.labs.forecasting.contest import Contest


def figures() -> dict[str, Figure]:
    """Every picture of the lab, each with its finding as title."""
    from handbook.labs.forecasting import drawings

    return {
        "1_the_books_prices": drawings.prices(),
        "2_a_year_ahead": drawings.year_ahead(),
        "3_months_with_a_season": drawings.seasonal(),
        "4_prices_at_random": drawings.walks(),
        "5_gate_by_gate": drawings.gates(),
    }


def checks() -> dict[str, float | bool]:
    """What was measured; scaled errors (MASE), intervals of 95 % over series."""
    from handbook.labs.forecasting import contest

    return {
        **_book(),
        **_errors("months", contest.seasonal(), "exponential smoothing"),
        **_errors("prices", contest.prices(), "last value"),
    }


def _short(value: float) -> float:
    """To four digits: no rounding of the last bits."""
    return float(f"{value:.4g}")


def _book() -> dict[str, float | bool]:
    from handbook.labs.forecasting import contest

    found = contest.book()
    facts: dict[str, float | bool] = {
        f"after the book's five prices: {name}": _short(value) for name, value in found.rules.items()
    }
    for name, values in found.networks.items():
        for word, value in (("least", values.min()), ("median", np.median(values)), ("most", values.max())):
            facts[f"after the book's five prices: {name}, {word}"] = _short(float(value))
        facts[f"the book's five prices: {name}, error in training"] = _short(found.left[name])
    return facts


def _errors(what: str, found: Contest, rival: str) -> dict[str, float | bool]:
    facts: dict[str, float | bool] = {}
    for ahead, errors in (("month", found.month), ("year", found.year)):
        for name, each in errors.items():
            mean, low, high = mean_interval(each)
            label = f"{what}, a {ahead} ahead: MASE of {name}"
            facts |= {label: _short(mean), f"{label}, low": _short(low), f"{label}, high": _short(high)}
        for name in found.trained:
            mean, low, high = np.exp(mean_interval(found.ratio(name, rival, ahead)))
            label = f"{what}, a {ahead} ahead: error of {name} by that of {rival}"
            facts |= {label: _short(mean), f"{label}, low": _short(low), f"{label}, high": _short(high)}
    return facts
