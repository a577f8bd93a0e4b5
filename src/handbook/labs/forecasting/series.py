"""What is forecast: the book's five prices, months with a trend and a season, prices that walk at random.

A price that could be forecast from its past would be traded until it could not (Fama 1970); a random walk is the plain
model of that, and for it no forecast is better than the last price.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
PRICES = np.array([100.0, 110.0, 108.0, 120.0, 115.0])  # of section 5.4
YEAR, YEARS, TEST = 12, 16, 24  # months of a year; years of a series; months at its end that are forecast
SERIES = 12


def months(rng: np.random.Generator, series: int = SERIES, years: int = YEARS) -> Array:
    """Series (series, months): a trend, a season of two waves, and noise of which half is left a month later.

    Each has a trend, a season and noise of its own.
    """
    t = np.arange(years * YEAR)
    waves = np.stack([part(2 * np.pi * k * t / YEAR) for k in (1, 2) for part in (np.sin, np.cos)])  # (4, months)
    season = rng.normal(0, [7.0, 7.0, 3.0, 3.0], (series, 4)) @ waves
    noise = rng.normal(0, 3.0, (series, len(t)))
    for month in range(1, len(t)):
        noise[:, month] += 0.5 * noise[:, month - 1]
    return np.asarray(100 + rng.uniform(0.1, 0.5, (series, 1)) * t + season + noise)


def walks(rng: np.random.Generator, series: int = SERIES, years: int = YEARS) -> Array:
    """Prices (series, months) that go up or down by chance, a little more up than down."""
    return np.asarray(100 + np.cumsum(rng.normal(0.2, 3.0, (series, years * YEAR)), axis=1))
