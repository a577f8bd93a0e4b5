"""What the parts of a split that are rows have in common: they are drawn, and new rows are reported from known ones."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from handbook.contract import Part

Rows = npt.NDArray[np.int64]  # positions of rows


class RowsPart(Part, Protocol):
    """A part of which any rows can be taken, in any order."""

    def take(self, rows: Rows) -> Self:
        """The rows at these positions, in this order."""
        ...


def drawn(n: int, share: float, seed: int) -> tuple[Rows, Rows]:
    """Positions 0 to n - 1 without a share of them, and that share, each in an order drawn by the seed."""
    order = np.random.default_rng(seed).permutation(n)
    taken, kept = np.split(order, [round(n * share)])
    return kept, taken


def first_seen(known: Iterable[Hashable], rows: Iterable[Hashable]) -> Rows:
    """Positions of the rows that are neither among the known ones nor earlier among themselves."""
    seen, fresh = set(known), []
    for place, row in enumerate(rows):
        if row not in seen:
            seen.add(row)
            fresh.append(place)
    return np.array(fresh, np.int64)
