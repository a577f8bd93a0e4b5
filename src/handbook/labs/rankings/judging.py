"""What differences over folds are worth: corrected intervals, Holm's correction, ranks and critical differences.

Folds of one table share most of their training rows, so J results are not J independent ones, and the usual interval
of their mean shrinks with J as if they were. Nadeau and Bengio (2003) add what the overlap hides:

    mean ± t(J - 1) s √(1/J + n_test / n_train)         usual: √(1/J)

which no number of rounds brings below √(n_test / n_train). Pairs of algorithms are held against each other on the same
folds by the same t (Bouckaert and Frank 2004), their p-values corrected by Holm (1979).

Nemenyi's critical difference of mean ranks, CD = q √(k (k + 1) / 6N), takes the N blocks for independent, as data sets
are (Demšar 2006). Folds are not; it is here to be seen how much it would claim, and ranks are what it is drawn on.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.evaluation import paired
from handbook.labs.rankings.folds import Results

ALPHA = 0.05
Array = npt.NDArray[Any]


def half_width(scores: Array, ratio: float) -> Array:
    """Half of the 95 % interval of means over folds, scores (..., J), by the corrected t; ratio 0 is the usual one."""
    from scipy.stats import t

    J = scores.shape[-1]
    return np.asarray(t.ppf(1 - ALPHA / 2, J - 1) * scores.std(axis=-1, ddof=1) * np.sqrt(1 / J + ratio))


def p_values(scores: Array, ratio: float) -> Array:
    """Two-sided p-values (A, A) of equal means by the corrected paired t; 1 for those who never differ."""
    from scipy.stats import t

    J = scores.shape[-1]
    apart = scores[:, None] - scores[None]  # (A, A, J)
    error = apart.std(axis=-1, ddof=1) * np.sqrt(1 / J + ratio)
    size = np.abs(apart.mean(axis=-1))
    statistic = np.divide(size, error, out=np.where(size > 0, np.inf, 0.0), where=error > 0)
    return np.asarray(2 * t.sf(statistic, J - 1))


def holm(values: Array) -> Array:
    """p-values (A, A), symmetric, corrected for all pairs that there are (Holm 1979)."""
    rows, columns = np.triu_indices(len(values), 1)
    found = np.ones_like(values)
    found[rows, columns] = found[columns, rows] = paired.holm(values[rows, columns])
    return found


def ranks(scores: Array) -> Array:
    """Mean rank (A,) over blocks of scores (A, N), 1 the best; equal scores share the mean of their ranks."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(-scores, axis=0).mean(axis=1))


def critical_difference(k: int, n: int) -> float:
    """Nemenyi's: mean ranks of k algorithms over n independent blocks that lie farther apart differ, at 5 %."""
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(1 - ALPHA, k, np.inf) / np.sqrt(2) * np.sqrt(k * (k + 1) / (6 * n)))


def friedman(scores: Array) -> float:
    """The p-value of Friedman's test (1937) that all algorithms rank alike over independent blocks, scores (A, N)."""
    from scipy.stats import friedmanchisquare

    return float(friedmanchisquare(*scores).pvalue)


def differ(results: Results) -> Array:
    """Which pairs (A, A) differ in mean by the corrected t and Holm, at 5 % for all pairs together."""
    return np.asarray(holm(p_values(results.scores, results.ratio)) < ALPHA)


def differ_by_ranks(results: Results) -> Array:
    """Which pairs (A, A) Nemenyi would claim to differ, if every fold were a data set of its own."""
    mean = ranks(results.scores)
    return np.asarray(np.abs(mean[:, None] - mean[None]) > critical_difference(*results.scores.shape))


def order(results: Results) -> Array:
    """Positions of the algorithms, best mean score first; those who are level keep their order of names."""
    by_name = np.argsort(results.names)
    return np.asarray(by_name[np.argsort(-results.scores[by_name].mean(axis=1), kind="stable")])


def level_with_best(results: Results) -> list[str]:
    """Those whose mean does not differ from that of the best, best first and itself left out."""
    first, *others = order(results)
    apart = differ(results)[first]
    return [results.names[each] for each in others if not apart[each]]


def groups(places: Array, apart: Array) -> list[tuple[int, int]]:
    """Longest runs (first, last) along places, of two or more of whom no two differ: what a bar joins."""
    along = np.argsort(places, kind="stable")
    found: list[tuple[int, int]] = []
    for first in range(len(along)):
        last = first
        while last + 1 < len(along) and not apart[np.ix_(along[first : last + 2], along[first : last + 2])].any():
            last += 1
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def pairs(apart: Array) -> tuple[int, int]:
    """How many pairs differ, and how many there are."""
    return sum(bool(apart[i, j]) for i, j in combinations(range(len(apart)), 2)), len(apart) * (len(apart) - 1) // 2
