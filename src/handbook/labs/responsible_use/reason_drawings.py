"""The pictures of explanations: results in, a Figure out, what was found as its title."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.labs.responsible_use.caller import Caller, Floats
from handbook.labs.responsible_use.reasons import WAYS, Reasons, agreement, row_agreement
from handbook.labs.responsible_use.results import Results
from handbook.labs.responsible_use.rules import SHOWN_DEPTH

SHOWN, BARS = 6, 9  # curves; bars of a waterfall before the rest is one


def importances(found: Reasons) -> Figure:
    """Each attribute's importance by the four ways, each as a share of its greatest."""
    shares = {way: np.maximum(found.overall[way], 0) / found.overall[way].max() for way in WAYS}
    order = np.argsort(-np.mean(list(shares.values()), axis=0))
    figure, axes = canvas(size=(7.6, 5.0))
    at = np.arange(len(order))
    for k, ((way, share), colour) in enumerate(zip(shares.items(), (BLUE, ORANGE, GREY, INK), strict=True)):
        axes.barh(at + (k - 1.5) * 0.2, share[order], 0.2, color=colour, label=way)
    axes.set_yticks(at, [found.names[k] for k in order])
    axes.invert_yaxis()
    axes.set(xlabel="importance, as a share of the way's greatest")
    axes.legend(frameon=False)
    plain_axes(axes)
    firsts = {found.names[int(np.argmax(each))] for each in shares.values()}
    least = min(agreement(found.overall[a], found.overall[b]) for a in WAYS for b in WAYS)
    first = (
        f"All four ways put {firsts.pop()} first"
        if len(firsts) == 1
        else f"The ways differ on what is first: {', '.join(sorted(firsts))}"
    )
    figure.suptitle(f"{first};\nranks of all {len(order)} attributes correlate by {least:.2f} or more")
    return figure


