"""The lab's pictures: results in, a Figure out, what was found as its title."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from handbook.evaluation import figures as draw
from handbook.evaluation import paired
from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.labs.automl.search import Found, Results, best_by_chance
from handbook.labs.automl.space import ALGORITHMS, SEED

COLOURS = {"TPE": BLUE, "random": ORANGE}
MARKS = ("o", "s", "^", "D", "v", "P")  # one for each algorithm
SHOWN = 12  # settings


def history(found: Results) -> Figure:
    """The best score so far, trial by trial, and every trial with its algorithm."""
    figure, axes = canvas(1, 2, size=(9.6, 4.4), sharey=True)
    for place, (name, each) in zip(axes, found.searches.items(), strict=True):
        _trials(place, each)
        at = np.arange(1, len(each.trials) + 1)
        known = np.isfinite(each.best)
        place.step(at[known], each.best[known], where="post", color=COLOURS[name], lw=2)
        if name == "random":
            low, high = best_by_chance(each, np.random.default_rng(SEED))
            shown = np.isfinite(low)
            place.fill_between(at[shown], low[shown], high[shown], color=ORANGE, alpha=0.2, step="post", lw=0)
            place.set_title("drawn at random; the band: in another order", fontsize=10)
        else:
            place.set_title("TPE", fontsize=10)
        place.set_xlabel("trial")
        plain_axes(place)
    floor = np.percentile([trial.mean for each in found.searches.values() for trial in each.trials], 10)
    ceiling = max(each.best[-1] for each in found.searches.values())
    axes[0].set(
        ylabel="ROC-AUC, mean over folds", ylim=(floor - 0.1 * (ceiling - floor), ceiling + 0.08 * (ceiling - floor))
    )
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    figure.suptitle(_race(found))
    return figure


def _trials(place: object, each: Found) -> None:
    """Each trial as a mark of its algorithm: full if it was judged to the end, empty if it was given up."""
    for name, form in zip(ALGORITHMS, MARKS, strict=True):
        for whole, fill in ((True, INK), (False, "none")):
            own = [k for k, trial in enumerate(each.trials) if trial.settings["algorithm"] == name]
            chosen = [k for k in own if np.isfinite(each.trials[k].score) == whole]
            place.plot(  # type: ignore[attr-defined]
                [k + 1 for k in chosen], [each.trials[k].mean for k in chosen], form, ms=5, mfc=fill, mec=INK,
                alpha=0.75, label=name if whole else None,
            )  # fmt: skip
    place.plot([], [], "o", ms=5, mfc="none", mec=INK, label="given up early")  # type: ignore[attr-defined]


def _race(found: Results) -> str:
    """Which search found the better best, and whether that is more than the order of random trials would make of it."""
    tpe, drawn = found.searches["TPE"], found.searches["random"]
    ahead = tpe.best[-1] - drawn.best[-1]
    needed = 1 + int(np.argmax(tpe.best >= drawn.best[-1]))
    if ahead > 0:
        return (
            f"After {len(tpe.trials)} trials TPE's best is {tpe.best[-1]:.4f}, that of random search "
            f"{drawn.best[-1]:.4f};\nTPE was there after {needed}"
        )
    return (
        f"TPE's best after {len(tpe.trials)} trials, {tpe.best[-1]:.4f}, is no better than "
        f"random search's {drawn.best[-1]:.4f}"
    )


def algorithms(found: Results) -> Figure:
    """How often each search tried each algorithm, and the best that it made of it."""
    figure, (often, best) = canvas(1, 2, size=(9.2, 3.6), sharey=True)
    at = np.arange(len(ALGORITHMS))
    scores: dict[str, list[float]] = {}
    for k, (name, each) in enumerate(found.searches.items()):
        own = [[trial for trial in each.trials if trial.settings["algorithm"] == kind] for kind in ALGORITHMS]
        often.barh(at + (k - 0.5) * 0.38, [len(trials) for trials in own], 0.38, color=COLOURS[name], label=name)
        scores[name] = [max((trial.mean for trial in trials), default=np.nan) for trials in own]
        best.plot(scores[name], at + (k - 0.5) * 0.2, MARKS[k], color=COLOURS[name], label=name)
    often.set_yticks(at, ALGORITHMS)
    often.invert_yaxis()
    often.set(xlabel="trials")
    best.set(xlabel="best ROC-AUC over folds")
    often.legend(frameon=False)
    for place in (often, best):
        plain_axes(place)
    together = np.nanmax(np.array(list(scores.values())), axis=0)
    first, last = ALGORITHMS[int(np.nanargmax(together))], ALGORITHMS[int(np.nanargmin(together))]
    counts = [sum(trial.settings["algorithm"] == kind for trial in found.searches["TPE"].trials) for kind in ALGORITHMS]
    figure.suptitle(
        f"From {first} ({np.nanmax(together):.3f}) to {last} ({np.nanmin(together):.3f}); "
        f"TPE tries {ALGORITHMS[int(np.argmax(counts))]} most"
    )
    return figure


def importances(found: Results) -> Figure:
    """Which settings set the best quarter of the trials apart."""
    names = list(found.importance)[:SHOWN]
    values = np.array([found.importance[name] for name in names])
    trials = sum(len(each.trials) for each in found.searches.values())
    figure = draw.bars(names, values, "", f"share of what sets the best quarter of {trials} trials apart")
    figure.set_size_inches(8.2, 4.8)
    figure.suptitle(
        f"What sets good trials apart is first {names[0]} ({values[0]:.0%}),\nthen {names[1]} ({values[1]:.0%})"
    )
    return figure


def judged(found: Results) -> Figure:
    """All models on the test rows, and by how much each differs from the one made by hand."""
    names = sorted(found.areas, key=lambda name: -found.areas[name][0])
    figure, (areas, apart) = canvas(1, 2, size=(9.4, 3.2), sharey=True)
    for k, name in enumerate(names):
        colour = ORANGE if name.startswith("searched") else BLUE if name == "made by hand" else GREY
        for place, values in ((areas, found.areas[name]), (apart, found.areas[name] - found.areas["made by hand"])):
            place.hlines(k, *paired.interval(values), color=colour, lw=2.5)
            place.plot(values[0], k, "o", color=colour, mec=INK)
    apart.axvline(0, ls="--", color=GREY)
    chose = {f"searched by {name}": each.chosen["algorithm"] for name, each in found.searches.items()}
    areas.set_yticks(range(len(names)), [f"{name}:\n{chose[name]}" if name in chose else name for name in names])
    areas.set_ylim(len(names) - 0.5, -0.5)
    areas.set(xlabel="ROC-AUC on the test rows")
    apart.set(xlabel="difference to the model made by hand")
    for place in (areas, apart):
        place.locator_params(axis="x", nbins=5)
        plain_axes(place)
    figure.suptitle(_against_hand(found))
    return figure


def _against_hand(found: Results) -> str:
    gain = found.areas["searched by TPE"] - found.areas["made by hand"]
    low, high = paired.interval(gain)
    word = "beats" if low > 0 else "loses to" if high < 0 else "is level with"
    return f"The search {word} the model made by hand: {gain[0]:+.4f} ({low:+.4f} to {high:+.4f})"
