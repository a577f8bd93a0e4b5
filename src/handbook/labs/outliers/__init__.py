"""Outliers among payments: an autoencoder's error beside older scores (section 1.2.2, and what opens chapter 6).

The book names anomaly detection as a use of autoencoders and of generative models, and measures neither. Here scores
that see no label rank the payments of one half by how unlike they are to those of the other, and frauds are what should
stand on top:

    scores.py     Mahalanobis distance, plain and robust, isolation forest, local outlier factor, principal components,
                  autoencoder, a small map
    chosen.py     settings chosen by the frauds of one half, reported on those of the other
    drawing.py    figures

Their settings are those of their authors, and in `chosen` the best by half of the frauds. The half to learn from holds
its frauds too, as it would; what it costs that they are in it is measured by leaving them out. The map is a small one;
that of chapter 8, with its trimming, is held against the same scores in the case `som_transactions`. Average precision
depends on the share of frauds, which differs between the whole file and its subset
(`datasets/credit_card_transactions`); ROC-AUC does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from handbook.data.tables import Table
from handbook.labs.outliers import chosen, scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATASET = "credit_card_transactions"


def figures(data: Table) -> dict[str, Figure]:
    """The lab's pictures, each with its finding as title."""
    from handbook.labs.outliers import drawing

    halves = scores.Halves.of(data)
    found = scores.scored(halves)
    return {
        "ranking": drawing.ranked(halves, found),
        "curves": drawing.curves(halves, found),
        "dimensions": drawing.by_dimension(halves),
        "errors": drawing.errors(halves, found),
        "chosen": drawing.chosen_by_half(chosen.chosen(halves)),
    }


def checks(data: Table) -> dict[str, float | bool]:
    """Both areas of every score with their 95 % bootstrap bounds, on the half that none has learnt from."""
    halves = scores.Halves.of(data)
    facts: dict[str, float | bool] = {
        "payments judged": len(halves.labels), "share of frauds": float(halves.labels.mean()),
    }  # fmt: skip
    for name, (areas, bounds) in scores.judged(halves).items():
        for metric, value in areas.items():
            facts[f"{name}: {metric}"] = value
            facts |= {f"{name}: {metric}, {part}": bounds[metric][k] for k, part in enumerate(("low", "high"))}
    spread = scores.over_seeds(halves)
    for metric, values in spread.items():
        facts[f"autoencoder: range of {metric} over seeds"] = float(np.ptp(values))
    found = chosen.chosen(halves)
    for name, setting in found.settings.items():
        facts[f"{name}: setting chosen by the first half"] = setting
        for metric in scores.AREAS:
            facts[f"{name}: {metric}, chosen"] = found.interval(metric, name)[0]
    for metric in scores.AREAS:
        for part, value in zip(("", ", low", ", high"), found.lead(metric), strict=True):
            facts[f"map ahead of {found.rival}, both chosen: {metric}{part}"] = value
    return facts
