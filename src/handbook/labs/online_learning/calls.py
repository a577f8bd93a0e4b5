"""The calls as a stream: what is known before each, and its answer, in the order of the calls.

The length of a call is left out: it is known when the answer is. The share of yes among the calls whose answers are in,
the past fading, is known, and joins the attributes. A scale that is learnt, of standardised numbers or of bins, is
learnt from the first fifth, which teaches every learner and judges none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data.subsets import plan_for

if TYPE_CHECKING:
    from handbook.data.tables import Table

Array = npt.NDArray[Any]
AFTER_THE_CALL = "duration"
LATELY = "share of yes so far"
FADING = 0.999  # of what a row counts, is left after the next: half of it after 693
FIRST, BINS, STEP = 0.2, 10, 100  # of the rows; bins of a number; calls whose answers come in together
SAMPLE = 800  # calls of a drawn sample that are taken


@dataclass(frozen=True)
class Calls:
    """N calls of A attributes, a word as its number; bytes, so that the same calls are known again."""

    numbers: bytes
    answers: bytes
    names: tuple[str, ...]
    words: tuple[int, ...]  # how many words each attribute has, 0 where it is a number

    @classmethod
    def of(cls, table: Table) -> Calls:
        """The rows of the bank data; the words are known beforehand, since a form offers them."""
        from pandas.api.types import is_numeric_dtype

        rows = table.features.drop(columns=AFTER_THE_CALL)
        words = tuple(0 if is_numeric_dtype(rows[name]) else int(rows[name].nunique()) for name in rows)
        coded = [
            rows[name].astype("category").cat.codes if many else rows[name]
            for name, many in zip(rows, words, strict=True)
        ]
        some = slice(plan_for(len(table), None, SAMPLE))
        x = np.column_stack(coded).astype(np.float64)[some]
        return cls(x.tobytes(), table.target[some].astype(np.int64).tobytes(), tuple(map(str, rows)), words)

    def stream(self) -> Stream:
        """The same as arrays, the share of yes so far as the last attribute."""
        y = np.frombuffer(self.answers, np.int64)
        x = np.column_stack([np.frombuffer(self.numbers).reshape(len(y), -1), lately(y)])
        return Stream(x, y, (*self.names, LATELY), (*self.words, 0))


@dataclass(frozen=True)
class Stream:
    """Calls (N, A), answers (N,) of 0 and 1, and the forms in which learners take them."""

    x: Array
    y: Array
    names: tuple[str, ...]
    words: tuple[int, ...]

    @property
    def first(self) -> int:
        """Rows that teach and do not judge: a fifth, in whole batches."""
        return max(1, int(FIRST * len(self.y)) // STEP) * STEP

    @cached_property
    def dense(self) -> Array:
        """(N, D) for linear learners: words one-hot, numbers standardised, the long-tailed ones as inverse sines."""
        blocks = []
        for name, column, many in zip(self.names, self.x.T, self.words, strict=True):
            if many:
                blocks.append((column[:, None] == np.arange(many)).astype(np.float64))
            else:
                bent = logit(column) if name == LATELY else np.arcsinh(column)
                start = bent[: self.first]
                # a number that does not vary at first, such as days since a campaign before the second, is left as wide
                spread = start.std() if np.ptp(start) > 0 else 1.0
                blocks.append(((bent - start.mean()) / spread)[:, None])
        return np.concatenate(blocks, axis=1)

    @cached_property
    def binned(self) -> Array:
        """(N, A) for naive Bayes: numbers by tenths of the first fifth."""
        columns = []
        for column, many in zip(self.x.T, self.words, strict=True):
            tenths = np.quantile(column[: self.first], np.linspace(0, 1, BINS + 1)[1:-1])
            columns.append(column if many else np.searchsorted(tenths, column, side="right"))
        return np.column_stack(columns).astype(np.int64)

    @cached_property
    def records(self) -> list[dict[str, float]]:
        """A dictionary a row, as river takes them."""
        return [dict(zip(self.names, row, strict=True)) for row in self.x.tolist()]

    @property
    def nominal(self) -> list[str]:
        """The attributes whose numbers stand for words."""
        return [name for name, many in zip(self.names, self.words, strict=True) if many]


def lately(answers: Array) -> Array:
    """The share of yes among the calls before each one's batch, (N,), the past fading; one yes and one no begin."""
    found = np.empty(len(answers))
    yes, every = 1.0, 2.0
    for start in range(0, len(answers), STEP):
        own = answers[start : start + STEP]
        found[start : start + STEP] = yes / every
        weight = FADING ** np.arange(len(own))[::-1]
        left = FADING ** len(own)
        yes, every = left * yes + float(weight @ own), left * every + float(weight.sum())
    return found


def logit(share: Array) -> Array:
    """The log-odds of shares between 0 and 1."""
    return np.asarray(np.log(share / (1 - share)))