def agreements(found: Reasons) -> Figure:
    """How far the ways agree: overall, and for one client at a time."""
    figure, (overall, local) = canvas(1, 2, size=(9.4, 4.2))
    matrix = np.array([[agreement(found.overall[a], found.overall[b]) for b in WAYS] for a in WAYS])
    overall.imshow(matrix, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.ndindex(*matrix.shape):
        overall.text(
            j, i, f"{matrix[i, j]:.2f}", ha="center", va="center", color="white" if matrix[i, j] > 0.6 else INK
        )
    overall.set_xticks(range(len(WAYS)), WAYS, rotation=30, ha="right")
    overall.set_yticks(range(len(WAYS)), WAYS)
    overall.set_title("importance overall, rank correlation", fontsize=10)
    pairs = pairs_of_rows(found)
    local.boxplot(list(pairs.values()), orientation="horizontal", widths=0.55, medianprops={"color": ORANGE, "lw": 2},
                  flierprops={"ms": 3, "markeredgecolor": GREY})  # fmt: skip
    local.set_yticks(range(1, len(pairs) + 1), list(pairs))
    local.invert_yaxis()
    local.set_title(f"reasons for {len(found.lime)} clients, rank correlation", fontsize=10)
    local.set_xlabel("of what each attribute adds, sign included")
    plain_axes(local)
    medians = {name: float(np.median(each)) for name, each in pairs.items()}
    figure.suptitle(
        f"For one client the ranks of SHAP and LIME correlate by {medians['SHAP and LIME']:.2f}; each with itself by "
        f"{medians['SHAP, other background']:.2f} and {medians['LIME, other draws']:.2f}"
    )
    return figure


def pairs_of_rows(found: Reasons) -> dict[str, Floats]:
    """Rank correlations (LOCAL,) of the reasons for a client by two ways, or by one way twice."""
    shap = found.shap.parts[: len(found.lime)]
    return {
        "SHAP and LIME": row_agreement(shap, found.lime),
        "SHAP, other background": row_agreement(shap, found.other.parts),
        "LIME, other draws": row_agreement(found.lime, found.again),
    }


def curves(found: Reasons, caller: Caller) -> Figure:
    """Partial dependence on the attributes that move the answer most; the marks below are clients."""
    order = np.argsort(-found.overall["partial dependence"])[:SHOWN]
    figure, axes = canvas(2, 3, size=(9.4, 5.6), sharey=True)
    for place, column in zip(axes.flat, order, strict=True):
        _curve(place, found, caller, int(column))
    for row in axes:
        row[0].set_ylabel("mean probability of buying")
    top = found.curves[order[0]]
    name = found.names[order[0]]
    low, high = (
        caller.numbers.shown(name, float(top.values[pick])) for pick in (top.answers.argmin(), top.answers.argmax())
    )
    figure.suptitle(
        f"{name} moves the answer most: {top.answers.min():.2f} at {low}, {top.answers.max():.2f} at {high}"
    )
    return figure


def _curve(place: Axes, found: Reasons, caller: Caller, column: int) -> None:
    curve, name = found.curves[column], found.names[column]
    words = caller.numbers.words[name]
    if words is None:
        place.plot(curve.values, curve.answers, "o-", ms=2.5, lw=1.2, color=BLUE)
        known = found.rows[:, column]
        inside = known[(known >= curve.values[0]) & (known <= curve.values[-1])]
        place.plot(inside, np.full(len(inside), -0.02), "|", color=GREY, ms=5, alpha=0.4)
    else:
        place.plot(range(len(words)), curve.answers, "o", color=ORANGE)
        place.set_xticks(range(len(words)), words, rotation=90 if len(words) > 4 else 0, fontsize=7)
    place.set_title(name, fontsize=10)
    plain_axes(place)


def one_client(found: Results) -> Figure:
    """The reasons for one answer: from the mean of the background to the client's log-odds, a bar an attribute."""
    k, caller, numbers = typical_call(found), found.caller, found.caller.numbers
    parts, row = found.reasons.shap.parts[k], found.reasons.rows[k]
    order = np.argsort(-np.abs(parts))
    shown, rest = order[:BARS], order[BARS:]
    labels = [f"{numbers.names[j]}: {numbers.shown(numbers.names[j], row[j])}" for j in shown]
    values = [float(parts[j]) for j in shown]
    if len(rest):
        labels.append(f"{len(rest)} other attributes")
        values.append(float(parts[rest].sum()))
    figure, axes = canvas(size=(7.8, 4.8))
    ends = found.reasons.shap.base + np.cumsum(values)
    starts = ends - values
    span = np.ptp([*starts, *ends])
    for at, (start, value) in enumerate(zip(starts, values, strict=True)):
        axes.barh(at, value, left=start, color=ORANGE if value > 0 else BLUE, height=0.62)
        side = max(start, start + value) + 0.015 * span
        axes.text(side, at, f"{value:+.2f}", va="center", fontsize=8, color=INK)
    axes.plot([ends[:-1], ends[:-1]], [np.arange(len(ends) - 1), np.arange(1, len(ends))], color=GREY, lw=0.8)
    axes.axvline(
        found.reasons.shap.base, ls=":", color=GREY, label=f"mean of the background: {found.reasons.shap.base:.2f}"
    )
    cut = float(np.log(caller.threshold / (1 - caller.threshold)))
    axes.axvline(cut, ls="--", color=INK, lw=1, label=f"called from here on: {cut:.2f}")
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set(
        xlabel="log-odds of buying",
        xlim=(min(starts.min(), ends.min(), cut) - 0.06 * span, max(starts.max(), ends.max(), cut) + 0.14 * span),
    )
    axes.legend(frameon=False, fontsize=8, loc="best")
    plain_axes(axes)
    chance = 1 / (1 + np.exp(-ends[-1]))
    figure.suptitle(
        f"{'Called' if ends[-1] >= cut else 'Not called'} at a probability of {chance:.2f} "
        f"(from {caller.threshold:.2f} on): "
        f"{labels[0]} weighs most, {values[0]:+.2f}"
    )
    return figure


def typical_call(found: Results) -> int:
    """The place, among the rows explained, of the called client with the median log-odds of those called."""
    sums = found.reasons.shap.base + found.reasons.shap.parts.sum(axis=1)
    called = np.flatnonzero(1 / (1 + np.exp(-sums)) >= found.caller.threshold)
    ranked = called[np.argsort(sums[called])] if len(called) else np.array([int(sums.argmax())])
    return int(ranked[len(ranked) // 2])


def rule_list(found: Results) -> Figure:
    """The rules of the small tree, and what depth would be worth."""
    tree = found.surrogates[SHOWN_DEPTH]
    figure, (listed, depths) = canvas(2, 1, size=(9.2, 6.6), height_ratios=(1.35, 1))
    at = np.arange(len(found.rules))
    listed.barh(at, [100 * rule.called for rule in found.rules], color=ORANGE, height=0.6)
    listed.set_yticks(at, [rule.text for rule in found.rules], fontsize=8)
    for k, rule in enumerate(found.rules):
        listed.text(100 * rule.called + 1.5, k, f"{rule.share:.1%} of the clients", va="center", fontsize=8)
    listed.invert_yaxis()
    listed.set(xlabel="called by the model (%)", xlim=(0, 160), xticks=range(0, 101, 25))
    plain_axes(listed)
    _by_depth(depths, found)
    most = found.surrogates[max(found.surrogates)]
    figure.suptitle(
        f"{tree.leaves} rules decide as the model does for {tree.agreement:.0%} of the clients; "
        f"{most.leaves} rules for {most.agreement:.0%}"
    )
    return figure


def _by_depth(place: Axes, found: Results) -> None:
    """Fidelity, and balanced accuracy beside the model's own, by the number of rules."""
    trees = found.surrogates.values()
    leaves = [each.leaves for each in trees]
    model = next(iter(found.fairness.values())).plain.value("balanced accuracy")
    place.plot(leaves, [each.fidelity for each in trees], "o-", ms=4, color=ORANGE, label="decides as the model does")
    place.plot(leaves, [each.accuracy for each in trees], "s-", ms=4, color=BLUE, label="is right on who buys")
    place.axhline(model, ls="--", color=BLUE, lw=1, label="the model itself is right")
    place.axhline(0.5, ls=":", color=GREY, label="one answer for all")
    place.set(xlabel="rules", ylabel="balanced accuracy", xscale="log", ylim=(0.48, 1.0))
    place.set_xticks(leaves, [str(each) for each in leaves])
    place.minorticks_off()
    place.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    plain_axes(place)
