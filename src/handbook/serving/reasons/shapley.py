"""What each attribute of a row adds to a number, by Shapley values (Shapley 1953; Strumbelj and Kononenko 2014).

A background row becomes the row in question, one attribute after the other, in some order; what an attribute adds is
what the number changes by when its turn comes, averaged over orders and background rows. So all of them together are
the number for the row less its mean over the background, to rounding, whichever orders were drawn.

Each order is walked backwards too (antithetic sampling): what two attributes do together is then split evenly between
them, and a model of pairs is explained exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]
ORDERS = 1  # drawn for each background row, besides their reverses


def orders(attributes: int, number: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """The place (2 * number, attributes) at which each attribute has its turn: drawn orders, then their reverses."""
    drawn = rng.permuted(np.tile(np.arange(attributes), (number, 1)), axis=1)
    return np.concatenate([drawn, attributes - 1 - drawn])


def shapley(
    number: Callable[[pd.DataFrame], Any], row: pd.DataFrame, background: pd.DataFrame, seed: int = 0
) -> tuple[Array, float]:
    """What each attribute of one row adds (attributes,), and the mean over the background that it is added to.

    `number` gives a number (N,) for each of N rows with the columns of `background`.
    """
    import pandas as pd

    M, B = background.shape[1], len(background)
    place = orders(M, B * ORDERS, np.random.default_rng(seed))  # (W, M)
    start = np.tile(np.arange(B), len(place) // B)  # (W,): every background row is walked from equally often
    turned = place[:, None] < np.arange(M + 1)[:, None]  # (W, M + 1, M): whose turn has come after so many steps
    both = pd.concat([background, row[background.columns]], ignore_index=True)
    taken = np.where(turned, B, start[:, None, None]).reshape(-1, M)  # of which row each cell of each step is
    steps = pd.DataFrame({name: both[name].array.take(taken[:, k]) for k, name in enumerate(background)})
    found = np.asarray(number(steps), dtype=np.float64).reshape(len(place), M + 1)
    added = np.take_along_axis(np.diff(found, axis=1), place, axis=1)  # (W, M), by attribute
    return added.mean(axis=0), float(found[:, 0].mean())
