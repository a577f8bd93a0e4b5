"""The lab's pictures of graph convolution: what edges are worth, and convolution along a line as a special case."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.evaluation.metrics import mean_interval
from handbook.labs.beyond import graph
from handbook.labs.beyond.drawings import GREEN
from handbook.labs.beyond.pictures import ALONE, FLOW, GCN, LINEAR, LOGISTIC, Judged
from handbook.labs.beyond.planted import LABELS, SHARES, Planted
from handbook.labs.beyond.rows import Array

STYLES = {  # marks and dashes too, so that no line is known by its colour alone
    GCN: (ORANGE, "o-"), LINEAR: (BLUE, "s-"), FLOW: (GREEN, "D:"), ALONE: (GREY, "v--"), LOGISTIC: (INK, "^--"),
}  # fmt: skip


def edges(judged: Judged, planted: Planted) -> Figure:
    """Accuracy by number of labels on neighbours' edges, and what drawn edges are worth by how much they know."""
    figure, (left, right) = canvas(1, 2, size=(10.4, 4.8))
    for k, (name, values) in enumerate(judged.accuracy.items()):
        _line(left, np.array(judged.labels) * 1.05 ** (k - 2), 100 * values, name)
    left.set(xscale="log", xlabel="labels of a class (marks moved apart)", ylabel="accuracy on the other pictures (%)")
    left.set_xticks(judged.labels, [str(n) for n in judged.labels])
    left.minorticks_off()
    left.legend(frameon=False, fontsize=8.5, loc="lower right")
    left.set_title(f"edges between nearest neighbours, {judged.alike:.0%} within a class", fontsize=10)
    mean, low, high = 100 * np.array(planted.gain()).T
    right.errorbar(100 * np.array(SHARES), mean, (mean - low, high - mean), fmt="o-", color=ORANGE, capsize=3)
    right.axhline(0, color=INK, lw=0.9)
    near = judged.labels.index(LABELS)
    found, least, most = 100 * np.array(judged.gain(GCN, LOGISTIC)[near])
    right.errorbar(100 * judged.alike, found, [[found - least], [most - found]], fmt="s", color=BLUE, capsize=3,
                   label="between nearest neighbours")  # fmt: skip
    right.set(xlabel="edges within a class (%)", ylabel="points over logistic regression")
    right.set_title(f"edges drawn by lot (simulated), {LABELS} labels a class", fontsize=10)
    right.legend(frameon=False, fontsize=8.5, loc="upper left")
    plain_axes(right)
    pays = planted.pays_from()
    figure.suptitle(
        f"Neighbours' edges are worth {found:+.1f} points [{least:+.1f}, {most:+.1f}] over logistic regression at "
        f"{LABELS} labels a class, with {judged.alike:.0%} of them within a class;\nedges drawn apart from the inputs "
        + (f"surely pay from {pays:.0%} within a class on" if pays <= 1 else "surely pay nowhere"), fontsize=11,
    )  # fmt: skip
    return figure


def _line(axes: Axes, x: Array, values: Array, name: str) -> None:
    colour, form = STYLES[name]
    mean, low, high = np.array([mean_interval(each) for each in values]).T
    axes.errorbar(x, mean, (mean - low, high - mean), fmt=form, color=colour, ms=4.5, lw=1.4, capsize=2, label=name)
    plain_axes(axes)


def line(row: Array) -> Figure:
    """A pulse and a row of pixels (28,), convolved on the graph of a path and by numpy."""
    figure, (pulse, pixels) = canvas(1, 2, size=(9.6, 3.9))
    one = np.zeros(21)
    one[10] = 1
    for times, colour, form in ((1, ORANGE, "o-"), (2, BLUE, "s-"), (4, GREEN, "D-")):
        pulse.plot(graph.along_a_line(one, times), form, color=colour, ms=4, label=f"{times} x on the graph")
        reach = np.arange(10 - times, 11 + times)
        pulse.plot(reach, graph.kernel(times), "+", color=INK, ms=9, label="1-D kernel" if times == 4 else None)
    pulse.set(xlabel="node of the path", ylabel="value", title="a pulse", xticks=range(0, 21, 4))
    pulse.legend(frameon=False, fontsize=8.5)
    mixed, usual = graph.along_a_line(row), np.convolve(row, graph.kernel(1), "same")
    pixels.plot(row, ":", color=GREY, label="a row of a garment's pixels")
    pixels.plot(mixed, "o-", color=ORANGE, ms=4, label="on the graph of a path")
    pixels.plot(usual, "+", color=INK, ms=9, label="numpy.convolve")
    pixels.set(xlabel="pixel of the row", ylabel="intensity, 0-255", title="a row of a picture")
    pixels.legend(frameon=False, fontsize=8.5, loc="upper left")
    for axes in (pulse, pixels):
        plain_axes(axes)
    inner = np.abs(mixed - usual)[2:-2].max()
    figure.suptitle(
        "Graph convolution on a path is the 1-D convolution with kernel (1, 1, 1) / 3:\n"
        f"the greatest gap two nodes from the ends on is {inner:.0e} of 255", fontsize=11,
    )  # fmt: skip
    return figure
