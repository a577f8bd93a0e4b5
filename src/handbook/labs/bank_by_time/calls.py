"""The calls in their order, the two ways to hold a third of them out, and the attributes that are known when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.data.studies import KNOWN_AFTER_THE_CALL, TASK, Keyed, digest
from handbook.data.tables import Table, split

Array = npt.NDArray[Any]
DATE = ("day", "month")
ATTRIBUTES: dict[str, tuple[str, ...]] = {  # which are left out
    "all": (),
    "before the call": KNOWN_AFTER_THE_CALL,
    "before the call, no date": (*KNOWN_AFTER_THE_CALL, *DATE),
}
PIECES = 20  # of the calls in their order, over which shares are shown


@dataclass(frozen=True, eq=False)
class Calls(Keyed):
    """The bank's rows."""

    table: Table

    @classmethod
    def of(cls, table: Table) -> Calls:
        return cls(digest(table), table)

    def parts(self) -> dict[str, tuple[Array, Array]]:
        """Positions of the rows to learn from and of those that judge: the book's random third, and the last."""
        n = len(self.table)
        places = Table(self.table.features.reset_index(drop=True), self.table.target, self.table.classes)
        drawn = [each.features.index.to_numpy() for each in split(places, TASK.test_share, TASK.split_seed, False)]
        rows = np.arange(n)
        return {"random": (drawn[0], np.sort(drawn[1])), "last": (rows[: len(drawn[0])], rows[len(drawn[0]) :])}

    def shares(self) -> tuple[Array, Array]:
        """Where each twentieth of the calls is over, as a share of all, and the share of yes in it."""
        pieces = np.array_split(self.table.target, PIECES)
        return np.arange(1, PIECES + 1) / PIECES, np.array([each.mean() for each in pieces])
