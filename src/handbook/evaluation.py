"""Judging: scikit-learn's metrics, each with its interval, beside the numbers that they must beat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.integer[Any]]
BINS = 15  # of the expected calibration error (Guo et al. 2017, section 2)


@dataclass(frozen=True)
class Report:
    """What a page's `evaluate` returns: the case's numbers, the trivial baseline's, intervals, figures and tables."""

    metrics: dict[str, Any]
    baseline: dict[str, float]
    interval: dict[str, tuple[float, float]]
    figures: dict[str, Figure] = field(default_factory=dict)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def classification(
    labels: Labels, probabilities: Floats, classes: tuple[str, ...], rng: np.random.Generator
) -> tuple[dict[str, Any], dict[str, tuple[float, float]]]:
    """Metrics and 95 % bootstrap intervals for labels (N,) and class probabilities (N, K)."""
    from sklearn.metrics import accuracy_score, log_loss, precision_recall_fscore_support

    predicted = probabilities.argmax(axis=1)
    known = np.arange(len(classes))
    precision, recall, f1, support = precision_recall_fscore_support(labels, predicted, labels=known, zero_division=0)
    metrics = {
        "accuracy": float(accuracy_score(labels, predicted)),
        "f1": float(f1.mean()),
        "log_loss": float(log_loss(labels, probabilities, labels=known)),
        "expected_calibration_error": expected_calibration_error(labels, probabilities),
        "per_class": {
            name: {
                "precision": float(precision[k]),
                "recall": float(recall[k]),
                "f1": float(f1[k]),
                "support": int(support[k]),
            }
            for k, name in enumerate(classes)
        },
    }
    surprise = -np.log(np.clip(probabilities[np.arange(len(labels)), labels], 1e-15, None))
    interval = {
        "accuracy": bootstrap(predicted == labels, rng),
        "log_loss": bootstrap(surprise, rng),
    }
    return metrics, interval


def majority(labels: Labels, train_labels: Labels, classes: int) -> dict[str, float]:
    """What the trivial classifier scores: always the commonest class of the training set, at its shares."""
    shares = np.bincount(train_labels, minlength=classes) / len(train_labels)
    return {
        "accuracy": float((labels == shares.argmax()).mean()),
        "log_loss": float(-np.log(np.clip(shares[labels], 1e-15, None)).mean()),
    }


def bootstrap(values: npt.ArrayLike, rng: np.random.Generator, resamples: int = 2000) -> tuple[float, float]:
    """The 95 % percentile interval of the mean (Efron 1979)."""
    from scipy.stats import bootstrap as resampled

    result = resampled(
        (np.asarray(values, dtype=float),),
        np.mean,
        n_resamples=resamples,
        batch=100,
        method="percentile",
        rng=rng,
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def calibration(labels: Labels, probabilities: Floats, bins: int = BINS) -> tuple[Floats, Floats, Labels]:
    """Mean confidence, accuracy and count of the bins of equal width that hold a prediction."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    filled = count > 0
    mean_confidence = np.bincount(place, confidence, bins)[filled] / count[filled]
    accuracy = np.bincount(place, correct, bins)[filled] / count[filled]
    return mean_confidence, accuracy, count[filled]


def expected_calibration_error(labels: Labels, probabilities: Floats, bins: int = BINS) -> float:
    """Mean distance between confidence and accuracy over the bins, weighted by count (Guo et al. 2017, eq. 3)."""
    confidence, accuracy, count = calibration(labels, probabilities, bins)
    return float(np.average(np.abs(confidence - accuracy), weights=count))
