"""A self-organising map by the batch rule (Kohonen 1982, 2013), on grids of four shapes, from NumPy.

    unit(x) = argmin_j |x - w_j|,   w_j = sum_x theta(j, unit(x)) x / sum_x theta(j, unit(x)),
    theta(j, k) = exp(-d(j, k)^2 / (2 sigma^2))

d is the distance of two units on the grid, and sigma is in the same units: steps from a unit to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
LAST = 1.0  # sigma at the end: below the distance of neighbours a map tears
EPOCHS = 20


@dataclass(frozen=True)
class Grid:
    """Units in rows and columns of the same number, one apart; six neighbours or eight, and with or without a rim.

    Without a rim (a torus) the last row is the neighbour of the first, and the last column of the first column.
    """

    side: int
    hexagonal: bool = False
    toroidal: bool = False

    @property
    def units(self) -> int:
        return self.side**2

    def positions(self) -> Array:
        """(units, 2), x and y; every other row of a hexagonal grid is shifted by half a unit."""
        y, x = np.divmod(np.arange(self.units), self.side)
        if self.hexagonal:
            return np.column_stack([x + (y % 2) / 2, y * np.sqrt(0.75)])
        return np.column_stack([x, y]).astype(float)

    def squared(self, first: Array, second: Array) -> Array:
        """Squared distances on the grid of units by their numbers, which broadcast."""
        place = self.positions()
        apart = np.abs(place[first] - place[second])
        if self.toroidal:
            around = np.array([self.side, self.side * (np.sqrt(0.75) if self.hexagonal else 1)])
            apart = np.minimum(apart, around - apart)
        return np.asarray((apart**2).sum(axis=-1))

    def adjacent(self, first: Array, second: Array) -> Array:
        """Whether units are neighbours: of six on a hexagonal grid, of eight on a square one, of fewer at a rim."""
        squared = self.squared(first, second)
        return (squared > 0) & (squared < (1.01 if self.hexagonal else 2.01))

    def spread(self, values: Array, sigma: float) -> Array:
        """Values (units, D), summed over the grid by theta: (units, D).

        On a square grid theta is one bell along each side, so that 100 x 100 need no matrix of all pairs.
        """
        if self.hexagonal:
            every = np.arange(self.units)
            return np.asarray(np.exp(self.squared(every[:, None], every) / (-2 * sigma**2)) @ values)
        line = self.side * np.arange(self.side)  # the first unit of each row
        bell = np.exp(self.squared(line[:, None], line) / (-2 * sigma**2))
        along = (bell @ values.reshape(self.side, -1)).reshape(self.side, self.side, -1)
        return np.asarray((bell @ along).reshape(values.shape))


class Map(NamedTuple):
    """Where the units lie (units, D), on which grid, and whether distances are angles."""

    nodes: Array
    grid: Grid
    cosine: bool

    def units(self, rows: Array) -> tuple[Array, Array]:
        """Best and second-best matching units of rows (N, D), both (N,)."""
        near = distances(directions(rows) if self.cosine else rows, self.nodes)
        two = np.argpartition(near, 1, axis=1)[:, :2]
        ordered = np.take_along_axis(near, two, axis=1).argsort(axis=1, kind="stable")
        best, second = np.take_along_axis(two, ordered, axis=1).T
        return best, second

    def quantization_error(self, rows: Array) -> float:
        """Mean distance of rows to their best matching unit, by the mean distance of rows to their centre."""
        seen = directions(rows) if self.cosine else rows
        whole = np.linalg.norm(seen - seen.mean(axis=0), axis=1).mean()
        return float(np.sqrt(distances(seen, self.nodes).min(axis=1)).mean() / whole)

    def topographic_error(self, rows: Array) -> float:
        """Share of rows whose best and second-best units are no neighbours (Kiviluoto 1996)."""
        best, second = self.units(rows)
        return float(1 - self.grid.adjacent(best, second).mean())


def distances(rows: Array, nodes: Array) -> Array:
    """Squared distances (N, units)."""
    near = (rows**2).sum(axis=1)[:, None] + (nodes**2).sum(axis=1) - 2 * rows @ nodes.T
    return np.asarray(np.maximum(near, 0))


def directions(rows: Array) -> Array:
    """Rows of length one: the nearest of them is the one with the greatest cosine; a row of zeros stays."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def train(rows: Array, grid: Grid, sigma: float, rng: np.random.Generator, *, cosine: bool = False) -> Map:
    """A map of rows (N, D), its units at first on rows drawn at random, sigma falling to LAST by equal factors.

    A sigma below LAST stays as it is. With `cosine` rows and units count by their direction alone.
    """
    seen = directions(rows) if cosine else rows
    nodes = seen[rng.choice(len(seen), grid.units, replace=len(seen) < grid.units)]
    for sigma_now in np.geomspace(sigma, min(sigma, LAST), EPOCHS):
        # |x - w|^2 less |x|^2, which is the same for all units
        best = ((nodes**2).sum(axis=1) - 2 * seen @ nodes.T).argmin(axis=1)
        sums = np.zeros((grid.units, 1 + seen.shape[1]))
        np.add.at(sums, best, np.column_stack([np.ones(len(seen)), seen]))
        spread = grid.spread(sums, sigma_now)
        weight = spread[:, :1]
        # a unit that no row pulls, however weakly, stays where it is
        nodes = np.where(weight > 1e-30, spread[:, 1:] / np.maximum(weight, 1e-30), nodes)
        nodes = directions(nodes) if cosine else nodes
    return Map(nodes, grid, cosine)


def agreement(found: Map, rows: Array, labels: Array) -> float:
    """Share of rows (N,) whose label is the commonest among the other rows of their unit; alone, among all rows."""
    best, _ = found.units(rows)
    counts = np.zeros((found.grid.units, int(labels.max()) + 1))
    np.add.at(counts, (best, labels), 1)
    others = counts[best]
    others[np.arange(len(rows)), labels] -= 1
    alone = others.sum(axis=1) == 0
    others[alone] = np.bincount(labels, minlength=others.shape[1])
    return float((others.argmax(axis=1) == labels).mean())
