"""The lab's pictures of Bayesian networks: the tree among the attributes, calibration, and answers to queries."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.labs.beyond import classified, network
from handbook.labs.beyond.classified import LOGISTIC, NAIVE, TREE, Found

MARKS = {NAIVE: (ORANGE, "s-"), TREE: (BLUE, "o-"), LOGISTIC: (INK, "^--")}


def dependences(found: Found) -> Figure:
    """The tree among the attributes, and how far each model's probabilities are those of the test rows."""
    figure, (left, right) = canvas(1, 2, size=(11, 5), width_ratios=(1.25, 1))
    _tree(left, found)
    for name, (colour, form) in MARKS.items():
        share, mean, _ = classified.reliability(found, name)
        error = found.measures["calibration error"][name][0]
        right.plot(mean, share, form, color=colour, ms=5, label=f"{name}: off by {error:.3f} on average")
    right.plot([0, 1], [0, 1], ":", color=GREY)
    right.set(xlabel="probability of a yes", ylabel="share of yes in the test rows", xlim=(0, 1), ylim=(0, 1))
    right.legend(frameon=False, fontsize=8.5, loc="upper left")
    plain_axes(right)
    losses = ", ".join(f"{name} {values[0]:.3f}" for name, values in found.measures["log-loss"].items())
    less = [
        f"less {over} {value:+.3f} [{low:+.3f}, {high:+.3f}]"
        for over in (NAIVE, LOGISTIC)
        for value, low, high in [found.gain("log-loss", TREE, over)]
    ]
    figure.suptitle(f"Log-loss (nats): {losses};\nthe tree {', '.join(less)}", fontsize=11)
    return figure


def _tree(axes: Axes, found: Found) -> None:
    """Attributes from the root on the left, edges as wide as their conditional mutual information."""
    depth: dict[int, int] = {}
    height: dict[int, float] = {}
    leaves = 0
    for a in network.order(found.parents):
        depth[a] = depth[found.parents[a]] + 1 if found.parents[a] >= 0 else 0
    for a in _depth_first(found.parents):
        children = [b for b, parent in enumerate(found.parents) if parent == a]
        if children:
            height[a] = float(np.mean([height[b] for b in children]))
        else:
            height[a], leaves = float(leaves), leaves + 1
    for a, parent in enumerate(found.parents):
        if parent >= 0:
            axes.plot([depth[parent], depth[a]], [height[parent], height[a]], color=BLUE, alpha=0.6,
                      lw=0.6 + 10 * found.weights[a], zorder=1)  # fmt: skip
        axes.text(depth[a], height[a], found.names[a], ha="center", va="center", fontsize=8.5,
                  bbox={"boxstyle": "round,pad=0.25", "fc": "white", "ec": INK, "lw": 0.7})  # fmt: skip
    axes.set(xlim=(-0.5, max(depth.values()) + 0.5), ylim=(leaves - 0.5, -0.5))
    axes.set_axis_off()
    axes.set_title("each depends on the class, and on the one to its left", fontsize=10)


def _depth_first(parents: tuple[int, ...]) -> list[int]:
    """Attributes so that each comes after all that depend on it, those of a branch together."""

    def below(a: int) -> list[int]:
        return [*(c for b, parent in enumerate(parents) if parent == a for c in below(b)), a]

    return below(parents.index(-1))


def answered(found: Found) -> Figure:
    """What the network answers where most is unknown, beside what such clients of the test rows did."""
    figure, axes = canvas(size=(7.8, 3.8))
    for k, query in enumerate(found.queries):
        share, low, high = query.observed
        axes.errorbar(100 * share, k, xerr=[[100 * (share - low)], [100 * (high - share)]], fmt="s", color=GREY, ms=5,
                      capsize=3, label="test rows, 95 % interval" if k == 0 else None)  # fmt: skip
        axes.plot(100 * query.answer, k, "o", color=BLUE, ms=6, label="exact inference" if k == 0 else None)
    axes.set_yticks(range(len(found.queries)), [f"{q.known} ({q.clients:,})" for q in found.queries])
    axes.invert_yaxis()
    axes.set(xlabel="yes (%)", ylabel="all that is known (test rows)")
    axes.legend(frameon=False, fontsize=8.5)
    plain_axes(axes)
    held = sum(q.observed[1] <= q.answer <= q.observed[2] for q in found.queries)
    figure.suptitle(
        f"Asked with most attributes unknown, the tree answers within the interval of the test rows\n"
        f"in {held} of {len(found.queries)} queries; inference is off enumeration by {found.gap:.0e} at most",
        fontsize=11,
    )  # fmt: skip
    return figure
