"""Drift: are the rows of a batch drawn from where the training rows were? Two-sample tests, column by column.

A column of numbers is compared by Kolmogorov and Smirnov's test, a column of words by Pearson's chi-squared test of
homogeneity; Holm's correction (1979) holds the chance that any column of an undrifted batch is called significant to
`alpha`, however the columns depend on each other. With enough rows everything is significant, so a column must also
have moved by `moved`: the greatest gap between the distribution functions, or the total variation between the shares
of the words. Both are the share of rows, 0-1, that at least would have to change to look like the training rows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd


Floats = npt.NDArray[np.float64]
FEWEST_EXPECTED = 5.0  # rows of the batch that a word must be expected in to stand for itself (Cochran 1954)


@dataclass(frozen=True)
class Params:
    """The block `monitor` of params.yaml: what is called drift, and when a file is called whole."""

    alpha: float  # chance that a batch without drift has any column called significant
    moved: float  # share of the rows that must lie elsewhere in a column, 0-1
    fall: float  # of the champion's primary metric below what it has on its test rows, beyond the batch's 95 % interval
    least_rows: int  # a batch with fewer is not scored: its interval would say nothing
    settle: float  # seconds for which a file must have stayed as it is

    def __post_init__(self) -> None:
        if not (0 < self.alpha < 1 and 0 < self.moved < 1):
            raise ValueError(f"alpha and moved must be in (0, 1), found {self.alpha} and {self.moved}")
        if self.fall < 0 or self.settle < 0 or self.least_rows < 2:
            raise ValueError("fall and settle must be 0 or more, least_rows 2 or more")


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
    corrected = holm(np.array([p for p, _ in found]))
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
    return float(test.pvalue), float(test.statistic)


def _words(reference: pd.Series, batch: pd.Series) -> tuple[float, float]:
    """p and the total variation distance of the shares; words too rare for the test are counted together there."""
    from scipy.stats import chi2_contingency

    here, there = (column.astype(str).value_counts() for column in (reference, batch))
    words = sorted(set(here.index) | set(there.index))
    counts = np.stack([each.reindex(words, fill_value=0).to_numpy(np.float64) for each in (here, there)])  # (2, words)
    shares = counts / counts.sum(axis=1, keepdims=True)
    moved = 0.5 * float(np.abs(shares[0] - shares[1]).sum())
    pooled = _pooled(counts)
    p = float(chi2_contingency(pooled, correction=False).pvalue) if pooled.shape[1] > 1 else 1.0
    return p, moved


def _pooled(counts: Floats) -> Floats:
    """The table (2, words) with the words that too few rows of the batch are expected to have in one column."""
    rare = counts.sum(axis=0) * counts[1].sum() / counts.sum() < FEWEST_EXPECTED
    if not rare.any():
        return counts
    together = counts[:, rare].sum(axis=1, keepdims=True)
    kept = np.concatenate([counts[:, ~rare], together], axis=1)
    return np.asarray(kept[:, kept.sum(axis=0) > 0])


def holm(p: Floats) -> Floats:
    """Holm's corrected p-values (K,): the least level at which his step-down procedure rejects each hypothesis."""
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def detectable(reference_rows: int, rows: int, columns: int, alpha: float) -> float:
    """The least gap between distribution functions that so many rows can call significant beside so many columns."""
    return float(min(1.0, np.sqrt(-0.5 * np.log(alpha / columns / 2) * (1 / rows + 1 / reference_rows))))


def plain(columns: list[Column]) -> list[dict[str, Any]]:
    """The columns as plain types, the most moved first."""
    return [asdict(each) for each in sorted(columns, key=lambda each: (-each.drifted, -each.moved, each.column))]
