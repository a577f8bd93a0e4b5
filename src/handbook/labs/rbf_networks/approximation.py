"""Function approximation (chapter 7's introduction, 7.1.1): how many centres, and how wide.

In one dimension a sum of two sines, in two Franke's function (1979), the usual test of how to join scattered points.
Rows are drawn at random without noise; errors are root mean squares on a grid, as shares of the function's deviation,
over several draws.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from handbook.labs.rbf_networks.network import (
    BOOK,
    Array,
    activations,
    interpolated,
    kmeans,
    least_squares,
    printed_width,
    spacing,
    with_bias,
)

DRAWS, ROWS = 5, 400
CENTRES = (4, 6, 9, 16, 25, 36, 64, 100)
TIMES = tuple(float(each) for each in np.geomspace(0.2, 10, 13))  # of the spacing of the centres
TINY = 1e-12  # penalty on the weights: what rounding asks for, and no smoothing
POINTS = 15  # of the line with a centre on each


def wave(x: Array) -> Array:
    """Of x (N, 1) in 0-1: a slow sine and a fast one, (N,)."""
    return np.asarray(np.sin(2 * np.pi * x[:, 0]) + 0.4 * np.sin(8 * np.pi * x[:, 0]))


def franke(x: Array) -> Array:
    """Franke's function of points (N, 2) in 0-1: two hills, a valley and a rise, (N,)."""
    u, v = 9 * x.T
    return np.asarray(
        0.75 * np.exp(-((u - 2) ** 2) / 4 - (v - 2) ** 2 / 4)
        + 0.75 * np.exp(-((u + 1) ** 2) / 49 - (v + 1) / 10)
        + 0.5 * np.exp(-((u - 7) ** 2) / 4 - (v - 3) ** 2 / 4)
        - 0.2 * np.exp(-((u - 4) ** 2) - (v - 7) ** 2)
    )


def cliff(x: Array) -> Array:
    """Franke's cliff of points (N, 2) in 0-1: two plains and a slope between them, aslant, (N,)."""
    return np.asarray((np.tanh(9 * (x[:, 1] - x[:, 0])) + 1) / 9)


def grid(dimensions: int) -> Array:
    """Points to judge by, evenly in 0-1: 401 of a line, 41 x 41 of a square."""
    if dimensions == 1:
        return np.linspace(0, 1, 401)[:, None]
    side = np.linspace(0, 1, 41)
    return np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)


FUNCTIONS: dict[str, tuple[int, Callable[[Array], Array]]] = {"line": (1, wave), "plane": (2, franke)}


def relative(found: Array, true: Array) -> float:
    """Root mean square error as a share of the deviation of what is true."""
    return float(np.sqrt(((found - true) ** 2).mean()) / true.std())


class Errors(NamedTuple):
    """Errors by draw: for each divisor of the book and number of centres; for each width at 25 centres."""

    printed: dict[str, Array]  # (draws, CENTRES)
    widths: Array  # (draws, TIMES)
    rule: dict[str, Array]  # (draws, CENTRES): what each divisor's width is of the spacing


@cache
def errors(name: str) -> Errors:
    """A network with centres by k-means and weights by least squares, on each draw of the rows."""
    dimensions, function = FUNCTIONS[name]
    at = grid(dimensions)
    true = function(at)
    printed = {each: np.empty((DRAWS, len(CENTRES))) for each in BOOK}
    rule, widths = {each: np.empty((DRAWS, len(CENTRES))) for each in BOOK}, np.empty((DRAWS, len(TIMES)))
    for draw in range(DRAWS):
        rng = np.random.default_rng([7, draw])
        x = rng.random((ROWS, dimensions))
        t = function(x)

        def error(centres: Array, width: float, x: Array = x, t: Array = t) -> float:
            weights = least_squares(activations(x, centres, width), t, TINY)
            return relative(with_bias(activations(at, centres, width)) @ weights, true)

        for k, number in enumerate(CENTRES):
            centres = kmeans(x, number, rng)
            for each, factor in BOOK.items():
                width = factor * printed_width(centres)
                printed[each][draw, k] = error(centres, width)
                rule[each][draw, k] = width / spacing(centres)
            if number == 25:
                widths[draw] = [error(centres, times * spacing(centres)) for times in TIMES]
    return Errors(printed, widths, rule)


class Joined(NamedTuple):
    """A line through points with a centre on each: its width, what it gives on the grid, how it was solved."""

    width: float
    line: Array  # on grid(1)
    error: float
    missed: float  # greatest error on the points themselves: what rounding leaves of passing through them


def points() -> Array:
    """Where the line is known, (15, 1), evenly."""
    return np.linspace(0, 1, POINTS)[:, None]


@cache
def joined() -> dict[str, Joined]:
    """Through all points: too narrow, as the book's rule has it (divided by 2 sigma^2), and wide."""
    x, at = points(), grid(1)
    found = {}
    for name, width in (
        ("a quarter of the spacing", 0.25 * spacing(x)),
        ("d / √(2M)", printed_width(x)),
        ("ten spacings", 10 * spacing(x)),
    ):
        weights = interpolated(x, wave(x), width)
        line = activations(at, x, width) @ weights
        missed = float(np.abs(activations(x, x, width) @ weights - wave(x)).max())
        found[name] = Joined(width, line, relative(line, wave(at)), missed)
    return found
