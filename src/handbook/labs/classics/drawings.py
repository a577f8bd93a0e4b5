"""Pictures of the algorithms at work: one a function, its title the finding, computed from what is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas, projection
from handbook.evaluation.figures.style import plain_axes
from handbook.evaluation.metrics import binary, bootstrap
from handbook.labs.classics import adaboost, boosting, discriminant, listings, logistic, neighbours, support, tree
from handbook.labs.classics.calls import Calls, iris
from handbook.labs.classics.tree import Array

SPECIES = ("setosa", "versicolor", "virginica")
LENGTHS = ("sepal length", "sepal width", "petal length", "petal width")
LEARNT, NEW = 2000, 1000  # of the calls, by neighbours; where there are fewer, two thirds and one third
KS = np.array([1, 2, 3, 5, 8, 12, 20, 35, 60, 100, 200, 350, 500])


def _parts(calls: Calls) -> tuple[slice, slice]:
    """The calls that are asked, and those that are asked about."""
    there = min(len(calls.y), LEARNT + NEW)
    middle = there * LEARNT // (LEARNT + NEW)
    return slice(0, middle), slice(middle, there)


@cache
def by_neighbours(calls: Calls) -> dict[str, Array]:
    """ROC-AUC (KS,) by number of neighbours and distance, on new calls and on those that are asked themselves."""
    from sklearn.metrics import roc_auc_score

    own, new = _parts(calls)
    x, y, found = calls.z[own], calls.y[own], {}
    for name, distance in (("Euclid", neighbours.euclid), ("Manhattan", neighbours.manhattan)):
        model = neighbours.Neighbours(x, int(KS[-1]), distance)
        for kind, part in (("new calls", new), ("its own calls", slice(0, NEW))):
            near = y[model.of(calls.z[part])[0]].cumsum(axis=1)  # (m, 500): of the first k, how many said yes
            found[f"{name}, {kind}"] = np.array([roc_auc_score(calls.y[part], near[:, k - 1] / k) for k in KS])
    return found


@cache
def most_useful(calls: Calls) -> tuple[str, int, float, tuple[float, float]]:
    """Distance and number of neighbours with the best ROC-AUC on new calls, that, and its interval by resampling."""
    lines = by_neighbours(calls)
    name = max(("Euclid", "Manhattan"), key=lambda each: lines[f"{each}, new calls"].max())
    k = int(KS[lines[f"{name}, new calls"].argmax()])
    own, new = _parts(calls)
    model = neighbours.Neighbours(calls.z[own], k, getattr(neighbours, name.lower()))
    scores = model.values(calls.z[new], calls.y[own].astype(float))
    found, interval = binary(calls.y[new], scores, np.random.default_rng(0), resamples=200)
    return name, k, float(found["roc_auc"]), interval["roc_auc"]


def nearest(calls: Calls) -> Figure:
    """How many to ask, of the bank's calls."""
    lines = by_neighbours(calls)
    figure, axes = canvas(size=(7.2, 4.2))
    for (name, line), colour, style in zip(
        lines.items(), (BLUE, BLUE, ORANGE, ORANGE), ("o-", "o:", "s-", "s:"), strict=True
    ):
        axes.semilogx(KS, line, style, ms=4, color=colour, label=name)
    axes.set_xticks(KS, [str(k) for k in KS])
    axes.minorticks_off()
    name, k, best, (low, high) = most_useful(calls)
    axes.set(xlabel="neighbours asked", ylabel="ROC-AUC")
    axes.set_title(
        f"One neighbour says {lines['Euclid, its own calls'][0]:.2f} of its own calls and "
        f"{lines['Euclid, new calls'][0]:.2f} of new;\n{k} by {name} are best: {best:.2f} ({low:.2f} to {high:.2f})",
        fontsize=10,
    )
    axes.legend(frameon=False, fontsize=8)
    plain_axes(axes)
    return figure


def discriminants() -> Figure:
    """Iris from where its species lie farthest apart."""
    x, labels = iris()
    found = discriminant.fit(x, labels)
    share = found.separation[0] / found.separation.sum()
    wrong = int((found.classes(x) != labels).sum())
    return projection(
        found.project(x), labels, SPECIES,
        f"Iris by its two discriminants: the first has {share:.1%} of the separation;\n{wrong} of {len(x)} flowers are "
        "nearer to the mean of another species",
    )  # fmt: skip


