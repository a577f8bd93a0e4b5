"""Figures: arrays in, a Figure out, with the finding as its title. No pyplot, so no state and no display."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Array = npt.NDArray[Any]
INK, BLUE, ORANGE, GREY = "#1f2933", "#1f6fb2", "#d9731a", "#9aa5b1"


def canvas(
    rows: int = 1, columns: int = 1, size: tuple[float, float] = (6.4, 4.2), **kwargs: Any
) -> tuple[Figure, Any]:
    """A figure and its axes, laid out so that nothing is cut off."""
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, **kwargs)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)


def mark_sample(figure: Figure) -> None:
    """Say on the picture itself that it shows sample data."""
    figure.text(
        0.5,
        0.5,
        "SAMPLE DATA",
        fontsize=34,
        color="#b00020",
        alpha=0.22,
        ha="center",
        va="center",
        rotation=25,
    )
    figure.supxlabel("made from sample data: not a result", fontsize=8, color="#b00020")


def mark_form(figure: Figure, dataset: str, form: str) -> None:
    """Say below the picture which form of the data it shows, where they are published in several."""
    figure.supxlabel(f"data: {dataset} ({form})", fontsize=8, color="#5b6773")


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
    _plain(loss)
    if held_out:
        score = axes[0, 1]
        score.plot(epochs, [100 * row["valid_accuracy"] for row in rows], "o-", ms=3, color=ORANGE)
        score.set(xlabel="epoch", ylabel="held-out accuracy (%)")
        score.xaxis.get_major_locator().set_params(integer=True)
        _plain(score)
    figure.suptitle(title)
    return figure


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
    _plain(curve)
    _plain(bars)
    return figure


def reliability_of_chances(share: Array, chance: Array, count: Array, title: str) -> Figure:
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
        _plain(place)
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
    _plain(curve)
    _plain(times)
    figure.suptitle(title)
    return figure


def bars(names: Sequence[str], values: Array, title: str, label: str, error: Array | None = None) -> Figure:
    """Horizontal bars, the first on top; `error` (N,) or (2, N) as matplotlib takes it."""
    figure, axes = canvas(size=(6.6, 0.28 * len(names) + 1.3))
    axes.barh(range(len(names)), values, xerr=error, color=BLUE, height=0.7, ecolor=INK)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xlabel=label, title=title)
    _plain(axes)
    return figure


def paths(x: Array, lines: dict[str, Array], title: str, x_label: str, y_label: str, *, log: bool = True) -> Figure:
    """Named lines over a common x, such as coefficients over a penalty; the axis of x logarithmic or not."""
    from matplotlib import colormaps

    figure, axes = canvas(size=(7.4, 4.4))
    for (name, line), colour in zip(lines.items(), cycle(colormaps["tab20"](range(20)))):
        axes.plot(x, line, label=name, color=colour)
    axes.set(xlabel=x_label, ylabel=y_label, title=title, xscale="log" if log else "linear")
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    _plain(axes)
    return figure


def gallery(images: Array, captions: Sequence[str], title: str, columns: int = 6) -> Figure:
    """Grey pictures (N, H, W), each with its caption."""
    rows = max(1, -(-len(images) // columns))
    figure, axes = canvas(rows, columns, size=(1.55 * columns, 1.9 * rows + 0.5), squeeze=False)
    for place in axes.flat:
        place.axis("off")
    for place, image, caption in zip(axes.flat, images, captions, strict=False):
        place.imshow(image, cmap="gray", vmin=0, vmax=255)
        place.set_title(caption, fontsize=7.5)
    figure.suptitle(title)
    return figure


def filters(weights: Array, title: str, columns: int = 8) -> Figure:
    """Convolution kernels (N, H, W): blue is negative, red positive, white nought."""
    columns = min(columns, len(weights))
    rows = -(-len(weights) // columns)
    figure, axes = canvas(rows, columns, size=(1.3 * columns + 0.6, 1.45 * rows + 0.65), squeeze=False)
    limit = float(np.abs(weights).max()) or 1.0
    for place in axes.flat:
        place.axis("off")
    for number, (place, kernel) in enumerate(zip(axes.flat, weights, strict=False), start=1):
        shown = place.imshow(kernel, cmap="RdBu_r", vmin=-limit, vmax=limit)
        place.set_title(str(number), fontsize=8)
    figure.colorbar(shown, ax=axes, shrink=0.8)
    figure.suptitle(title)
    return figure


def feature_maps(picture: Array, layers: dict[str, Array], title: str) -> Figure:
    """A picture (H, W), and under it a row for each layer with its maps (N, h, w), as many for all; white is most."""
    columns = max(len(maps) for maps in layers.values())
    figure, axes = canvas(len(layers) + 1, columns, size=(1.15 * columns + 1.2, 1.2 * (len(layers) + 1) + 0.5))
    for place in axes.flat:
        place.set(xticks=[], yticks=[])
        place.set_frame_on(False)
    axes[0, 0].imshow(picture, cmap="gray")
    axes[0, 0].set_ylabel("picture", fontsize=8)
    for row, (name, maps) in zip(axes[1:], layers.items(), strict=True):
        row[0].set_ylabel(f"{name}\n{maps.shape[1]} x {maps.shape[2]}", fontsize=8)
        for place, shown in zip(row, maps, strict=False):
            place.imshow(shown, cmap="magma", vmin=0, vmax=max(float(maps.max()), 1e-9))
    figure.suptitle(title)
    return figure


def receptive_fields(picture: Array, formula: dict[str, int], measured: Array, title: str) -> Figure:
    """What the middle value of each layer sees, pixels across: by formula, by trial (N,), as squares on a picture."""
    figure, (growth, drawn) = canvas(1, 2, size=(9.6, 4.4), width_ratios=(1.1, 1))
    names, fields = list(formula), np.array(list(formula.values()))
    places = np.arange(len(names))
    growth.step(places, fields, where="mid", color=BLUE, label="formula")
    growth.plot(places, measured, "o", color=ORANGE, label="where the gradient comes")
    growth.axhline(len(picture), ls="--", color=GREY, label="the picture's width")
    growth.set_xticks(places, names, rotation=60, ha="right", fontsize=7)
    growth.set(ylabel="receptive field (pixels across)")
    growth.legend(frameon=False, fontsize=8)
    _plain(growth)
    middle, half = (len(picture) - 1) / 2, float(fields.max()) / 2 + 2
    drawn.imshow(picture, cmap="gray", vmin=0, vmax=255)
    for name, field, shade in zip(names, fields, np.linspace(0.15, 0.95, len(names)), strict=True):
        low = middle - field / 2
        corners = [low, low + field, low + field, low, low], [low, low, low + field, low + field, low]
        drawn.plot(*corners, color=matplotlib.colormaps["viridis"](shade), lw=1.5, label=f"{field} pixels, {name}")
    drawn.set(xlim=(middle - half, middle + half), ylim=(middle + half, middle - half), xticks=[], yticks=[])
    drawn.set_facecolor("black")
    drawn.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.suptitle(title)
    return figure


def attributions(images: Array, shares: Array, captions: Sequence[str], title: str, columns: int = 6) -> Figure:
    """Pictures (N, H, W), and under each what its pixels add (N, H, W): red for the answer given, blue against it."""
    rows = max(1, -(-len(images) // columns))
    figure, axes = canvas(2 * rows, columns, size=(1.6 * columns, 3.35 * rows + 0.6), squeeze=False)
    for place in axes.flat:
        place.axis("off")
    for k, (image, share, caption) in enumerate(zip(images, shares, captions, strict=True)):
        above, below = axes[2 * (k // columns), k % columns], axes[2 * (k // columns) + 1, k % columns]
        above.imshow(image, cmap="gray", vmin=0, vmax=255)
        above.set_title(caption, fontsize=7.5)
        limit = float(np.percentile(np.abs(share), 99.5)) or 1.0
        below.imshow(share, cmap="RdBu_r", vmin=-limit, vmax=limit)
    figure.suptitle(title)
    return figure


def ranking(
    names: Sequence[str], values: Array, intervals: Array, title: str, label: str, *, nought: bool = False
) -> Figure:
    """A point and its interval (N, 2) for each name, the first on top; with `nought`, a line where nothing is."""
    figure, axes = canvas(size=(6.8, 0.28 * len(names) + 1.3))
    places = np.arange(len(names))
    if nought:
        axes.axvline(0, ls="--", color=GREY)
    axes.hlines(places, intervals[:, 0], intervals[:, 1], color=GREY, lw=2)
    axes.plot(values, places, "o", color=BLUE)
    axes.plot(values[:1], places[:1], "o", color=ORANGE)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set(xlabel=label)
    figure.suptitle(title)
    _plain(axes)
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
        _plain(place)
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
    _plain(axes)
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
    _plain(axes)
    return figure


def mosaic(
    pictures: Array, title: str, rows: Sequence[str] = (), columns: Sequence[str] = (), side: float = 0.62
) -> Figure:
    """Bytes (R, C, H, W) or (R, C, H, W, 3) as one picture, named by row and by column; `side` of each in inches."""
    down, across, height, width = pictures.shape[:4]
    gap = max(1, height // 14)
    framed = np.pad(
        pictures, ((0, 0), (0, 0), (0, gap), (0, gap), *[(0, 0)] * (pictures.ndim - 4)), constant_values=255
    )
    order = (0, 2, 1, 3, *range(4, pictures.ndim))
    whole = framed.transpose(order).reshape(down * (height + gap), across * (width + gap), *pictures.shape[4:])
    label = 0.09 * max(map(len, rows), default=0)
    figure, axes = canvas(size=(max(side * across + label + 0.3, 0.085 * len(title)), side * down + 0.75))
    axes.imshow(whole[:-gap, :-gap], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_yticks(np.arange(len(rows)) * (height + gap) + height / 2, rows, fontsize=8)
    axes.set_xticks(np.arange(len(columns)) * (width + gap) + width / 2, columns, fontsize=8)
    axes.tick_params(length=0, top=False, labeltop=bool(columns), bottom=False, labelbottom=False)
    axes.spines[:].set_visible(False)
    figure.suptitle(title)
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
    _plain(axes)
    figure.suptitle(title)
    return figure


def passage(text: str, values: Array, title: str, label: str, width: int = 64) -> Figure:
    """A text whose every character (N,) is tinted by its value, from nought up; lines longer than `width` are cut."""
    lines: list[list[tuple[str, float]]] = [[]]
    for character, value in zip(text, values, strict=True):
        lines[-1].append((character, float(value)))
        if character == "\n" or len(lines[-1]) >= width:
            lines.append([])
    tint = np.full((len(lines), width), np.nan)
    for row, content in enumerate(lines):
        tint[row, : len(content)] = [value for _, value in content]
    figure, axes = canvas(size=(0.1 * width + 1.0, 0.2 * len(lines) + 0.7))
    shown = axes.imshow(tint, cmap="Oranges", vmin=0, vmax=8, aspect="auto")
    for row, content in enumerate(lines):
        for column, (character, value) in enumerate(content):
            mark = {"\n": "¶", "\t": "→"}.get(character, character)
            axes.text(column, row, mark, ha="center", va="center", fontsize=8, family="monospace",
                      color="white" if value > 5 else INK, parse_math=False)  # fmt: skip
    axes.axis("off")
    figure.colorbar(shown, ax=axes, label=label, shrink=min(1, 6 / len(lines)), aspect=12)
    figure.suptitle(title)
    return figure


def specimens(texts: dict[str, str], title: str, lines: int = 14, columns: int = 2) -> Figure:
    """Texts side by side, each under its caption, their first lines but the blank ones."""
    rows = -(-len(texts) // columns)
    figure, axes = canvas(rows, columns, size=(5.6 * columns, (0.15 * lines + 0.4) * rows + 0.5), squeeze=False)
    for place in axes.flat:
        place.axis("off")
    for place, (caption, text) in zip(axes.flat, texts.items(), strict=False):
        wrapped = [part for line in text.expandtabs(4).split("\n") if line.strip() for part in _wrapped(line, 62)]
        place.text(0, 1, "\n".join(wrapped[:lines]), va="top", fontsize=8, family="monospace", color=INK,
                   parse_math=False, transform=place.transAxes)  # fmt: skip
        place.set_title(caption, fontsize=8, loc="left", color=BLUE)
    figure.suptitle(title)
    return figure


def _wrapped(line: str, width: int) -> list[str]:
    return [line[start : start + width] for start in range(0, max(len(line), 1), width)]


def cumulative(groups: dict[str, Array], title: str, x_label: str, y_label: str) -> Figure:
    """For each named group of values (N,), the share of it that lies below x."""
    values = np.concatenate(list(groups.values()))
    x = np.linspace(0, np.quantile(values, 0.995), 100)
    lines = {name: np.searchsorted(np.sort(each), x) / len(each) for name, each in groups.items()}
    return paths(x, lines, title, x_label, y_label, log=False)
