"""The lab's pictures of the bank's rows: simulated effects, and a rule beside what is learnt."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from handbook.evaluation import paired
from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.evaluation.metrics import mean_interval
from handbook.labs.beyond.causes import Estimated
from handbook.labs.beyond.drawings import GREEN
from handbook.labs.beyond.effects import CLIENTS, EFFECT
from handbook.labs.beyond.rules import LEARNING, LOGISTIC, RULE, SHARE, Compared

ESTIMATES = ((GREY, "s"), (ORANGE, "v"), (GREEN, "^"), (BLUE, "o"))


def effects(found: dict[str, dict[str, Estimated]]) -> Figure:
    """Bias of every estimate in every simulated world, and how often its interval holds the effect."""
    figure, (bias, cover) = canvas(1, 2, size=(10.4, 4.8), sharey=True)
    names = list(next(iter(found.values())))
    for k, estimates in enumerate(found.values()):
        for j, ((name, each), (colour, mark)) in enumerate(zip(estimates.items(), ESTIMATES, strict=True)):
            at, label = k + 0.18 * (j - 1.5), name if k == 0 else None
            for axes, (value, low, high) in ((bias, each.bias), (cover, [100 * v for v in each.coverage])):
                axes.errorbar(
                    value, at, xerr=[[value - low], [high - value]], fmt=mark, color=colour, ms=5, label=label
                )
    bias.axvline(0, color=INK, lw=0.9)
    cover.axvline(95, color=INK, lw=0.9, ls="--")
    bias.set_yticks(range(len(found)), list(found))
    bias.invert_yaxis()
    draws = len(next(iter(next(iter(found.values())).values())).values)
    bias.set(xlabel=f"bias of the estimate (the effect is {EFFECT:.0f})")
    cover.set(xlabel="95 % intervals that hold the effect (%)", xlim=(-3, 103))
    for axes in (bias, cover):
        plain_axes(axes)
    figure.legend(*bias.get_legend_handles_labels(), loc="outside lower center", ncols=len(names), frameon=False)
    held = [100 * each["doubly robust"].coverage[0] for world, each in found.items() if world != "both wrong"]
    naive, wrong = found["both models right"]["difference of means"], found["both wrong"]["doubly robust"]
    figure.suptitle(
        f"Simulated, {draws} draws of {CLIENTS:,} clients each: confounding moves the difference of means by "
        f"{naive.bias[0]:+.2f};\nwhere at least one model is right the doubly robust interval holds the effect in "
        f"{min(held):.0f} to {max(held):.0f} % of the draws; with both wrong it is off by {wrong.bias[0]:+.2f}",
        fontsize=10.5,
    )  # fmt: skip
    return figure


def rules(each: Compared) -> Figure:
    """Buyers found by share called, and precision at the rule's calls by the rows that teach."""
    figure, (gains, curve) = canvas(1, 2, size=(10.4, 4.4))
    styles = {RULE: (ORANGE, "-"), LEARNING[0]: (GREEN, "--"), LEARNING[1]: (BLUE, "-")}
    for name, (colour, dash) in styles.items():
        called, found = each.gains[name]
        gains.plot(100 * called, 100 * found, dash, color=colour, label=name)
    gains.plot([0, 100], [0, 100], ":", color=GREY, label="by lot")
    gains.axvline(100 * each.calls / each.clients, color=GREY, lw=0.8)
    gains.set(xlabel="clients called (%); thin line: all whom the rule names", ylabel="of the buyers, found (%)")
    for name, mark in zip(LEARNING, ("D--", "o-"), strict=True):
        mean, low, high = 100 * np.array([mean_interval(values) for values in each.curves[name]]).T
        curve.errorbar(each.sizes, mean, (mean - low, high - mean), fmt=mark, ms=5, color=styles[name][0], capsize=3)
    value, *bounds = (100 * v for v in paired.estimate(each.precision[RULE]))
    curve.axhline(value, color=ORANGE, label="the rule")
    curve.axhspan(*bounds, color=ORANGE, alpha=0.15, lw=0)
    curve.set(xscale="log", xlabel="rows that teach", ylabel=f"buyers among {each.calls} calls (%)")
    curve.set_xticks(each.sizes, [f"{size:,}" for size in each.sizes])
    curve.minorticks_off()
    for axes in (gains, curve):
        plain_axes(axes)
    gains.legend(frameon=False, fontsize=8.5, loc="lower right")
    best = max((name for name in each.precision if name != RULE), key=lambda name: each.precision[name][0])
    gain, low, high = (100 * v for v in each.gain(best))
    recalls = {name: float(np.interp(SHARE, *each.gains[name])) for name in (RULE, LOGISTIC)}
    figure.suptitle(
        f"At the rule's {each.calls} calls the best of what learns ({best}) is {gain:+.1f} points "
        f"[{low:+.1f}, {high:+.1f}] in precision;\nat {SHARE:.0%} called, the rule and then a lottery find "
        f"{recalls[RULE]:.0%} of the buyers, {LOGISTIC} {recalls[LOGISTIC]:.0%}. "
        f"A tree of one question asks: {each.cut}?", fontsize=10.5,
    )  # fmt: skip
    return figure
