"""The bank's rows as this lab takes them: the book's split, what is known before the call, as whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data.schema import categories
from handbook.data.studies import KNOWN_AFTER_THE_CALL, Study
from handbook.data.subsets import some_of

if TYPE_CHECKING:
    import pandas as pd

    from handbook.data.tables import Table

Array = npt.NDArray[Any]
BINS = 8  # of a number, by quantiles of the rows that teach; fewer where many rows are equal
SAMPLE = 1_500  # rows of a drawn sample that are taken


def study(bank: Table) -> Study:
    """The book's split without the length of the call."""
    return Study.of(some_of(bank, SAMPLE), KNOWN_AFTER_THE_CALL)


def redrawn(rows: int, draws: int) -> Array:
    """How often each of so many rows counts, (1 + draws, rows): once each, then as rows drawn again (Efron 1979)."""
    rng = np.random.default_rng(0)
    counts = [np.bincount(rng.integers(0, rows, rows), minlength=rows) for _ in range(draws)]
    return np.stack([np.ones(rows, np.int64), *counts])


def bounded(name: str, found: tuple[float, float, float]) -> dict[str, float | bool]:
    """A value and the bounds of its interval as facts of that name."""
    return dict(zip((name, f"{name}, at least", f"{name}, at most"), found, strict=True))


@dataclass(frozen=True)
class Levels:
    """How each attribute becomes one of a few levels: its words, or the bounds between bins of its numbers."""

    words: dict[str, tuple[str, ...]]
    bounds: dict[str, Array]

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Levels:
        """Words and quantiles of these rows."""
        known = categories(rows)
        cuts = np.linspace(0, 1, BINS + 1)[1:-1]
        return cls(
            {name: tuple(words) for name, words in known.items() if words is not None},
            {name: np.unique(np.quantile(rows[name], cuts)) for name, words in known.items() if words is None},
        )

    def sizes(self, names: list[str]) -> list[int]:
        """How many levels each attribute has; a word that is unknown counts as one more."""
        return [len(self.words[name]) + 1 if name in self.words else len(self.bounds[name]) + 1 for name in names]

    def __call__(self, rows: pd.DataFrame) -> Array:
        """Rows as levels (N, attributes) int64, each attribute's from 0 up."""
        return np.column_stack([self._level(rows[name]) for name in rows]).astype(np.int64)

    def _level(self, column: pd.Series) -> Array:
        name = str(column.name)
        if name in self.bounds:
            return np.asarray(np.searchsorted(self.bounds[name], column.to_numpy(), side="left"))
        places = {word: k for k, word in enumerate(self.words[name])}
        return np.asarray(column.map(places).fillna(len(places)))
