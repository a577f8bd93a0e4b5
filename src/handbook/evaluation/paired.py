"""Models judged on the same rows: what a difference between them is worth, by rows drawn again for all alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Ones = npt.NDArray[np.bool_]
RESAMPLES = 400


def areas(
    labels: Labels, scores: dict[str, Floats], rng: np.random.Generator, resamples: int = RESAMPLES
) -> dict[str, Floats]:
    """ROC-AUC of each model, (1 + resamples,): on the rows as they are, then on rows drawn again (Efron 1979).

    `labels` (N,) are 0 and 1, scores (N,) greater for 1. A draw takes the same rows for every model, so that
    differences and their intervals can be taken draw by draw. ValueError if there is one class alone.
    """
    return _drawn(labels, scores, rng, resamples, _area, len(labels))


def precisions(
    labels: Labels, scores: dict[str, Floats], rng: np.random.Generator, resamples: int = RESAMPLES
) -> dict[str, Floats]:
    """Average precision of each model, (1 + resamples,), as `areas` gives ROC-AUC; of one generator the same draws."""
    return _drawn(labels, scores, rng, resamples, _precision, len(labels))


def both(
    labels: Labels, scores: dict[str, Floats], seed: int, resamples: int = RESAMPLES
) -> dict[str, dict[str, Floats]]:
    """`roc_auc` and `average_precision` of each model, on the same draws."""
    measures = {"roc_auc": areas, "average_precision": precisions}
    return {
        metric: measure(labels, scores, np.random.default_rng(seed), resamples) for metric, measure in measures.items()
    }


def _drawn(  # noqa: PLR0917
    labels: Labels,
    scores: dict[str, Floats],
    rng: np.random.Generator,
    resamples: int,
    measure: Callable[[Labels, Labels, Ones, Labels], float],
    blocks: int,
) -> dict[str, Floats]:
    """What is drawn again are blocks of consecutive rows, as equal in size as may be; as many as rows: rows."""
    if len(np.unique(labels)) != 2:
        raise ValueError(f"labels: expected both 0 and 1, found {np.unique(labels).tolist()}; judge on more rows")
    n, blocks = len(labels), min(blocks, len(labels))
    block = np.arange(n) * blocks // n
    ordered = {name: _ordered(labels, each) for name, each in scores.items()}
    found = {name: np.empty(1 + resamples) for name in scores}
    for k in range(1 + resamples):
        drawn = np.bincount(rng.integers(0, blocks, blocks), minlength=blocks) if k else np.ones(blocks, np.int64)
        counts = drawn[block]
        for name, each in ordered.items():
            found[name][k] = measure(counts, *each)
    return found


def _ordered(labels: Labels, scores: Floats) -> tuple[Labels, Ones, Labels]:
    """Rows from the highest score down (N,), which of them are ones, and the last of each run of equal scores."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    return order, labels[order] == 1, last


def _area(counts: Labels, order: Labels, ones: Ones, last: Labels) -> float:
    """The area for rows that count so often; equal scores share their rank."""
    taken = counts[order]
    found = np.append(0, np.cumsum(taken * ones)[last])
    missed = np.append(0, np.cumsum(taken)[last]) - found
    return float(np.trapezoid(found, missed) / max(found[-1] * missed[-1], 1))


def _precision(counts: Labels, order: Labels, ones: Ones, last: Labels) -> float:
    """The average precision for rows that count so often; equal scores are called together."""
    taken = counts[order]
    found = np.append(0, np.cumsum(taken * ones)[last])
    called = np.cumsum(taken)[last]
    return float((np.diff(found) * found[1:] / np.maximum(called, 1)).sum() / max(found[-1], 1))


def interval(values: npt.NDArray[Any]) -> tuple[float, float]:
    """The 95 % percentile interval of values over draws (draws,); the first, of the rows as they are, is left out."""
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return float(low), float(high)


def estimate(values: npt.NDArray[Any]) -> tuple[float, float, float]:
    """The value on the rows as they are, and its interval, of values over draws (draws,)."""
    return float(values[0]), *interval(values)


def holm(p: Floats) -> Floats:
    """Holm's corrected p-values (K,): the least level at which his step-down procedure rejects each hypothesis."""
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def block_areas(
    labels: Labels, scores: Floats, rng: np.random.Generator, blocks: int, resamples: int = RESAMPLES
) -> Floats:
    """ROC-AUC (1 + resamples,) as `areas` has it, of rows that are in the order of time and alike where they are near.

    What is drawn again are blocks of consecutive rows, as equal in size as may be (Künsch 1989); as many blocks as rows
    is the plain bootstrap. ValueError if there is one class alone.
    """
    return _drawn(labels, {"": scores}, rng, resamples, _area, blocks)[""]
