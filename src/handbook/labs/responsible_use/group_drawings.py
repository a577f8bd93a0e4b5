"""The pictures of fairness: results in, a Figure out, what was found as its title."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.labs.responsible_use import fairness
from handbook.labs.responsible_use.caller import SEED
from handbook.labs.responsible_use.fairness import FOUR_FIFTHS, Floats
from handbook.labs.responsible_use.results import Fairness

MARKS = ("o", "s", "^", "D", "v")  # a form for each way to decide, beside its colour
COLOURS = (INK, GREY, "#3a923a", BLUE, ORANGE)
WORDS = {"marital": "marital status", "age": "age"}


def selection(found: dict[str, Fairness]) -> Figure:
    """Who is called in each group, and who bought."""
    figure, axes = canvas(
        1, len(found), size=(9.2, 3.9), width_ratios=[len(each.groups.names) for each in found.values()]
    )
    for place, (name, each) in zip(axes, found.items(), strict=True):
        rates, bounds = _rates(each, 0)
        bought = each.plain.counts[:, 1].sum(-1) / each.plain.counts.sum((-1, -2))
        at = np.arange(len(rates))
        place.errorbar(at, rates, _bars(rates, bounds), fmt="o", color=BLUE, capsize=3, label="called")
        place.plot(at, bought, "x", color=ORANGE, ms=7, label="bought, of all in the group")
        place.axhline(FOUR_FIFTHS * rates.max(), ls="--", color=GREY, label="four fifths of the group called most")
        place.set_xticks(at, each.groups.names, fontsize=8)
        place.set(
            title=f"by {WORDS[name]}: impact {each.plain.value('disparate impact'):.2f}", ylabel="share of the group"
        )
        place.set(xlim=(-0.5, len(rates) - 0.5), ylim=(0, 1.05 * max(bounds.max(), bought.max())))
        plain_axes(place)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    figure.suptitle(_four_fifths(found))
    return figure


def _four_fifths(found: dict[str, Fairness]) -> str:
    """Whether the rule is broken, surely or perhaps."""
    found_to: dict[str, list[str]] = {}
    for name, each in found.items():
        low, high = each.plain.interval("disparate impact")
        word = "breaks" if high < FOUR_FIFTHS else "keeps" if low >= FOUR_FIFTHS else "may or may not keep"
        found_to.setdefault(word, []).append(f"by {WORDS[name]}")
    parts = [f"{' and '.join(names)} the model {word} the four-fifths rule" for word, names in found_to.items()]
    return ";\n".join(parts).capitalize()


def _rates(each: Fairness, which: int) -> tuple[Floats, Floats]:
    """One of `fairness.rates` of each group (G,) under the model as trained, and its bounds (2, G)."""
    drawn = fairness.rates(fairness.drawn(each.plain.counts, np.random.default_rng(SEED)))[which]
    return fairness.rates(each.plain.counts)[which], np.percentile(drawn, [2.5, 97.5], axis=0)


def _bars(value: Any, bounds: Any) -> Floats:
    """Bounds as matplotlib takes them; a percentile interval need not hold the value itself."""
    low, high = bounds
    return np.maximum([np.asarray(value) - low, high - np.asarray(value)], 0)


def odds(found: dict[str, Fairness]) -> Figure:
    """Called of the buyers and of the others, by group: equal odds are lines that lie flat."""
    figure, axes = canvas(
        1, len(found), size=(9.2, 3.9), width_ratios=[len(each.groups.names) for each in found.values()]
    )
    for place, (name, each) in zip(axes, found.items(), strict=True):
        at = np.arange(len(each.groups.names))
        for which, label, colour, form in ((1, "of those who bought", ORANGE, "s-"), (2, "of the others", BLUE, "o-")):
            value, bounds = _rates(each, which)
            place.errorbar(at, value, _bars(value, bounds), fmt=form, color=colour, capsize=3, label=label)
        apart, (low, high) = (
            each.plain.value("equalised odds difference"),
            each.plain.interval("equalised odds difference"),
        )
        place.set_xticks(at, each.groups.names, fontsize=8)
        place.set(
            title=f"by {WORDS[name]}: {apart:.2f} apart ({low:.2f} to {high:.2f})",
            ylim=(0, 1.02),
            ylabel="share called",
        )
        plain_axes(place)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(_beyond_lot(found))
    return figure


def _beyond_lot(found: dict[str, Fairness]) -> str:
    """Which attributes part the odds by more than groups of that size do that were drawn by lot."""
    name = "equalised odds difference"
    beyond = [WORDS[key] for key, each in found.items() if each.plain.interval(name)[0] > lot_bound(each, name)]
    within = [WORDS[key] for key in found if WORDS[key] not in beyond]
    if not within:
        return f"By {' and by '.join(beyond)}, odds differ by more than groups drawn by lot would"
    if not beyond:
        return f"By {' and by '.join(within)}, odds differ by no more than groups drawn by lot might"
    return f"Odds differ by {beyond[0]} more than by lot; by {within[0]} no more than groups drawn by lot might"


def lot_bound(each: Fairness, measure: str) -> float:
    """What 95 of 100 groups of these sizes, drawn by lot, stay below; of disparate impact, above."""
    return float(np.percentile(each.plain.by_lot[measure], 5 if measure == "disparate impact" else 95))


def mitigation(found: dict[str, Fairness]) -> Figure:
    """What each way to decide gains in fairness, and what it costs."""
    figure, axes = canvas(len(found), 2, size=(9.2, 6.6), squeeze=False)
    for row, (name, each) in zip(axes, found.items(), strict=True):
        for place, measure in zip(row, ("disparate impact", "equalised odds difference"), strict=True):
            _trade(place, each, measure)
            place.set(xlabel="balanced accuracy", ylabel=f"{measure}\nby {WORDS[name]}")
        row[0].axhline(FOUR_FIFTHS, ls="--", color=GREY, lw=1)
        row[1].axhline(lot_bound(each, "equalised odds difference"), ls=":", color=GREY, lw=1)
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False, fontsize=9
    )
    figure.suptitle(_bargain(found))
    return figure


def _trade(place: Axes, each: Fairness, measure: str) -> None:
    for (name, way), colour, form in zip(each.ways.items(), COLOURS, MARKS, strict=True):
        x, y = way.value("balanced accuracy"), way.value(measure)
        place.errorbar(
            x, y, _bars(y, way.interval(measure))[:, None], _bars(x, way.interval("balanced accuracy"))[:, None],
            fmt=form, color=colour, ms=7, elinewidth=1, alpha=0.9, label=name,
        )  # fmt: skip
    plain_axes(place)


def _bargain(found: dict[str, Fairness]) -> str:
    said = []
    for name, each in found.items():
        lost, low, high = each.cost("equal rates", "balanced accuracy")
        said.append(
            f"by {WORDS[name]} {each.plain.value('disparate impact'):.2f} → "
            f"{each.ways['equal rates'].value('disparate impact'):.2f} for {lost:.3f} ({low:.3f} to {high:.3f})"
        )
    return "What equal rates make of disparate impact, and what balanced accuracy pays:\n" + ";\n".join(said)


def twins(found: dict[str, Fairness]) -> Figure:
    """How many answers change where the attribute alone does, under each way to decide."""
    figure, axes = canvas(1, len(found), size=(9.2, 3.4), sharey=True)
    for place, (name, each) in zip(axes, found.items(), strict=True):
        shares = {way: judged.twins.share for way, judged in each.ways.items()}
        colours = [COLOURS[k] for k in range(len(shares))]
        place.barh(range(len(shares)), [100 * share for share in shares.values()], color=colours, height=0.65)
        for at, share in enumerate(shares.values()):
            place.text(100 * share + 0.6, at, f"{share:.1%}", va="center", fontsize=9)
        place.set_yticks(range(len(shares)), list(shares))
        place.set(
            xlim=(0, 115 * max(*shares.values(), 0.01)),
            xlabel="answers that change (%)",
            title=f"if {WORDS[name]} alone changes",
        )
        plain_axes(place)
    axes[0].invert_yaxis()
    figure.suptitle(_tension(found))
    return figure


def _tension(found: dict[str, Fairness]) -> str:
    """Whether treating groups alike treats twins more or less alike than the model as trained does."""
    said = []
    for name, each in found.items():
        plain, equal = each.plain.twins.share, each.ways["equal rates"].twins.share
        word = "less alike" if equal > plain else "more alike" if equal < plain else "as alike"
        said.append(f"{word} by {WORDS[name]}")
    return f"Next to the model as trained,\nequal rates for groups treat twins {', '.join(said)}"
