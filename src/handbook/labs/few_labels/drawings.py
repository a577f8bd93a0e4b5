"""The lab's pictures: accuracies over numbers of labels and shares of wrong ones, with intervals over draws."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.labs.few_labels.noisy_labels import LOSSES, NOISE, PLAIN, Noisy
from handbook.labs.few_labels.pictures import Array, Found, mean_and_half

GREEN = "#2e8b57"
COLOURS = {  # and marks, so that no line is known by its colour alone
    "kernels, fine-tuned": (ORANGE, "o-"), "kernels, frozen": (BLUE, "s-"), "all, fine-tuned": (ORANGE, "o:"),
    "features, frozen": (BLUE, "s:"), "from scratch": (INK, "^-"), "pixels": (GREY, "v--"),
    "logistic regression": (INK, "^--"), "nearest neighbour": (GREY, "v--"), "self-training": (ORANGE, "o-"),
    "label propagation": (GREEN, "D-"), "label spreading": (BLUE, "s-"),
    "cross-entropy": (INK, "^-"), "label smoothing": (BLUE, "s-"), "generalised cross-entropy": (ORANGE, "o-"),
}  # fmt: skip


def transferred(found: dict[str, Found]) -> Figure:
    """Above, what each method reaches by number of labels; below, what transfer is worth over from scratch."""
    figure, axes = canvas(2, len(found), size=(9.4, 6.4), sharey="row", sharex="col", height_ratios=(2, 1))
    for (way, each), above, below in zip(found.items(), *axes, strict=True):
        for name, values in each.accuracy.items():
            _line(above, each.labels, 100 * values, name)
        above.axhline(100 * each.ceiling, ls=":", color=INK, lw=1.2, label=f"all {each.most:,} labels")
        above.set(title=way)
        for name in ("kernels, fine-tuned", "all, fine-tuned"):
            mean, half = each.gain(name, "from scratch")
            _band(below, each.labels, 100 * mean, 100 * half, name)
        below.axhline(0, color=INK, lw=0.8)
        below.set(xlabel="labels of the target")
        _numbers(below, each.labels)
    axes[0, 0].set(ylabel="accuracy on new pictures (%)")
    axes[1, 0].set(ylabel="points over\nfrom scratch")
    axes[0, 1].legend(frameon=False, fontsize=8, loc="lower right")
    figure.suptitle("\n".join(f"{_capital(way)}: {_gained(each)}" for way, each in found.items()), fontsize=9.5)
    return figure


def _gained(found: Found) -> str:
    """What transfer is worth with the fewest labels, and where it is sure to help or to harm."""
    parts = []
    for name in ("kernels, fine-tuned", "all, fine-tuned"):
        mean, half = found.gain(name, "from scratch")
        helps, harms = (found.surely(name, "from scratch", sign) for sign in (1, -1))
        sure = [f"{word} at {_and(at)}" for word, at in (("helps", helps), ("harms", harms)) if at]
        parts.append(
            f"{name} {100 * mean[0]:+.1f} ± {100 * half[0]:.1f} points at {found.labels[0]} labels, "
            + ("; ".join(sure) if sure else "sure of nothing")
        )
    return ";\n".join(parts)


def with_few_labels(found: dict[str, Found]) -> Figure:
    """What the pictures without labels are worth, by number of labels."""
    figure, axes = canvas(1, len(found), size=(9.4, 4.4), sharey=True)
    for (name, each), place in zip(found.items(), axes, strict=True):
        for method, values in each.accuracy.items():
            _line(place, each.labels, 100 * values, method)
        _numbers(place, each.labels)
        place.set(xlabel="labels among the pictures", title=name)
    axes[0].set(ylabel="accuracy on new pictures (%)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    lines = [f"{_capital(name)}: {_helped(each)}" for name, each in found.items()]
    head = "The most that unlabelled pictures bring or cost, over the nearest neighbour and over regression"
    figure.suptitle("\n".join([head, *lines]), fontsize=10)
    return figure


def _helped(found: Found) -> str:
    """The most that unlabelled pictures bring over the better of the two that have the labels alone."""
    parts = []
    for name in ("label spreading", "self-training"):
        alone = "nearest neighbour" if name == "label spreading" else "logistic regression"
        mean, half = found.gain(name, alone)
        k = int(np.abs(mean).argmax())
        parts.append(f"{name} {100 * mean[k]:+.1f} ± {100 * half[k]:.1f} points at {found.labels[k]} labels")
    return ", ".join(parts)


def with_wrong_labels(found: Noisy) -> Figure:
    """Accuracy by share of wrong labels, and how much of what is wrong each loss learns by heart."""
    figure, (right, learnt) = canvas(1, 2, size=(9.4, 4.2))
    shares = 100 * np.array(NOISE)
    for name in LOSSES:
        _line(right, shares, 100 * found.accuracy[name], name)
        _line(learnt, shares[1:], 100 * found.learnt[name][1:], name)
    right.set(xlabel="labels that are wrong (%)", ylabel="accuracy on new pictures (%)")
    learnt.set(xlabel="labels that are wrong (%)", ylabel="of these, learnt by heart (%)", ylim=(0, None))
    learnt.axhline(100 / 9, ls=":", color=GREY, label="by chance")
    learnt.legend(frameon=False, fontsize=8)
    for axes in (right, learnt):
        axes.set_xticks(shares)
    last = {name: mean_and_half(found.accuracy[name][-1] - found.accuracy[PLAIN][-1]) for name in LOSSES}
    figure.suptitle(
        f"With {NOISE[-1]:.0%} of the labels wrong: "
        + ", ".join(f"{name} {100 * m:+.1f} ± {100 * h:.1f}" for name, (m, h) in last.items() if name != PLAIN)
        + f" points\nover {PLAIN}, which falls from {100 * found.accuracy[PLAIN][0].mean():.1f} % to "
        f"{100 * found.accuracy[PLAIN][-1].mean():.1f} %",
        fontsize=10.5,
    )
    return figure


def _line(axes: Axes, x: Array | tuple[int, ...], values: Array, name: str) -> None:
    """The mean of values (x, draws), in a band of its 95 % interval."""
    _band(axes, x, *mean_and_half(values), name)


def _band(axes: Axes, x: Array | tuple[int, ...], mean: Array, half: Array, name: str) -> None:
    colour, form = COLOURS[name]
    axes.plot(x, mean, form, color=colour, ms=4, lw=1.5, label=name)
    axes.fill_between(x, mean - half, mean + half, color=colour, alpha=0.15, lw=0)
    plain_axes(axes)


def _numbers(axes: Axes, labels: tuple[int, ...]) -> None:
    """A logarithmic axis that names the numbers of labels that were tried, and no others."""
    axes.set_xscale("log")
    axes.set_xticks(labels, [f"{n:,}" for n in labels])
    axes.minorticks_off()


def _and(numbers: list[int]) -> str:
    *first, last = (f"{n:,}" for n in numbers)
    return f"{', '.join(first)} and {last}" if first else last


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
