"""The lab's pictures: how every learner does as time goes on, over all rows, and where drift is heard."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.labs.online_learning import judging
from handbook.labs.online_learning.drift import Heard
from handbook.labs.online_learning.race import BASELINE, ONCE, OTHERS, Race, Score

GREEN, VIOLET = "#2e8b57", "#7d3c98"
SHOWN = {  # colours and dashes, so that no line is known by its colour alone
    "boosting, once": (INK, "-"), "boosting, at intervals": (BLUE, "-"), "boosting, on alarm": (BLUE, ":"),
    "logistic, descent": (ORANGE, "-"), "adaptive forest": (GREEN, "-"), "Hoeffding tree": (VIOLET, "--"),
    "share of yes": (GREY, "--"),
}  # fmt: skip
MARKS = ((BLUE, "^"), (ORANGE, "s"), (GREEN, "D"))


def fading(race: Race) -> Figure:
    """Log-loss and ROC-AUC as they fade, over the calls."""
    figure, axes = canvas(1, 2, size=(10.4, 4.6))
    rows = race.first + race.at
    for (measure, lines), place in zip(race.fading.items(), axes, strict=True):
        for name, (colour, dash) in SHOWN.items():
            place.plot(rows, lines[name], dash, color=colour, lw=1.5, label=name)
        for row in race.fits["boosting, at intervals"][1:]:
            place.axvline(row, color=BLUE, lw=0.6, alpha=0.35)
        place.set(xlabel="calls so far (a thin line: learnt again)", ylabel=f"{measure}, fading")
        plain_axes(place)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    ends = {name: race.fading["log-loss (nats)"][name][-1] for name in SHOWN}
    best = min(ends, key=lambda name: ends[name])
    figure.suptitle(
        f"At the end of the stream {best} has the least log-loss, {ends[best]:.2f};\n{ONCE}, which learnt from the "
        f"first {race.first:,} calls alone, {ends[ONCE]:.2f}; no attribute at all, {ends[BASELINE]:.2f}", fontsize=11,
    )  # fmt: skip
    return figure


def whole(race: Race) -> Figure:
    """Both measures over all rows that judge, with intervals from blocks of rows."""
    figure, axes = canvas(1, 2, size=(10.4, 4.4), sharey=True)
    order = sorted(race.areas, key=lambda name: -race.areas[name].value)
    for (label, scores), place in zip((("ROC-AUC", race.areas), ("log-loss (nats)", race.losses)), axes, strict=True):
        for k, name in enumerate(order):
            if name in scores:
                _point(place, k, scores[name], learns_on=race.fits.get(name) is None and name != BASELINE)
        place.set(xlabel=f"{label}, {'greater' if label == 'ROC-AUC' else 'less'} is better")
        place.axvline(scores[ONCE].value, ls=":", lw=1, color=INK)
        plain_axes(place)
    axes[0].set_yticks(range(len(order)), order)
    axes[0].invert_yaxis()
    figure.suptitle(
        f"{len(race.answers):,} calls, each predicted before it is learnt from. Log-loss: {_sure(race.losses, ONCE)},\n"
        f"{_sure(race.losses, BASELINE)} (orange: learns on; blue: learns in batches, or not)", fontsize=10.5,
    )  # fmt: skip
    return figure


def _point(axes: Axes, place: int, score: Score, *, learns_on: bool) -> None:
    colour = ORANGE if learns_on else BLUE
    axes.hlines(place, *score.interval, color=colour, lw=2, alpha=0.6)
    axes.plot(score.value, place, "s" if learns_on else "o", color=colour, ms=5)


def _sure(scores: dict[str, Score], than: str) -> str:
    """How many are better and worse than one of them, beyond the interval of the difference."""
    gains = [score.gains[than] for name, score in scores.items() if name not in OTHERS]
    better, worse = sum(low > 0 for _, low, _ in gains), sum(high < 0 for _, _, high in gains)
    return f"{better} of {len(gains)} are surely better than {than}, {worse} worse"


def alarms(race: Race, heard: Heard) -> Figure:
    """The share of yes over the calls, and where each detector sounds."""
    figure, (share, sounds) = canvas(2, 1, size=(9.4, 5), sharex=True, height_ratios=(2, 1))
    rows = race.first + np.arange(len(race.answers))
    mistakes = (race.scores[ONCE] >= 0.5) != race.answers
    share.plot(rows, 100 * judging.fading(race.answers.astype(float)), color=INK, label="yes")
    share.plot(rows, 100 * judging.fading(mistakes.astype(float)), "--", color=ORANGE, label=f"mistakes of {ONCE}")
    share.set(ylabel="fading share of the calls (%)", ylim=(0, None))
    share.legend(frameon=False, loc="upper left")
    for k, (places, (colour, form)) in enumerate(zip(heard.alarms.values(), MARKS, strict=True)):
        sounds.plot(race.first + np.array(places, dtype=int), np.full(len(places), k), form, color=colour, ms=6)
        for place in places:
            share.axvline(race.first + place, color=colour, lw=0.7, alpha=0.4)
        sounds.axhline(k, color=colour, lw=0.5, alpha=0.4)
        first = f"first after {places[0]:,} calls" if places else "never"
        sounds.annotate(f"{len(places)}; {first}", (rows[0], k), (2, 5), textcoords="offset points", fontsize=8)
    sounds.set_yticks(range(len(heard.alarms)), list(heard.alarms))
    sounds.set(xlabel="calls so far", ylim=(-0.5, len(heard.alarms) - 0.3))
    sounds.invert_yaxis()
    for place in (share, sounds):
        plain_axes(place)
    before, after = (float(part.mean()) for part in np.split(race.answers, [len(race.answers) // 2]))
    verb = "rises" if after > before else "falls"
    counts = ", ".join(f"{name} {len(each)}" for name, each in heard.alarms.items())
    figure.suptitle(
        f"Yes {verb} from {before:.1%} of the first half to {after:.1%} of the second; alarms: {counts}", fontsize=11
    )
    return figure


def false_alarms(heard: Heard) -> Figure:
    """Alarms in 10,000 rows, on the stream and where every alarm is false."""
    figure, axes = canvas(size=(7.2, 3.4))
    says = []
    for k, name in enumerate(heard.alarms):
        mean, low, high = heard.often(name)
        real = heard.on_the_stream(name)
        axes.barh(k - 0.19, real, 0.34, color=BLUE, label="calls in their order" if k == 0 else None)
        axes.barh(k + 0.19, mean, 0.34, color=GREY, label="the same, shuffled" if k == 0 else None)
        axes.hlines(k + 0.19, low, high, color=INK, lw=1.5)
        says.append(f"{name} {mean:.1f}")
    axes.set_yticks(range(len(heard.alarms)), list(heard.alarms))
    axes.invert_yaxis()
    axes.set(xlabel="alarms in 10,000 rows")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    plain_axes(axes)
    figure.suptitle(f"False alarms in 10,000 shuffled rows: {', '.join(says)}", fontsize=11)
    return figure
