"""Charts: curves over epochs, rankings, panels, projections, trees."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from handbook.evaluation.figures.style import BLUE, GREY, INK, ORANGE, Array, canvas, plain_axes


def learning_curves(rows: Sequence[dict[str, float]], title: str, loss_label: str = "cross-entropy (nats)") -> Figure:
    """Loss and, where there is a held-out part, its loss and accuracy, an epoch a point."""
    held_out = "valid_accuracy" in rows[0]
    figure, axes = canvas(1, 2 if held_out else 1, size=(8.4 if held_out else 5.6, 3.6), squeeze=False)
    epochs = [row["epoch"] for row in rows]
    loss = axes[0, 0]
    for key, label, colour in (("train_loss", "training", BLUE), ("valid_loss", "held out", ORANGE)):
        if key in rows[0]:
            loss.plot(epochs, [row[key] for row in rows], "o-", ms=3, color=colour, label=label)
    loss.set(xlabel="epoch", ylabel=loss_label)
    loss.xaxis.get_major_locator().set_params(integer=True)
    loss.legend(frameon=False)
    plain_axes(loss)
    if held_out:
        score = axes[0, 1]
        score.plot(epochs, [100 * row["valid_accuracy"] for row in rows], "o-", ms=3, color=ORANGE)
        score.set(xlabel="epoch", ylabel="held-out accuracy (%)")
        score.xaxis.get_major_locator().set_params(integer=True)
        plain_axes(score)
    figure.suptitle(title)
    return figure


def bars(names: Sequence[str], values: Array, title: str, label: str, error: Array | None = None) -> Figure:
    """Horizontal bars, the first on top; `error` (N,) or (2, N) as matplotlib takes it."""
    figure, axes = canvas(size=(6.6, 0.28 * len(names) + 1.3))
    axes.barh(range(len(names)), values, xerr=error, color=BLUE, height=0.7, ecolor=INK)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xlabel=label, title=title)
    plain_axes(axes)
    return figure


def paths(x: Array, lines: dict[str, Array], title: str, x_label: str, y_label: str, *, log: bool = True) -> Figure:
    """Named lines over a common x, such as coefficients over a penalty; the axis of x logarithmic or not."""
    from matplotlib import colormaps

    figure, axes = canvas(size=(7.4, 4.4))
    for (name, line), colour in zip(lines.items(), cycle(colormaps["tab20"](range(20)))):
        axes.plot(x, line, label=name, color=colour)
    axes.set(xlabel=x_label, ylabel=y_label, title=title, xscale="log" if log else "linear")
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    plain_axes(axes)
    return figure


def ranking(
    names: Sequence[str], values: Array, intervals: Array, title: str, label: str, *, zero_line: bool = False
) -> Figure:
    """A point and its interval (N, 2) for each name, the first on top; with `zero_line`, a line at zero."""
    figure, axes = canvas(size=(6.8, 0.28 * len(names) + 1.3))
    places = np.arange(len(names))
    if zero_line:
        axes.axvline(0, ls="--", color=GREY)
    axes.hlines(places, intervals[:, 0], intervals[:, 1], color=GREY, lw=2)
    axes.plot(values, places, "o", color=BLUE)
    axes.plot(values[:1], places[:1], "o", color=ORANGE)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set(xlabel=label)
    figure.suptitle(title)
    plain_axes(axes)
    return figure


def panels(
    groups: dict[str, dict[str, tuple[Array, Array]]], title: str, x_labels: Sequence[str], label: str
) -> Figure:
    """Small multiples: for each group its named lines (x, y), x logarithmic where it spans more than a decade."""
    columns = min(3, len(groups))
    rows = -(-len(groups) // columns)
    figure, axes = canvas(rows, columns, size=(3.3 * columns + 0.4, 2.5 * rows + 0.5), squeeze=False)
    for place in axes.flat[len(groups) :]:
        place.axis("off")
    for place, (name, lines), x_label in zip(axes.flat, groups.items(), x_labels, strict=False):
        for line, (x, y) in lines.items():
            place.plot(x, y, "o-", ms=3, label=line)
        at = np.unique(np.concatenate([x for x, _ in lines.values()]))
        place.set(title=name, xlabel=x_label, xscale="log" if at[0] > 0 and at[-1] > 10 * at[0] else "linear")
        if place.get_xscale() == "log":  # the values themselves: between decades, matplotlib's labels overlap
            place.set_xticks(at, [f"{value:,.4g}" for value in at], fontsize=7)
            place.minorticks_off()
        place.title.set_fontsize(9)
        if any(lines):
            place.legend(frameon=False, fontsize=7)
        plain_axes(place)
    figure.supylabel(label, fontsize=9)
    figure.suptitle(title)
    return figure


def projection(points: Array, labels: Array, classes: Sequence[str], title: str) -> Figure:
    """Points (N, 2) as a scatter, or (N, 1) as densities, a colour a class."""
    figure, axes = canvas(size=(6.0, 4.4))
    bins = np.histogram_bin_edges(points[:, 0], 60)
    for k, (name, colour) in enumerate(zip(classes, (BLUE, ORANGE, INK, GREY, "#3a923a"), strict=False)):
        own = points[labels == k]
        if points.shape[1] > 1:
            axes.scatter(own[:, 0], own[:, 1], s=18, color=colour, alpha=0.8, label=name)
        else:
            axes.hist(own[:, 0], bins, density=True, color=colour, alpha=0.55, label=name)
    axes.set(xlabel="first axis", ylabel="second axis" if points.shape[1] > 1 else "density")
    figure.suptitle(title)
    axes.legend(frameon=False)
    plain_axes(axes)
    return figure


def tree(fitted: Any, names: Sequence[str], classes: Sequence[str] | None, title: str, depth: int = 3) -> Figure:
    """A fitted decision tree of scikit-learn, down to that depth."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from sklearn.tree import plot_tree

    figure, axes = canvas(size=(13, 5.6))
    FigureCanvasAgg(figure)  # plot_tree measures its text, which takes a canvas that draws
    plot_tree(
        fitted, max_depth=depth, feature_names=list(names), class_names=list(classes) if classes else None,
        filled=True, impurity=False, proportion=bool(classes), rounded=True, precision=2, fontsize=6, ax=axes,
    )  # fmt: skip
    axes.set_title(title)
    return figure


