"""The lab's pictures: scores in, a Figure out, the finding as its title."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from handbook.evaluation import figures as draw
from handbook.evaluation.figures import BLUE, GREY, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.labs.outliers import scores
from handbook.labs.outliers.chosen import MAP, Chosen

Array = npt.NDArray[Any]
SHOWN = ("robust covariance", "isolation forest", "local outlier factor", "autoencoder", "map, 12 x 12 units")
LABELS = {"roc_auc": "ROC-AUC", "average_precision": "average precision"}


def _lead(halves: scores.Halves, metric: str) -> str:
    """Which score without labels is best by an area, its interval, and what of the others lies within it."""
    found = {name: each for name, each in scores.judged(halves).items() if "left out" not in name}
    best = max(found, key=lambda name: found[name][0][metric])
    low, high = found[best][1][metric]
    level = sum(bounds[metric][1] >= found[best][0][metric] for _, bounds in found.values()) - 1
    return f"{LABELS[metric]}: {best} {found[best][0][metric]:.3f} ({low:.3f} to {high:.3f}), {level} level with it"


def ranked(halves: scores.Halves, found: dict[str, Array]) -> Figure:
    """Both areas of every score with their intervals."""
    results = scores.judged(halves)
    order = sorted(found, key=lambda name: -results[name][0]["average_precision"])
    figure, axes = canvas(1, 2, size=(10.4, 4.2), sharey=True)
    places = np.arange(len(order))
    for axis, (metric, label), chance in zip(axes, LABELS.items(), (0.5, float(halves.labels.mean())), strict=True):
        values = np.array([results[name][0][metric] for name in order])
        bounds = np.array([results[name][1][metric] for name in order])
        axis.axvline(chance, ls="--", color=GREY, label=f"by chance, {chance:.3g}")
        axis.hlines(places, bounds[:, 0], bounds[:, 1], color=GREY, lw=3)
        axis.plot(values, places, "o", color=BLUE)
        axis.set(xlabel=f"{label}, 95 % interval")
        axis.legend(frameon=False, fontsize=8)
        plain_axes(axis)
    axes[0].set_yticks(places, order)
    axes[0].invert_yaxis()
    figure.suptitle(f"{_lead(halves, 'roc_auc')};\n{_lead(halves, 'average_precision')}")
    return figure


def chosen_by_half(found: Chosen) -> Figure:
    """Both areas of every family on the half that chose nothing."""
    order = sorted(found.settings, key=lambda name: -found.interval("average_precision", name)[0])
    figure, axes = canvas(1, 2, size=(10.4, 3.6), sharey=True)
    places = np.arange(len(order))
    for axis, (metric, label) in zip(axes, LABELS.items(), strict=True):
        values = np.array([found.interval(metric, name) for name in order])
        axis.hlines(places, values[:, 1], values[:, 2], color=GREY, lw=3)
        axis.plot(values[:, 0], places, "o", color=BLUE)
        own = order.index(MAP)
        axis.plot(values[own, 0], own, "o", color=ORANGE)
        axis.set(xlabel=f"{label} on the second half, 95 % interval")
        plain_axes(axis)
    axes[0].set_yticks(places, [f"{name}, {found.settings[name]:g}" for name in order])
    axes[0].invert_yaxis()
    lines = []
    for metric, label in LABELS.items():
        difference, low, high = found.lead(metric)
        word = "leads over" if low > 0 else "is behind" if high < 0 else "is level with"
        lines.append(
            f"by {label} the map {word} the {found.rival}: difference {difference:.3f} ({low:.3f} to {high:.3f})"
        )
    figure.suptitle(
        "Settings chosen by half of the frauds, judged by the other half:\n" + ";\n".join(lines), fontsize=11
    )
    return figure


def curves(halves: scores.Halves, found: dict[str, Array]) -> Figure:
    """ROC and precision-recall of five scores."""
    top = max(1, int(halves.labels.sum()))
    hits = {name: float(halves.labels[np.argsort(-found[name])[:top]].mean()) for name in SHOWN}
    best = max(hits, key=lambda name: hits[name])
    figure = draw.curves(
        halves.labels, {name: found[name] for name in SHOWN},
        f"Of the {top} payments that stand out most by {best}, {hits[best]:.0%} are frauds;\n"
        f"by the autoencoder {hits['autoencoder']:.0%} ({halves.labels.mean():.2%} of all are)",
    )  # fmt: skip
    corners: tuple[Any, ...] = ("lower right", "upper right")  # the best is slow to find
    for place, corner in zip(figure.axes, corners, strict=True):
        place.legend(frameon=False, fontsize=8, loc=corner)
    figure.axes[1].set(ylim=(0, 1.5), yticks=np.linspace(0, 1, 6))  # room for the legend above all curves
    return figure


def by_dimension(halves: scores.Halves) -> Figure:
    """What squeezing harder does, for principal components and the autoencoder."""
    found = scores.by_dimension(halves)
    figure, axes = canvas(1, 2, size=(9.4, 3.8))
    for axis, (metric, label) in zip(axes, LABELS.items(), strict=True):
        for (name, areas), colour, mark in zip(found.items(), (BLUE, ORANGE), "os", strict=True):
            axis.plot(scores.DIMENSIONS, areas[metric], mark + "-", color=colour, label=name)
        axis.axhline(scores.judged(halves)["Mahalanobis distance"][0][metric], ls="--", color=GREY, label="Mahalanobis")
        axis.set(xscale="log", xlabel="numbers a payment is squeezed into", ylabel=label)
        axis.set_xticks(scores.DIMENSIONS, [str(d) for d in scores.DIMENSIONS])
        axis.minorticks_off()
        plain_axes(axis)
    axes[0].legend(frameon=False)
    ours = found["autoencoder"]["average_precision"]
    plain = scores.judged(halves)["Mahalanobis distance"][0]["average_precision"]
    figure.suptitle(
        f"Squeezed into {scores.DIMENSIONS[0]} to {scores.DIMENSIONS[-1]} numbers, the autoencoder has an average "
        f"precision of {min(ours):.2f} to {max(ours):.2f};\nMahalanobis distance, which squeezes nothing, {plain:.2f}"
    )
    return figure


def errors(halves: scores.Halves, found: dict[str, Array]) -> Figure:
    """The autoencoder's errors of genuine payments and of frauds."""
    each, fraud = found["autoencoder"], halves.labels == 1
    figure, axes = canvas(size=(7.4, 4.0))
    bins = np.geomspace(max(each.min(), 1e-3), each.max(), 60)
    for name, own, colour in (("genuine", each[~fraud], BLUE), ("fraud", each[fraud], ORANGE)):
        axes.hist(own, bins, weights=np.full(len(own), 100 / len(own)), color=colour, alpha=0.6, label=name)
    cut = float(np.quantile(each, 0.99))
    axes.axvline(cut, ls="--", color=GREY, label="the greatest hundredth begins")
    axes.set(xscale="log", xlabel="squared error of what the autoencoder gives back", ylabel="share of its kind (%)")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"The hundredth of payments with the greatest errors holds {(each[fraud] > cut).mean():.0%} of the frauds;\n"
        f"{(each[fraud] < np.median(each)).mean():.0%} of them are given back better than half of all payments"
    )
    return figure
