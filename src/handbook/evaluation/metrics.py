"""Judging: scikit-learn's metrics, each with its interval, beside the numbers that they must beat."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.errors import HandbookError
from handbook.evaluation.report import Floats, Labels

BINS = 15  # of the expected calibration error (Guo et al. 2017, section 2)


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


def mean_interval(values: npt.ArrayLike) -> tuple[float, float, float]:
    """Mean of a few values (N,), two at least, and its 95 % interval by Student's t: of seeds, draws or folds.

    Of so few a bootstrap's interval is too narrow (Hesterberg 2015). ValueError for values of another shape.
    """
    from scipy.stats import t

    each = np.asarray(values, dtype=float)
    if each.ndim != 1 or len(each) < 2:
        raise ValueError(f"expected the results of 2 seeds or more, found values of shape {each.shape}")
    mean, half = float(each.mean()), float(t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / np.sqrt(len(each)))
    return mean, mean - half, mean + half


def fold_interval(values: list[float], least: float = -np.inf, most: float = np.inf) -> tuple[float, float]:
    """The 95 % interval of a mean over folds, widened because training folds overlap (Nadeau and Bengio 2003).

    It ends where the metric's values do: at `least` and `most`.
    """
    from scipy.stats import t

    n = len(values)
    spread = np.std(values, ddof=1) * np.sqrt(1 / n + 1 / (n - 1))  # a validation fold is 1/(n - 1) of a training one
    mean, half = float(np.mean(values)), float(t.ppf(0.975, n - 1) * spread)
    return max(mean - half, least), min(mean + half, most)


def binary(
    labels: Labels, scores: Floats, rng: np.random.Generator, threshold: float = 0.5, resamples: int = 400
) -> tuple[dict[str, Any], dict[str, tuple[float, float]]]:
    """Metrics for labels (N,) of 0 and 1 and scores (N,), greater for 1; 95 % bootstrap intervals for both areas.

    `accuracy`, `f1`, `precision`, `recall` and `specificity` call 1 what scores the threshold or more. Scores outside
    0-1 are no probabilities: `log_loss`, `brier_score_loss` and the calibration error are then left out.
    """
    from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

    _both_classes(labels)
    metrics = {
        "roc_auc": float(roc_auc_score(labels, scores)),
        "average_precision": float(average_precision_score(labels, scores)),
        "lift_at_10_percent": lift(labels, scores, 0.1),
        **at_threshold(labels, scores, threshold),
    }
    if scores.min() >= 0 and scores.max() <= 1:
        metrics["log_loss"] = float(log_loss(labels, scores, labels=[0, 1]))
        metrics["brier_score_loss"] = float(brier_score_loss(labels, scores))
        share, chance, count = binary_calibration(labels, scores)
        metrics["expected_calibration_error"] = float(np.average(np.abs(share - chance), weights=count))
    areas = _resampled_areas(labels, scores, rng, resamples)
    low, high = np.percentile(areas, [2.5, 97.5], axis=0)
    return metrics, {name: (float(low[k]), float(high[k])) for k, name in enumerate(("roc_auc", "average_precision"))}


def at_threshold(labels: Labels, scores: Floats, threshold: float) -> dict[str, float]:
    """What becomes of the two classes if 1 is called what scores the threshold or more; 0 where nothing is called."""
    called, true = scores >= threshold, labels == 1
    hits, calls, positives = int((called & true).sum()), int(called.sum()), int(true.sum())
    return {
        "accuracy": float((called == true).mean()),
        "precision": hits / max(calls, 1),
        "recall": hits / max(positives, 1),
        "specificity": float((~called & ~true).sum() / max((~true).sum(), 1)),
        "f1": 2 * hits / max(calls + positives, 1),
        "threshold": float(threshold),
    }


def _both_classes(labels: Labels) -> None:
    found = np.unique(labels).tolist()
    if found != [0, 1]:
        raise HandbookError(
            f"cannot judge: expected labels of both classes, 0 and 1, found {found}; judge on more rows"
        )


def _resampled_areas(labels: Labels, scores: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    """ROC-AUC and average precision (resamples, 2) of resampled rows; sorted once, a resample is a count a row."""
    order = np.argsort(-scores, kind="stable")
    positive = labels[order] == 1
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # of each run of equal scores
    areas = np.empty((resamples, 2))
    for k in range(resamples):
        counts = np.bincount(rng.integers(0, len(labels), len(labels)), minlength=len(labels))
        found = np.concatenate([[0], np.cumsum(counts * positive)[last]]).astype(float)
        called = np.concatenate([[0], np.cumsum(counts)[last]]).astype(float)
        missed, gain = called - found, np.diff(found)
        areas[k, 0] = np.trapezoid(found, missed) / max(found[-1] * missed[-1], 1)
        areas[k, 1] = (gain * found[1:] / np.maximum(called[1:], 1)).sum() / max(found[-1], 1)
    return areas


def prevalence(labels: Labels, train_labels: Labels) -> dict[str, float]:
    """What one and the same score for all gets: the share of ones among the training rows."""
    share = float(np.clip(train_labels.mean(), 1e-15, 1 - 1e-15))
    ones = float(labels.mean())
    return {
        "roc_auc": 0.5,
        "average_precision": ones,
        "lift_at_10_percent": 1.0,
        "accuracy": ones if share > 0.5 else 1 - ones,
        "f1": 2 * ones / (1 + ones) if share > 0.5 else 0.0,
        "log_loss": -ones * float(np.log(share)) - (1 - ones) * float(np.log(1 - share)),
        "brier_score_loss": ones * (1 - share) ** 2 + (1 - ones) * share**2,
    }


def threshold_by_cost(labels: Labels, scores: Floats, false_negative: float, false_positive: float) -> float:
    """The score from which to call 1 so that mistakes on these rows cost least; above all scores if no call pays."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    found = np.concatenate([[0], np.cumsum(labels[order] == 1)[last]])
    called = np.concatenate([[0], last + 1])
    cost = false_negative * (found[-1] - found) + false_positive * (called - found)
    place = int(cost.argmin())
    return float(scores[order][last[place - 1]] if place else np.nextafter(float(scores.max()), np.inf))


def gains(labels: Labels, scores: Floats) -> tuple[Floats, Floats]:
    """Share called and share of the ones found (N + 1,), calling from the highest score down; ties count evenly."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    found = np.concatenate([[0], np.cumsum(labels[order] == 1)[last]]) / max(int(labels.sum()), 1)
    called = np.concatenate([[0], last + 1]) / len(labels)
    share = np.linspace(0, 1, len(labels) + 1)
    return share, np.interp(share, called, found)


def lift(labels: Labels, scores: Floats, share: float) -> float:
    """How many times more ones there are among the share with the highest scores than among all."""
    called, found = gains(labels, scores)
    return float(np.interp(share, called, found) / share)


def binary_calibration(labels: Labels, probabilities: Floats, bins: int = BINS) -> tuple[Floats, Floats, Labels]:
    """Share of ones, mean chance and count of the bins of equal width that hold a chance of 1."""
    place = np.minimum((probabilities * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    filled = count > 0
    share = np.bincount(place, labels, bins)[filled] / count[filled]
    return share, np.bincount(place, probabilities, bins)[filled] / count[filled], count[filled]


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
