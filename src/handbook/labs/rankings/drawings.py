"""The lab's pictures: results in, a Figure out, the finding as its title."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.labs.rankings import coverage, judging
from handbook.labs.rankings.folds import FOLDS, Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = npt.NDArray[Any]
LETTERS = 100  # of a title's line
NAMED = 4  # algorithms that a title names before it counts


def display_name(name: str) -> str:
    """`svc_rbf` as people write it; `evaluation.comparison` has it too, and is built upon training, as no lab is."""
    return name.replace("_", " ").replace("svc", "SVC").replace("svr", "SVR").replace("rbf", "RBF")


def _wrapped(*lines: str) -> str:
    return "\n".join(textwrap.fill(each, LETTERS) for each in lines)


def _listed(names: list[str]) -> str:
    """A few names as people write them, and how many more there are."""
    shown = [display_name(each) for each in names[:NAMED]]
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    words = shown + more
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def lead(results: Results) -> str:
    """Who is best by mean score, and who cannot be distinguished from it."""
    level = judging.level_with_best(results)
    best = display_name(results.names[judging.order(results)[0]])
    if not level:
        return f"{results.title}: {best} is best, and differs from all {len(results.names) - 1} others"
    return (
        f"{results.title}: {best} is best; {len(level)} of {len(results.names) - 1} cannot be distinguished from it: "
        f"{_listed(level)}"
    )


def ranks(results: Results) -> Figure:
    """A critical-difference picture (Demšar 2006): mean ranks on a line, bars joining those who do not differ."""
    mean, apart = judging.ranks(results.scores), judging.differ(results)
    k = len(mean)
    along = np.argsort(mean, kind="stable")
    bars = judging.groups(mean, apart)
    left = -(-k // 2)
    depth = 0.5 + 0.32 * len(bars)  # of the lines below the axis, before the first name
    figure, axes = canvas(size=(9.0, 2.2 + 0.22 * len(bars) + 0.27 * left))
    axes.set(xlim=(1 - 0.34 * k, k + 0.34 * k), ylim=(depth + 0.5 * left, -1.9))
    axes.set_axis_off()
    _scale(axes, k)
    for number, each in enumerate(along):
        words = display_name(results.names[each]), f"{abs(float(results.scores[each].mean())):.3f}"
        _named(axes, words, float(mean[each]), number, (depth, left, k))
    for number, (first, last) in enumerate(bars):
        ends = [float(mean[along[first]]) - 0.06, float(mean[along[last]]) + 0.06]
        axes.plot(ends, [0.35 + 0.32 * number] * 2, color=ORANGE, lw=4, solid_capstyle="butt")
    _ruler(axes, judging.critical_difference(*results.scores.shape), results.scores.shape[1])
    parted, total = judging.pairs(apart)
    figure.suptitle(
        _wrapped(lead(results), f"{parted} of {total} pairs differ; a bar joins those of whom none do"), fontsize=11
    )
    return figure


def _scale(axes: Axes, k: int) -> None:
    """The line of ranks, 1 on the left."""
    axes.plot([1, k], [0, 0], color=INK, lw=1.2)
    for rank in range(1, k + 1):
        axes.plot([rank] * 2, [-0.16, 0], color=INK, lw=1.2)
        axes.text(rank, -0.26, str(rank), ha="center", va="bottom", fontsize=9)
    axes.text((1 + k) / 2, -0.78, "mean rank over the folds, 1 is best", ha="center", va="bottom", fontsize=9)


def _named(axes: Axes, words: tuple[str, str], at: float, number: int, layout: tuple[float, int, int]) -> None:
    """An algorithm's name and mean score on the left or the right, and a line from its rank to them."""
    name, score = words
    depth, left, k = layout
    better = number < left
    height = depth + 0.5 * (number if better else k - 1 - number)
    side = 1 - 0.03 * k if better else k + 0.03 * k
    axes.plot([at, at, side], [0, height, height], color=GREY, lw=0.9, zorder=0)
    axes.plot(at, 0, "o", ms=4, color=BLUE, zorder=3)
    axes.text(
        side - 0.06 if better else side + 0.06, height, f"{name}  {score}" if better else f"{score}  {name}",
        ha="right" if better else "left", va="center", fontsize=9,
    )  # fmt: skip


