"""What a technique adds: runs with it against runs without it, judged on the same pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.evaluation.metrics import bootstrap
from handbook.evaluation.recognition import Probabilities


def effect(whole: Probabilities, without: Probabilities, labels: npt.NDArray[np.int64], seed: int) -> dict[str, Any]:
    """What a technique adds, by probabilities (seeds, N, classes) for the same N pictures learned with and without it.

    `difference` is of accuracies, with its 95 % interval over pictures, each paired with itself (bootstrap). The chance
    of other seeds is not in it: `seeds` holds the accuracy of each.
    """
    right, before = (each.argmax(axis=2) == labels for each in (without, whole))
    gain = (before.astype(float) - right).mean(axis=0)
    of_label = without[:, np.arange(len(labels)), labels]
    return {
        "accuracy": float(right.mean()),
        "log_loss": float(-np.log(np.clip(of_label, 1e-15, None)).mean()),
        "difference": float(gain.mean()),
        "interval": list(bootstrap(gain, np.random.default_rng(seed))) if gain.any() else [0.0, 0.0],
        "seeds": [float(each) for each in right.mean(axis=1)],
    }


def summary(techniques: dict[str, dict[str, Any]]) -> str:
    """What each technique adds to accuracy, in points with its interval, as half a sentence."""
    return "; ".join(
        f"{name} {100 * row['difference']:+.2f} ({100 * row['interval'][0]:+.2f} to {100 * row['interval'][1]:+.2f})"
        for name, row in techniques.items()
    )


def foremost(techniques: dict[str, dict[str, Any]]) -> str:
    """Of techniques, the best first, whether the effect of the first is beyond chance, as a sentence."""
    name, row = next(iter(techniques.items()))
    if row["interval"][0] > 0:
        return f"{name.capitalize()} adds most, {100 * row['difference']:.1f} points"
    return "No technique adds more than chance would"