def cuts() -> tuple[list[tuple[Array, Array]], list[tuple[str, float]]]:
    """For each column of iris thresholds and the fall of Gini's impurity, and all cuts that are best."""
    x, labels = iris()
    order, columns = tree.presorted(x), tree.single(x).T
    sums = (labels == np.arange(3)[:, None]).astype(float)
    fall = (tree.gains(sums, order, tree.gini) - tree.gini(sums.sum(axis=1))) / len(x)  # (4, 149)
    values = np.take_along_axis(columns, order, axis=1)
    apart = values[:, 1:] > values[:, :-1] + tree.CLOSE
    curves = [((v[1:] + v[:-1])[a] / 2, f[a]) for v, f, a in zip(values, fall, apart, strict=True)]
    top = max(float(f.max()) for _, f in curves)
    best = [(name, float(at)) for name, (t, f) in zip(LENGTHS, curves, strict=True) for at in t[np.isclose(f, top)]]
    return curves, best


def first_cut() -> Figure:
    """What every cut of iris is worth, and the regions of a tree of three levels."""
    x, labels = iris()
    curves, best = cuts()
    figure, (falls, plane) = canvas(1, 2, size=(10.6, 4.2))
    for (at, fall), name, colour, style in zip(curves, LENGTHS, (GREY, INK, BLUE, ORANGE), "v^os", strict=True):
        falls.plot(at, fall, style + "-", ms=3, lw=1, color=colour, label=name)
    falls.set(xlabel="threshold (cm)", ylabel="fall of Gini's impurity", title="every cut at the root")
    falls.legend(frameon=False, fontsize=8)
    plain_axes(falls)
    petals = x[:, 2:]
    grown = tree.classification(petals, labels, depth=3)
    side = [
        np.linspace(low - 0.2, high + 0.2, 200)
        for low, high in zip(petals.min(axis=0), petals.max(axis=0), strict=True)
    ]
    at = np.stack(np.meshgrid(*side), axis=-1).reshape(-1, 2)
    regions = grown.classes(at).reshape(200, 200)
    plane.contourf(*side, regions, levels=[-0.5, 0.5, 1.5, 2.5], colors=[GREY, BLUE, ORANGE], alpha=0.25)
    for k, (name, colour, mark) in enumerate(zip(SPECIES, (INK, BLUE, ORANGE), "o^s", strict=True)):
        plane.plot(*petals[labels == k].T, mark, ms=4, color=colour, label=name)
    wrong = int((grown.classes(petals) != labels).sum())
    plane.set(
        xlabel="petal length (cm)", ylabel="petal width (cm)", title=f"three levels: {wrong} of {len(x)} are wrong"
    )
    plane.legend(frameon=False, fontsize=8, loc="upper left")
    names = " and ".join(f"{name} at {at:.4g} cm" for name, at in best)
    tie = f"{len(best)} first cuts tie" if len(best) > 1 else "one first cut is best"
    figure.suptitle(f"Of iris, {tie}: {names}")
    return figure


def weak_learners() -> Figure:
    """AdaBoost on the rows of the listing: training error, its bound, and the error on the rows held out."""
    train, test, y, answers = listings.adaboost_rows()
    found = adaboost.fit(train, y, 100)
    known, new = (
        (found.staged(part).argmax(axis=2) != said).mean(axis=1) for part, said in ((train, y), (test, answers))
    )
    figure, axes = canvas(size=(7.2, 4.2))
    rounds = np.arange(1, len(found.say) + 1)
    axes.plot(
        rounds, np.minimum(found.bound(), 1), "--", color=GREY, label="bound on the training error, Π 2√(ε(1 − ε))"
    )
    axes.plot(rounds, known, color=BLUE, label="training error")
    axes.plot(rounds, new, color=ORANGE, label=f"error on the {len(answers)} rows held out")
    axes.plot(rounds, found.errors, ":", color=INK, label="weighted error of each learner")
    done = np.flatnonzero(known == 0)
    first = f"no training row is wrong from round {rounds[done[0]]} on" if len(done) else "training rows stay wrong"
    axes.set(xlabel="stumps", ylabel="share wrong", ylim=(-0.02, 1.02))
    axes.set_title(f"AdaBoost on the listing's rows: {first};\nof the new ones {new[0]:.0%} were wrong at first, "
                   f"{new[-1]:.0%} are at the end", fontsize=10)  # fmt: skip
    axes.legend(frameon=False, fontsize=8)
    plain_axes(axes)
    return figure


@dataclass(frozen=True)
class Curve:
    """Log loss after each round on the calls learnt from and on new ones (rounds,), and of each new one at the best."""

    known: Array
    new: Array
    at_best: Array


