"""The lab's pictures: how the share of yes moves, both splits side by side, and what probabilities are worth."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from handbook.evaluation import paired
from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.labs.bank_by_time.calls import ATTRIBUTES, PIECES, Calls
from handbook.labs.bank_by_time.fall import SPLITS, Measured, log_loss, shifted
from handbook.labs.bank_by_time.models import MODELS

MARKS = {"random": (BLUE, "o"), "random, late calls": (GREY, "s"), "last": (ORANGE, "D")}
BEST, KNOWN = "boosting", "before the call"


def share_of_yes(calls: Calls) -> Figure:
    """The share of yes in each twentieth of the calls, and where the last third begins."""
    ends, shares = calls.shares()
    learn = calls.parts()["last"][0]
    cut, target = len(learn) / len(calls.table), calls.table.target
    figure, axes = canvas(size=(7.6, 3.8))
    late = ends > cut
    axes.bar(100 * (ends - 0.5 / PIECES), 100 * shares, width=80 / PIECES, color=[ORANGE if x else BLUE for x in late])
    axes.axvline(100 * cut, color=INK, ls="--", lw=1)
    axes.annotate("learnt from", (100 * cut, 0.93), (-6, 0), ("data", "axes fraction"), "offset points", ha="right")
    axes.annotate("judged on", (100 * cut, 0.93), (6, 0), ("data", "axes fraction"), "offset points")
    axes.set(xlabel="calls in their order (%)", ylabel="yes among a twentieth of the calls (%)")
    plain_axes(axes)
    figure.suptitle(
        f"Yes: {target[: len(learn)].mean():.1%} of the first two thirds, {target[len(learn) :].mean():.1%} of the "
        f"last third;\n{shares[0]:.1%} of the first twentieth, {shares[-1]:.1%} of the last", fontsize=11,
    )  # fmt: skip
    return figure


def random_or_last(found: Measured) -> Figure:
    """ROC-AUC with intervals by model, split and attributes."""
    figure, panels = canvas(1, len(ATTRIBUTES), size=(10.4, 3.9), sharey=True)
    for axes, attributes in zip(panels, ATTRIBUTES, strict=True):
        for row, model in enumerate(MODELS):
            for k, split in enumerate(SPLITS):
                drawn = found.areas[attributes, model][split]
                colour, form = MARKS[split]
                place = row + 0.22 * (k - 1)
                axes.hlines(place, *paired.interval(drawn), color=colour, lw=2, alpha=0.7)
                axes.plot(drawn[0], place, form, color=colour, ms=5.5, label=split if row == 0 else None)
        axes.set(xlabel="ROC-AUC", title=attributes)
        plain_axes(axes)
    panels[0].set_yticks(range(len(MODELS)), list(MODELS))
    panels[0].invert_yaxis()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(_sentence(found), fontsize=11)
    return figure


def _sentence(found: Measured) -> str:
    """What becomes of boosting, and of whom else the fall is sure."""
    areas = found.areas[KNOWN, BEST]
    fall, low, high = found.fall((KNOWN, BEST))
    sure = sum(found.fall(key)[1] > 0 for key in found.areas)
    return (
        f"Boosting before the call: ROC-AUC {areas['random'][0]:.3f} on random calls, {areas['last'][0]:.3f} on the "
        f"last, {fall:.3f} less ({low:.3f} to {high:.3f});\nof {len(found.areas)} pairs of a model and its attributes "
        f"{sure} surely fall"
    )


def probabilities(calls: Calls, found: Measured) -> Figure:
    """What boosting expects in each part of the last third, and how often yes was said."""
    judge = calls.parts()["last"][1]
    answers, said = calls.table.target[judge], found.said[KNOWN, BEST]["last"]
    mended = shifted(said, float(answers.mean()))
    figure, axes = canvas(size=(7.6, 4))
    parts = np.array_split(np.arange(len(judge)), PIECES // 2)
    at = [100 * (judge[each].mean() + 0.5) / len(calls.table) for each in parts]
    for values, words, colour, form in (
        (answers, "yes was said", INK, "o-"), (said, "expected", ORANGE, "D--"),
        (mended, "expected, with the right mean over all", BLUE, "s:"),
    ):  # fmt: skip
        axes.plot(at, [100 * values[each].mean() for each in parts], form, color=colour, ms=5, label=words)
    axes.set(xlabel="calls in their order (%)", ylabel="share of a tenth of the last third (%)", ylim=(0, None))
    axes.legend(frameon=False)
    plain_axes(axes)
    figure.suptitle(
        f"On the last third boosting before the call expects {said.mean():.1%} yes, and {answers.mean():.1%} say it;\n"
        f"log-loss {log_loss(answers, said):.3f}, with the right mean {log_loss(answers, mended):.3f}, of the share "
        f"alone {log_loss(answers, float(answers.mean())):.3f}", fontsize=11,
    )  # fmt: skip
    return figure
