"""Drift: are the rows of a batch drawn from where the training rows were? Two-sample tests, column by column.

A column of numbers is compared by Kolmogorov and Smirnov's test, a column of words by Pearson's chi-squared test of
homogeneity, or, where the batch is too small for that, word by word by the hypergeometric distribution. Holm's
correction (1979) holds the chance that any column of an undrifted batch is called significant to `alpha`, however the
columns depend on each other. With enough rows everything is significant, so a column must also have moved by `moved`:
the greatest gap between the distribution functions, or the total variation between the shares of the words. Both are
the share of rows, 0-1, that at least would have to change to look like the training rows.

Few rows are where approximations fail: one row beyond all the training rows has Kolmogorov's p of 0, where its chance
is two in as many as there are. So p is counted there, over all the ways in which the rows could have been dealt.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.evaluation import paired

if TYPE_CHECKING:
    import pandas as pd


Floats = npt.NDArray[np.float64]
FEWEST_EXPECTED = 5.0  # rows of the batch that a word must be expected in to stand for itself (Cochran 1954)
FEW = 300  # rows of a batch below which the words' p is counted: the far tail of chi-squared is too thin there
COUNTED = 30_000_000  # rows of the batch times those of the reference up to which the numbers' p is, in a tenth second
ROUNDING = 1e-13  # what sums of shares are true to


@dataclass(frozen=True)
class Params:
    """The block `monitor` of params.yaml: what is called drift, and when a file is called whole."""

    alpha: float  # chance that a batch without drift has any column called significant
    moved: float  # share of the rows that must lie elsewhere in a column, 0-1
    fall: float  # of the champion's primary metric below what it has on its test rows, beyond the batch's 95 % interval
    least_rows: int  # a batch with fewer is not scored: its interval would say nothing
    settle: float  # seconds for which a file must have stayed as it is
    drifted_of: tuple[int, ...] = (2, 3)  # retraining waits until so many of the last so many batches have drifted

    def __post_init__(self) -> None:
        if not (0 < self.alpha < 1 and 0 < self.moved < 1):
            raise ValueError(f"alpha and moved must be in (0, 1), found {self.alpha} and {self.moved}")
        if self.fall < 0 or self.settle < 0 or self.least_rows < 2:
            raise ValueError("fall and settle must be 0 or more, least_rows 2 or more")
        if len(self.drifted_of) != 2 or not 1 <= self.drifted_of[0] <= self.drifted_of[1]:
            raise ValueError(f"drifted_of must be two whole numbers, k of the last n, found {list(self.drifted_of)}")


@dataclass(frozen=True)
class Column:
    """What became of one column."""

    column: str
    kind: str  # numbers or words
    p: float  # Holm's, of all the columns
    moved: float  # share of the rows, 0-1
    drifted: bool


def compare(reference: pd.DataFrame, batch: pd.DataFrame, words: Collection[str], params: Params) -> list[Column]:
    """Each column of the batch (M rows) beside that of the reference (N rows); the order of rows does not matter.

    `words` are the columns that hold categories; the others hold numbers.
    """
    found = []
    for name in batch.columns:
        if name in words:
            found.append(_words(reference[name], batch[name]))
        else:
            found.append(_numbers(reference[name].to_numpy(np.float64), batch[name].to_numpy(np.float64)))
    corrected = paired.holm(np.array([p for p, _ in found]))
    return [
        Column(
            str(name),
            "words" if name in words else "numbers",
            float(p),
            float(moved),
            bool(p < params.alpha and moved >= params.moved),
        )
        for name, p, (_, moved) in zip(batch.columns, corrected, found, strict=True)
    ]


def _numbers(reference: Floats, batch: Floats) -> tuple[float, float]:
    """p and the greatest gap between the distribution functions; ties make p too great, never too small."""
    from scipy.stats import ks_2samp

    test = ks_2samp(reference, batch, method="asymp")
    if len(reference) * len(batch) > COUNTED:
        return float(test.pvalue), float(test.statistic)
    return _chance_of_a_gap(len(reference), len(batch), float(test.statistic)), float(test.statistic)


def _chance_of_a_gap(n: int, m: int, gap: float) -> float:
    """The share of all deals of n + m different numbers to n rows and m in which the gap is as great, or greater.

    Let R_i be how many of the n lie below the i-th of the m. R is any of C(n + m, m) non-decreasing sequences, and the
    gap is smaller just where |R_i / n - i / m| and |R_i / n - (i - 1) / m| are, for every i: sequences that stay in a
    band, counted row by row (Hodges 1958), as shares so that no number grows.
    """
    height = round(gap * n * m)  # the gap in units of 1 / (n m), in which it is a whole number
    ways = np.zeros(n + 1)
    ways[0] = 1.0  # of no row at all: counts of sequences by where they end
    for i in range(1, m + 1):
        low, high = (i * n - height) // m + 1, -(-((i - 1) * n + height) // m) - 1
        ways = np.cumsum(ways) * (i / (n + i))
        ways[: max(low, 0)] = 0.0
        ways[max(high + 1, 0) :] = 0.0
    return float(np.clip(1.0 - ways.sum(), ROUNDING, 1.0))


def _words(reference: pd.Series, batch: pd.Series) -> tuple[float, float]:
    """p and the total variation distance of the shares."""
    from scipy.stats import chi2_contingency

    here, there = (column.astype(str).value_counts() for column in (reference, batch))
    words = sorted(set(here.index) | set(there.index))
    counts = np.stack([each.reindex(words, fill_value=0).to_numpy(np.float64) for each in (here, there)])  # (2, words)
    shares = counts / counts.sum(axis=1, keepdims=True)
    moved = 0.5 * float(np.abs(shares[0] - shares[1]).sum())
    if len(batch) < FEW:
        return _chance_of_a_word(counts), moved
    pooled = _pooled(counts)
    p = float(chi2_contingency(pooled, correction=False).pvalue) if pooled.shape[1] > 1 else 1.0
    return p, moved


def _chance_of_a_word(counts: Floats) -> float:
    """p of the word whose share differs most, times the words that there are (Bonferroni), and twice for both sides.

    Dealt at random, how often a word falls to the batch is hypergeometric, however few the rows.
    """
    from scipy.stats import hypergeom

    total, rows, of_word = counts.sum(), counts[1].sum(), counts.sum(axis=0)
    at_most = hypergeom.cdf(counts[1], total, of_word, rows)
    at_least = hypergeom.sf(counts[1] - 1, total, of_word, rows)
    return float(min(1.0, 2 * counts.shape[1] * np.minimum(at_most, at_least).min()))


def _pooled(counts: Floats) -> Floats:
    """The table (2, words) in which every column is expected in enough rows of the batch: the rarest words share one.

    One column is left where nothing is as frequent as that.
    """
    order = np.argsort(counts.sum(axis=0), kind="stable")
    expected = counts.sum(axis=0)[order] * counts[1].sum() / counts.sum()
    rare = int((expected < FEWEST_EXPECTED).sum())
    if not rare:
        return counts
    while rare < len(expected) and expected[:rare].sum() < FEWEST_EXPECTED:
        rare += 1
    together = counts[:, order[:rare]].sum(axis=1, keepdims=True)
    return np.concatenate([counts[:, order[rare:]], together], axis=1)


def detectable(reference_rows: int, rows: int, columns: int, alpha: float) -> float:
    """The least gap between distribution functions that so many rows can call significant beside so many columns."""
    return float(min(1.0, np.sqrt(-0.5 * np.log(alpha / columns / 2) * (1 / rows + 1 / reference_rows))))


def plain(columns: list[Column]) -> list[dict[str, Any]]:
    """The columns as plain types, the most moved first."""
    return [asdict(each) for each in sorted(columns, key=lambda each: (-each.drifted, -each.moved, each.column))]
