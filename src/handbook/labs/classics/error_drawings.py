"""Pictures of errors: bias and variance, leave-one-out, what least squares assumes, and the boosters' race."""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas, ranking
from handbook.evaluation.figures.style import plain_axes
from handbook.labs.classics import assumptions, boosters, held_out, variance
from handbook.labs.classics.calls import Calls, diabetes
from handbook.labs.classics.tree import Array

PENALTIES = np.logspace(-2, 5, 29)


def traded() -> Figure:
    """Bias² and variance by depth, by neighbours, and by number of bagged trees."""
    swept = variance.swept()
    figure, panels = canvas(1, 3, size=(12.0, 4.2), sharey=True)
    labels = {"depth": "depth of a tree", "neighbours": "neighbours", "bagged": "deep trees, bagged"}
    for axes, (kind, found) in zip(panels, swept.items(), strict=True):
        at = np.array([*found])
        for part, colour, name in (("bias", BLUE, "bias²"), ("variance", ORANGE, "variance")):
            bounds = np.array([getattr(each, f"{part}_interval") for each in found.values()])
            axes.fill_between(at, *bounds.T, color=colour, alpha=0.2, lw=0)
            axes.plot(at, [getattr(each, part) for each in found.values()], "o-", ms=4, color=colour, label=name)
        axes.plot(at, [each.bias + each.variance for each in found.values()], "--", color=INK, label="both")
        axes.set(xlabel=labels[kind], xscale="log")
        axes.set_xticks(at, [str(value) for value in at])
        axes.minorticks_off()
        plain_axes(axes)
    panels[0].set_ylabel("squared error above the noise")
    panels[0].legend(frameon=False, fontsize=8)
    best = {kind: min(found, key=lambda value: found[value].error) for kind, found in swept.items()}
    bagged = swept["bagged"]
    first, *_, last = bagged.values()
    figure.suptitle(
        f"Least error at depth {best['depth']} and at {best['neighbours']} neighbours; {max(bagged)} bagged trees have "
        f"{last.variance / first.variance:.0%} of the variance of one"
    )
    return figure


@cache
def penalties() -> tuple[Array, Array, Array]:
    """Diabetes with all squares and products, by ridge: λ, error in training, error left out."""
    x, y, _ = diabetes()
    return (PENALTIES, *held_out.by_penalty(held_out.squared_terms(x), y, PENALTIES))


def left_out() -> Figure:
    """What leave-one-out chooses, from one fit for each λ."""
    at, training, left = penalties()
    figure, axes = canvas(size=(7.0, 4.2))
    axes.loglog(at, training, ":", color=BLUE, label="on the rows it was fitted to")
    axes.loglog(at, left, color=ORANGE, label="on each row left out, by e / (1 − h)")
    axes.plot(at[left.argmin()], left.min(), "o", color=ORANGE)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_minor_formatter("{x:,.0f}")
    axes.set(xlabel="penalty λ of ridge", ylabel="mean squared error")
    axes.set_title(f"Training error prefers λ = {at[training.argmin()]:.3g}, leave-one-out {at[left.argmin()]:.3g}:\n"
                   f"{left.min():,.0f} in place of {left[training.argmin()]:,.0f}", fontsize=10)  # fmt: skip
    axes.legend(frameon=False)
    plain_axes(axes)
    return figure