@cache
def boosted_losses(calls: Calls) -> dict[float, Curve]:
    """Half of the calls are learnt from, at two rates, and the other half are new."""
    half, found = len(calls.y) // 2, {}
    for rate in (0.1, 0.5):
        model = boosting.fit(calls.x[:half], calls.y[:half].astype(float), boosting.LOG_LOSS, rate=rate)
        known, new = (
            np.stack([np.logaddexp(0, f) - calls.y[part] * f for f in model.staged(calls.x[part])])
            for part in (slice(0, half), slice(half, None))
        )
        found[rate] = Curve(known.mean(axis=1), new.mean(axis=1), new[new.mean(axis=1).argmin()])
    return found


def lost_by_haste(calls: Calls) -> tuple[float, tuple[float, float]]:
    """By how much the higher rate's least loss is above the lower rate's, and its interval by resampling the calls."""
    slow, fast = boosted_losses(calls).values()
    more = fast.at_best - slow.at_best
    return float(more.mean()), bootstrap(more, np.random.default_rng(0))


def boosted(calls: Calls) -> Figure:
    """What a rate is for."""
    figure, axes = canvas(size=(7.2, 4.2))
    losses = boosted_losses(calls)
    for (rate, curve), colour in zip(losses.items(), (BLUE, ORANGE), strict=True):
        rounds = np.arange(1, len(curve.new) + 1)
        axes.plot(rounds, curve.known, ":", color=colour, label=f"rate {rate:g}, calls learnt from")
        axes.plot(rounds, curve.new, color=colour, label=f"rate {rate:g}, new calls")
        axes.plot(rounds[curve.new.argmin()], curve.new.min(), "o", color=colour)
    slow, fast = losses.values()
    more, (low, high) = lost_by_haste(calls)
    axes.set(xlabel="trees of depth 3", ylabel="log loss (nats)")
    axes.set_title(
        f"New calls are at their best after {fast.new.argmin() + 1} trees at rate 0.5, "
        f"after {slow.new.argmin() + 1} at 0.1;\nhaste costs {more:.4f} nats ({low:.4f} to {high:.4f})",
        fontsize=10,
    )
    axes.legend(frameon=False, fontsize=8)
    plain_axes(axes)
    return figure


@cache
def newton(calls: Calls) -> tuple[logistic.Logistic, Array]:
    """Logistic regression on the calls by Newton's method, and the losses of a hundred steps of descent."""
    y = calls.y.astype(float)
    return logistic.fit(calls.z, y), logistic.gradient_descent(calls.z, y, 1.0, 100)


def steps_to_the_line(calls: Calls) -> Figure:
    """Newton's method beside gradient descent on the same loss."""
    found, descent = newton(calls)
    least = found.losses.min()
    figure, axes = canvas(size=(6.8, 4.2))
    for losses, colour, name in ((descent, ORANGE, "gradient descent"), (found.losses, BLUE, "Newton's method")):
        axes.semilogy(np.maximum(losses - least, 1e-9), "o-", ms=3, color=colour, label=name)
    axes.set(xlabel="step", ylabel="loss above the least (nats, all calls)")
    axes.set_title(f"Logistic regression: Newton is there in {len(found.path) - 1} steps, descent is\n"
                   f"{descent[-1] - least:.3g} nats above after {len(descent) - 1}", fontsize=10)  # fmt: skip
    axes.legend(frameon=False)
    plain_axes(axes)
    return figure


@cache
def petals() -> tuple[Array, Any, support.Support]:
    """Petals of the two species that overlap, scaled, their labels 0 and 1, and the machine between them."""
    x, labels = iris()
    both = labels > 0
    x = x[both, 2:]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return x, labels[both] - 1, support.fit(x, labels[both] - 1)


def margin() -> Figure:
    """The widest street between two species, and who holds it."""
    x, labels, found = petals()
    held = found.alpha > 1e-8
    figure, axes = canvas(size=(6.4, 4.6))
    across = np.linspace(x[:, 0].min() - 0.2, x[:, 0].max() + 0.2, 2)
    for edge, style in ((0, "-"), (1, "--"), (-1, "--")):
        axes.plot(across, (edge - found.w[0] - found.w[1] * across) / found.w[2], style, color=GREY)
    for k, (colour, mark) in enumerate(((BLUE, "^"), (ORANGE, "s"))):
        axes.plot(*x[labels == k].T, mark, ms=5, color=colour, label=SPECIES[k + 1])
    axes.plot(*x[held].T, "o", ms=10, mfc="none", color=INK, label="support vectors")
    axes.set(xlabel="petal length, scaled", ylabel="petal width, scaled",
             ylim=(x[:, 1].min() - 0.3, x[:, 1].max() + 0.3))  # fmt: skip
    axes.set_title(f"{int(held.sum())} of {len(x)} flowers hold the margin; the others could be left out", fontsize=10)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    plain_axes(axes)
    return figure