def _ruler(axes: Axes, width: float, blocks: int) -> None:
    """How far apart ranks would have to lie by Nemenyi, above the scale."""
    axes.plot([1, 1 + width], [-1.45, -1.45], color=INK, lw=1.6)
    for end in (1, 1 + width):
        axes.plot([end] * 2, [-1.55, -1.35], color=INK, lw=1.6)
    words = f"Nemenyi's critical difference, {width:.2f}, were the {blocks} folds independent (they are not)"
    axes.text(1 + width + 0.15, -1.45, words, ha="left", va="center", fontsize=8)


def differences(results: Results) -> Figure:
    """Scores with both intervals, and what each algorithm falls short of the best on the same folds."""
    order = judging.order(results)
    scores, ratio = results.scores[order], results.ratio
    short = scores - scores[0]
    level = {results.names[order[0]], *judging.level_with_best(results)}
    colours = [BLUE if results.names[each] in level else GREY for each in order]
    figure, axes = canvas(1, 2, size=(9.6, 0.3 * len(order) + 1.7), sharey=True)
    places = np.arange(len(order))
    for axis, each in zip(axes, (scores, short), strict=True):
        mean, wide, narrow = each.mean(axis=1), judging.half_width(each, ratio), judging.half_width(each, 0.0)
        axis.hlines(places, mean - wide, mean + wide, color=colours, lw=1.4)
        axis.hlines(places, mean - narrow, mean + narrow, color=colours, lw=5, alpha=0.55)
        axis.scatter(mean, places, s=22, color=colours, edgecolors=INK, linewidths=0.6, zorder=3)
        plain_axes(axis)
    axes[1].axvline(0, ls="--", color=ORANGE, lw=1)
    axes[0].set_yticks(places, [display_name(results.names[each]) for each in order])
    axes[0].invert_yaxis()
    axes[0].set(xlabel=f"{results.metric}, mean over folds")
    axes[1].set(xlabel="difference from the best, on the same folds")
    ratio_of_widths = float((judging.half_width(scores, ratio) / judging.half_width(scores, 0.0)).mean())
    figure.suptitle(
        _wrapped(
            lead(results),
            f"Blue: the best, and those not distinguished from it among all {len(order) * (len(order) - 1) // 2} pairs "
            "(Holm). "
            f"Thin: corrected 95 % intervals, each by itself, {ratio_of_widths:.1f} times as wide as usual (thick)",
        ),
        fontsize=11,
    )
    return figure


def covered() -> Figure:
    """How often both intervals hold the truth, by the number of rounds."""
    curves = coverage.curves()
    figure, axes = canvas(size=(7.2, 4.0))
    for (name, values), colour, mark in zip(curves.items(), (BLUE, ORANGE), "os", strict=True):
        axes.plot(coverage.ROUNDS, np.array(values) * 100, mark + "-", color=colour, label=f"{name} interval")
    axes.axhline(95, ls="--", color=GREY, label="as promised, 95 %")
    axes.set(xscale="log", ylim=(0, 102), xlabel=f"rounds of {FOLDS} folds", ylabel="intervals that hold the truth (%)")
    axes.set_xticks(coverage.ROUNDS, [str(each) for each in coverage.ROUNDS])
    axes.minorticks_off()
    axes.legend(frameon=False, loc="lower left")
    plain_axes(axes)
    ten = coverage.ROUNDS.index(10)
    figure.suptitle(
        f"Over 10 rounds the usual 95 % interval holds the truth in {curves['usual'][ten]:.0%} of "
        f"{coverage.TABLES:,} drawn tables,\nthe corrected one in {curves['corrected'][ten]:.0%}; "
        "more rounds make the usual one worse"
        + ("" if curves["usual"][-1] < curves["usual"][ten] else ", which is not seen here"),
        fontsize=11,
    )
    return figure