def scatter(x: Array, y: Array, title: str, x_label: str, y_label: str) -> Figure:
    """Points, and the line on which both are equal."""
    figure, axes = canvas(size=(5.2, 4.8))
    axes.plot(x, y, "o", ms=4, color=BLUE, alpha=0.7)
    span = [min(x.min(), y.min()), max(x.max(), y.max())]
    axes.plot(span, span, "--", color=GREY)
    axes.set(xlabel=x_label, ylabel=y_label, title=title)
    plain_axes(axes)
    return figure


def shares(names: Sequence[str], groups: dict[str, Array], title: str, limits: Sequence[float] = ()) -> Figure:
    """Shares (K,) of K classes in each named group, side by side, in per cent; limits as lines across."""
    figure, axes = canvas(size=(0.55 * len(names) + 2.6, 3.6))
    width = 0.8 / len(groups)
    for k, ((name, values), colour) in enumerate(zip(groups.items(), (BLUE, GREY, ORANGE, INK), strict=False)):
        axes.bar(
            np.arange(len(names)) + (k - (len(groups) - 1) / 2) * width, 100 * values, width, color=colour, label=name
        )
    for limit in limits:
        axes.axhline(100 * limit, ls="--", lw=1, color=INK)
    axes.set_xticks(range(len(names)), names)
    axes.set(ylabel="share (%)")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    plain_axes(axes)
    figure.suptitle(title)
    return figure
