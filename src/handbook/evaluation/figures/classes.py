"""Figures of classifiers: confusions, reliability, curves and gains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from handbook.evaluation.figures.charts import paths
from handbook.evaluation.figures.style import BLUE, GREY, INK, ORANGE, Array, canvas, plain_axes


def confusion(matrix: Array, classes: Sequence[str], title: str) -> Figure:
    """Counts (K, K), a row an actual class; shades are shares of the row, the diagonal left pale."""
    figure, axes = canvas(size=(7.2, 6.4))
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    mistakes = share * (1 - np.eye(len(classes)))
    axes.imshow(mistakes, cmap="Oranges", vmin=0, vmax=max(mistakes.max(), 1e-9))
    for i, j in np.ndindex(*matrix.shape):
        if matrix[i, j]:
            dark = mistakes[i, j] > 0.6 * mistakes.max()
            weight = "bold" if i == j else "normal"
            axes.text(j, i, f"{matrix[i, j]}", ha="center", va="center", fontsize=8, weight=weight,
                      color="white" if dark and i != j else INK)  # fmt: skip
    axes.set_xticks(range(len(classes)), classes, rotation=40, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="predicted", ylabel="actual", title=title)
    return figure


def reliability(confidence: Array, accuracy: Array, count: Array, title: str) -> Figure:
    """Accuracy against confidence a bin (DeGroot and Fienberg 1983), and how many predictions each bin holds."""
    figure, (curve, bars) = canvas(2, 1, size=(5.4, 5.4), sharex=True, height_ratios=(3, 1))
    curve.plot([0, 1], [0, 1], "--", color=GREY, label="perfectly calibrated")
    curve.plot(confidence, accuracy, "o-", color=BLUE, label="model")
    curve.set(ylabel="accuracy", xlim=(0, 1), ylim=(0, 1), title=title)
    curve.legend(frameon=False, loc="upper left")
    bars.bar(confidence, count / count.sum(), width=0.05, color=BLUE)
    bars.set(xlabel="confidence", ylabel="share")
    plain_axes(curve)
    plain_axes(bars)
    return figure


def binary_reliability(share: Array, chance: Array, count: Array, title: str) -> Figure:
    """Share of ones against the chance that was named for one, a bin, and how many rows each bin holds."""
    figure = reliability(chance, share, count, title)
    figure.axes[0].set_ylabel("share that came true")
    figure.axes[1].set(xlabel="chance named", ylabel="share of rows")
    return figure


def curves(labels: Array, scores: dict[str, Array], title: str) -> Figure:
    """ROC and precision-recall curves for labels (N,) of 0 and 1, one line for each named list of scores (N,)."""
    from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

    figure, (roc, pr) = canvas(1, 2, size=(8.6, 4.0))
    for name, each in scores.items():
        roc.plot(*roc_curve(labels, each)[:2], label=f"{name}, area {roc_auc_score(labels, each):.3f}")
        precision, recall, _ = precision_recall_curve(labels, each)
        average = average_precision_score(labels, each)
        pr.plot(recall, precision, drawstyle="steps-pre", label=f"{name}, average {average:.3f}")
    roc.plot([0, 1], [0, 1], "--", color=GREY, label="by chance")
    pr.axhline(labels.mean(), ls="--", color=GREY, label=f"by chance, {labels.mean():.3f}")
    roc.set(xlabel="false positive rate", ylabel="true positive rate")
    pr.set(xlabel="recall", ylabel="precision", ylim=(0, 1.02))
    for place in (roc, pr):
        place.legend(frameon=False, fontsize=8)
        plain_axes(place)
    figure.suptitle(title)
    return figure


def gain(called: Array, found: Array, title: str) -> Figure:
    """Share found against share called, and how many times better than chance that is (lift)."""
    figure, (curve, times) = canvas(1, 2, size=(8.6, 3.8))
    curve.plot(called, found, color=BLUE, label="by score")
    curve.plot([0, 1], [0, 1], "--", color=GREY, label="by chance")
    curve.set(xlabel="share called", ylabel="share found")
    shown = called >= 0.01  # of fewer rows the lift is noise
    times.plot(called[shown], found[shown] / called[shown], color=ORANGE)
    times.axhline(1, ls="--", color=GREY)
    times.set(xlabel="share called", ylabel="lift")
    curve.legend(frameon=False)
    plain_axes(curve)
    plain_axes(times)
    figure.suptitle(title)
    return figure


def cumulative(groups: dict[str, Array], title: str, x_label: str, y_label: str) -> Figure:
    """For each named group of values (N,), the share of it that lies below x."""
    values = np.concatenate(list(groups.values()))
    x = np.linspace(0, np.quantile(values, 0.995), 100)
    lines = {name: np.searchsorted(np.sort(each), x) / len(each) for name, each in groups.items()}
    return paths(x, lines, title, x_label, y_label, log=False)