def assumed() -> Figure:
    """Least squares on diabetes: residuals, their quantiles, collinearity, and intervals."""
    from scipy.stats import norm

    x, y, names = diabetes()
    found = assumptions.fit(x, y)
    figure, ((spread, quantiles), (blown, intervals)) = canvas(2, 2, size=(10.4, 7.4))
    predicted = found.design @ found.w
    spread.plot(predicted, found.errors, "o", ms=3, color=BLUE, alpha=0.6)
    order = np.argsort(predicted)
    sixths = np.array_split(order, 6)
    middle = [predicted[part].mean() for part in sixths]
    deviation = np.array([found.errors[part].std() for part in sixths])
    spread.plot(middle, 2 * deviation, color=ORANGE, label="± 2 deviations, by sixths")
    spread.plot(middle, -2 * deviation, color=ORANGE)
    _, fanned = assumptions.breusch_pagan(x, y)
    spread.set(xlabel="predicted", ylabel="error", title=f"equal noise? Breusch–Pagan p = {fanned:.2g}")
    spread.legend(frameon=False, fontsize=8)
    z = np.sort((found.errors - found.errors.mean()) / found.errors.std())
    expected = norm.ppf((np.arange(len(z)) + 0.5) / len(z))
    quantiles.plot(expected, z, "o", ms=3, color=BLUE)
    quantiles.plot(expected[[0, -1]], expected[[0, -1]], "--", color=GREY)
    _, bell = assumptions.jarque_bera(found.errors)
    quantiles.set(xlabel="normal quantile", ylabel="error, scaled", title=f"normal? Jarque–Bera p = {bell:.2g}")
    blow = assumptions.inflation(x)
    blown.barh(names, blow, color=[ORANGE if each > 10 else BLUE for each in blow])
    blown.axvline(10, ls="--", color=GREY)
    blown.set_xscale("log")
    blown.set_xticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
    blown.minorticks_off()
    blown.set(xlabel="VIF", title=f"collinear? {int((blow > 10).sum())} of {len(names)} columns above 10")
    blown.invert_yaxis()
    places = np.arange(len(names))
    for shift, colour, name, errors in (
        (-0.15, BLUE, "usual", assumptions.usual(found)),
        (0.15, ORANGE, "robust (HC3)", assumptions.robust(found)),
    ):
        intervals.errorbar(found.w[1:], places + shift, xerr=assumptions.half_width(found, errors)[1:], fmt="o", ms=3,
                           color=colour, label=name)  # fmt: skip
    intervals.axvline(0, color=GREY, lw=0.8)
    intervals.set_yticks(places, names)
    intervals.invert_yaxis()
    ratio = (assumptions.robust(found) / assumptions.usual(found))[1:]
    intervals.set(xlabel="change of the target by one deviation",
                  title=f"robust intervals are {ratio.min():.2f} to {ratio.max():.2f} times as wide")  # fmt: skip
    intervals.legend(frameon=False, fontsize=8)
    for axes in figure.axes:
        plain_axes(axes)
    figure.suptitle(
        f"Least squares on diabetes: the noise is {'not equal' if fanned < 0.05 else 'equal as far as one sees'}, "
        f"the errors are {'not normal' if bell < 0.05 else 'normal as far as one sees'}, "
        f"columns are {'' if (blow > 10).any() else 'not '}collinear"
    )
    return figure


def covered() -> Figure:
    """How often a 95 % interval holds the truth."""
    figure, axes = canvas(size=(7.6, 3.8))
    found = {"equal noise": assumptions.coverage(False), "noise that grows with x²": assumptions.coverage(True)}
    for k, (name, colour) in enumerate((("usual interval", BLUE), ("robust interval (HC3)", ORANGE))):
        shares = [100 * each[k] for each in found.values()]
        bars = axes.bar(np.arange(2) + 0.36 * (k - 0.5), shares, 0.34, color=colour, label=name)
        axes.bar_label(bars, fmt="%.1f", fontsize=9, padding=-14, color="white")
    axes.axhline(95, ls="--", color=INK, lw=1, label="promised: 95 %")
    axes.set_xticks(range(2), [*found])
    axes.set(ylabel="intervals that hold the truth (%)", ylim=(80, 100))
    usual, robust = found["noise that grows with x²"]
    axes.set_title(f"Where the noise grows, the usual 95 % interval holds the truth\nin {usual:.1%} of the cases, the "
                   f"robust one in {robust:.1%}", fontsize=10)  # fmt: skip
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    plain_axes(axes)
    return figure


def raced(calls: Calls) -> Figure:
    """The boosters' differences from scikit-learn's, with their intervals."""
    found = boosters.race(calls)
    base = found[boosters.MEASURED_BY]
    less = {name: scores.less(base) for name, scores in found.items() if name != boosters.MEASURED_BY}
    names = sorted(less, key=lambda name: -less[name].mean)
    others = boosters.outside(found)
    finding = f"beyond chance only {' and '.join(others)}" if others else "none beyond chance"
    return ranking(
        [f"{name} ({found[name].mean:.4f})" for name in names],
        np.array([less[name].mean for name in names]),
        np.array([less[name].interval() for name in names]),
        f"Boosters that differ from scikit-learn's {base.mean:.4f}:\n{finding} ({len(calls.y):,} calls, five folds)",
        "ROC-AUC above that of scikit-learn's boosting, 95 % interval",
        zero_line=True,
    )
