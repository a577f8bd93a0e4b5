"""The advice of sections 8.3 and 8.4.4, one setting at a time, on the applications for a card of section 8.5.

All fourteen attributes as numbers, as the book takes its twelve, standardised or scaled to 0-1. Each setting is trained
from several starts; errors are of the rows that were learnt from, as maps are judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from handbook.labs.kohonen_maps.som import Array, Grid, agreement, train

if TYPE_CHECKING:
    from handbook.data.tables import Table

SEEDS = 6
SIGMAS = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 8.0)  # at first, on 10 x 10; the book names 1, 4 and 5
SIDES, SHARES, SIDE_SEEDS = (5, 10, 20), (0.1, 0.2, 0.5, 1.0), 4  # of a side; the book names a half
LARGE, LARGE_SHARES = 100, (0.05, 0.5)  # on 100 x 100: sigma 5, as on 10 x 10, and 50, as the book says
GRIDS = {
    "square": Grid(10),
    "hexagonal": Grid(10, hexagonal=True),
    "square torus": Grid(10, toroidal=True),
    "hexagonal torus": Grid(10, hexagonal=True, toroidal=True),
}


@dataclass(frozen=True)
class Applications:
    """Attributes (N, D) and labels (N,) as bytes, so that what was computed for them is found again."""

    values: bytes
    labels: bytes

    @classmethod
    def of(cls, data: Table) -> Applications:
        return cls(data.features.astype(float).to_numpy().tobytes(), data.target.astype(np.int64).tobytes())

    def rows(self, scaling: str) -> Array:
        """(N, D), "standardised" or "0 to 1"."""
        x = np.frombuffer(self.values).reshape(len(self.classes()), -1)
        if scaling == "standardised":
            return np.asarray((x - x.mean(axis=0)) / x.std(axis=0))
        return np.asarray((x - x.min(axis=0)) / (x.max(axis=0) - x.min(axis=0)))

    def classes(self) -> Array:
        return np.frombuffer(self.labels, np.int64)


class Errors(NamedTuple):
    """Of maps from several starts (seeds,): quantization error, topographic error, agreement of labels in a unit."""

    quantization: Array
    topographic: Array
    agreement: Array


def judged(  # noqa: PLR0917
    data: Applications, scaling: str, grid: Grid, sigma: float, seeds: int, cosine: bool = False
) -> Errors:
    """Maps that differ by their starts alone; the same starts for every setting."""
    rows, labels, found = data.rows(scaling), data.classes(), np.empty((3, seeds))
    for seed in range(seeds):
        each = train(rows, grid, sigma, np.random.default_rng([8, seed]), cosine=cosine)
        found[:, seed] = each.quantization_error(rows), each.topographic_error(rows), agreement(each, rows, labels)
    return Errors(*found)


@cache
def sigmas(data: Applications) -> dict[str, dict[float, Errors]]:
    """By scaling and sigma, on 10 x 10."""
    return {
        scaling: {sigma: judged(data, scaling, Grid(10), sigma, SEEDS) for sigma in SIGMAS}
        for scaling in ("standardised", "0 to 1")
    }


@cache
def sides(data: Applications) -> dict[int, dict[float, Errors]]:
    """By side and sigma as a share of it, standardised."""
    return {
        side: {share: judged(data, "standardised", Grid(side), share * side, SIDE_SEEDS) for share in shares}
        for side, shares in (dict.fromkeys(SIDES, SHARES) | {LARGE: LARGE_SHARES}).items()
    }


@cache
def grids(data: Applications) -> dict[str, Errors]:
    """By the shape of the grid, standardised, sigma 5 at first; and of a square one by angles."""
    found = {name: judged(data, "standardised", grid, 5.0, SEEDS) for name, grid in GRIDS.items()}
    return found | {"square, by cosine": judged(data, "standardised", GRIDS["square"], 5.0, SEEDS, cosine=True)}
