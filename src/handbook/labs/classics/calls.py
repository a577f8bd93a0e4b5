"""What the pages are shown: a part of the bank's calls, and two tables that scikit-learn brings along.

Of the calls `ROWS` are drawn, without their length, which is known only after the call (section 7.3): what is left is
hard enough that methods differ. The tables are iris and diabetes as scikit-learn carries them; they need no network,
so they are the real ones even where samples stand in for the calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from handbook.data.schema import categories, encoder
from handbook.data.subsets import plan_for
from handbook.labs.classics.tree import Array, Labels

if TYPE_CHECKING:
    from handbook.data.tables import Table

ROWS, SAMPLE = 8_000, 800  # of the 45,211, all of which take six times as long; and of a drawn sample
LATE = "duration"  # known only after the call


@dataclass(frozen=True)
class Calls:
    """The drawn calls as bytes, so that the same rows are worked on once: words as numbers, words one-hot, answers."""

    codes: bytes  # (n, attributes) float64: numbers as they are, a word as its place in the alphabet
    scaled: bytes  # (n, columns) float64: numbers to mean 0 and deviation 1, words one-hot
    answers: bytes  # (n,) int64: 1 where the client took the deposit

    @classmethod
    def of(cls, table: Table) -> Calls:
        """So many rows of the bank's, drawn by a seed."""
        drawn = np.random.default_rng(0).permutation(len(table))[: plan_for(len(table), ROWS, SAMPLE)]
        part = table.take(drawn)
        features = part.features.drop(columns=LATE)
        codes = [
            features[name] if words is None else features[name].map({word: k for k, word in enumerate(words)})
            for name, words in categories(features).items()
        ]
        scaled = encoder(features).fit_transform(features)
        return cls(
            np.column_stack(codes).astype(float).tobytes(),
            np.asarray(scaled, dtype=float).tobytes(),
            part.target.astype(np.int64).tobytes(),
        )

    @property
    def y(self) -> Labels:
        """The answers (n,)."""
        return np.frombuffer(self.answers, np.int64)

    @property
    def x(self) -> Array:
        """Rows as trees take them (n, attributes)."""
        return np.frombuffer(self.codes).reshape(len(self.y), -1)

    @property
    def z(self) -> Array:
        """Rows as distances and lines take them (n, columns)."""
        return np.frombuffer(self.scaled).reshape(len(self.y), -1)


@cache
def iris() -> tuple[Array, Labels]:
    """Lengths in centimetres (150, 4) and species (150,)."""
    from sklearn.datasets import load_iris

    return tuple(load_iris(return_X_y=True))


@cache
def diabetes() -> tuple[Array, Array, tuple[str, ...]]:
    """Ten measurements of 442 patients at mean 0 and deviation 1, the disease a year later, the columns' names."""
    from sklearn.datasets import load_diabetes

    bundle = load_diabetes(scaled=False)
    x = np.asarray(bundle.data, dtype=float)
    return (x - x.mean(axis=0)) / x.std(axis=0), np.asarray(bundle.target, dtype=float), tuple(bundle.feature_names)
