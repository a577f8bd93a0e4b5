"""The lab's figures. What a title says follows from what was measured, intervals included."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas, mosaic, ranking
from handbook.evaluation.metrics import mean_interval
from handbook.labs.gan_varieties import cycle, progressive, star, style, units
from handbook.labs.gan_varieties.small import Floats

Interval = tuple[float, float, float]


def clear(interval: Interval, at: float = 0.0) -> int:
    """1 where an interval lies above a value, -1 where it lies below, 0 where it holds it."""
    _, low, high = interval
    return int(low > at) - int(high < at)


def growing(race: progressive.Race) -> Figure:
    """Distance to unseen sprites against the work done, both ways, a thin line a seed."""
    figure, axes = canvas(size=(7.2, 4.2))
    lines = {"grown from 8 x 8": (race.grown, BLUE, "o"), "at full size at once": (race.at_once, ORANGE, "s")}
    for name, (courses, colour, mark) in lines.items():
        each = np.stack([course.distances for course in courses])
        axes.plot(progressive.MARKS, each.T, color=colour, lw=0.8, alpha=0.5)
        steps = f"{name}, {courses[0].steps:,} steps"
        axes.plot(progressive.MARKS, each.mean(axis=0), mark + "-", color=colour, lw=2, label=steps)
    axes.axhline(race.real, ls="--", color=GREY, label="real sprites")
    axes.set(xlabel="share of the multiply-adds", ylabel="sliced Wasserstein distance to unseen sprites")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    return _titled(figure, growing_title(race))


def growing_title(race: progressive.Race) -> str:
    gain = race.gain()
    share = abs(gain[0]) / np.mean([course.distances[-1] for course in race.at_once])
    if clear(gain) > 0:
        return f"For the same multiply-adds, growing ends {share:.0%} nearer to real sprites"
    if clear(gain) < 0:
        return f"For the same multiply-adds, growing ends {share:.0%} farther from real sprites"
    return f"For the same multiply-adds, {len(race.grown)} seeds show no gain of growing"


def growing_sheet(race: progressive.Race) -> Figure:
    """What ten latent vectors draw as the work is done, both ways."""
    rows, names = [], []
    for name, courses in (("grown", race.grown), ("at once", race.at_once)):
        for k in (0, 2, 4):
            rows.append(courses[0].sheets[k])
            names.append(f"{name}, {progressive.MARKS[k]:.0%}")
    rows.append(race.unseen)
    shares = [float(np.mean([course.distances[-1] for course in each])) for each in (race.grown, race.at_once)]
    title = f"Distances at the end: grown {shares[0]:.2f}, at once {shares[1]:.2f}, real sprites {race.real:.2f}"
    return mosaic(np.stack([each[: len(race.unseen)] for each in rows]), title, [*names, "real, unseen"])


def effects(styles: style.Styles) -> Figure:
    """How much of shape and colour the style of each side moves, of what all of them move."""
    figure, axes = canvas(size=(6.8, 3.8))
    for k, (name, colour) in enumerate(zip(styles.effects, (BLUE, ORANGE), strict=True)):
        found = np.array(list(styles.effects[name].values()))  # (sides, 3)
        at = np.arange(len(found)) + 0.36 * (k - 0.5)
        axes.bar(at, 100 * found[:, 0], 0.34, color=colour, label=name)
        axes.vlines(at, 100 * found[:, 1], 100 * found[:, 2], color=INK)
    axes.set_xticks(range(len(style.SIDES)), [f"style of {side} x {side}" for side in style.SIDES])
    axes.set(ylabel="change, as a share of a swap of all (%)")
    axes.axhline(100, ls="--", color=GREY)
    axes.legend(frameon=False)
    return _titled(figure, effects_title(styles))


def strongest(effects: dict[int, Interval]) -> int | None:
    """The side whose style moves most, if its interval lies above those of all others."""
    best = max(effects, key=lambda side: effects[side][0])
    return best if all(effects[best][1] > each[2] for side, each in effects.items() if side != best) else None


def effects_title(styles: style.Styles) -> str:
    shape, colour = (strongest(styles.effects[name]) for name in ("shape", "colour"))
    if shape is not None and shape == colour:
        return f"The style of {shape} x {shape} moves shape and colour most"
    parts = [
        f"that of {side} x {side} the {name}" if side else f"none stands out for the {name}"
        for name, side in (("shape", shape), ("colour", colour))
    ]
    return f"Which style moves most: {', '.join(parts)}"


def style_sheet(styles: style.Styles, side: int) -> Figure:
    """Rows by one latent vector each, save the style of one side, which is the column's; sources at the rim."""
    number = style.SHOWN
    down, across = styles.sources[:number], styles.sources[number:]
    corner = np.full_like(across[:1], 255)
    whole = np.concatenate([
        np.concatenate([corner, across])[None], np.concatenate([down[:, None], styles.mixed[side]], axis=1)
    ])  # fmt: skip
    moved = {name: styles.effects[name][side][0] for name in styles.effects}
    title = (
        f"{side} x {side} from the top: {moved['shape']:.0%} of the shape moves, {moved['colour']:.0%} of the colour"
    )
    return mosaic(whole, title, ["", *[f"source {k + 1}" for k in range(number)]], side=0.8)


def outcome(left: Interval) -> str:
    """What a share of an error that is left means."""
    if clear(left, 1) < 0:
        return f"takes {1 - left[0]:.0%} off the error"
    return f"adds {left[0] - 1:.0%} to the error" if clear(left, 1) > 0 else "changes nothing for certain"


def swaps(found: cycle.Swaps) -> Figure:
    """By question and method: error left, and direction of the change."""
    names = [f"{question}: {way}" for question, each in found.judged.items() for way in each.left]
    left = [each.left[way] for each in found.judged.values() for way in each.left]
    turn = [each.direction[way] for each in found.judged.values() for way in each.direction]
    figure, (one, other) = canvas(1, 2, size=(9.0, 3.6), sharey=True)
    _dots(one, names, 100 * np.array(left), 100)
    one.set(xlabel="error left (%), 100: picture left as it is")
    _dots(other, names, np.array(turn), 0)
    other.set(xlabel="cosine of the change with the true one")
    new = found.judged[cycle.QUESTIONS[0]].left
    ways = f"the cycle {outcome(new['by cycle'])}, training on pairs {outcome(new['by pairs'])}"
    return _titled(figure, f"Shiny sprites of new Pokemon: {ways}")


def swap_sheet(found: cycle.Swaps) -> Figure:
    """New Pokemon, normal, turned shiny both ways, and shiny in truth."""
    cosine = found.judged[cycle.QUESTIONS[0]].direction["by cycle"]
    word = {1: "leans towards", 0: "has nothing to do with", -1: "leans away from"}[clear(cosine)]
    title = f"What the cycle changes {word} the true swap: cosine {round(cosine[0], 2) + 0.0}"
    return mosaic(found.sheet, title, cycle.ROWS)


def stars(found: star.Stars) -> Figure:
    """By method: error left to the true sprite, and share that passes for the wanted game."""
    figure, (one, other) = canvas(1, 2, size=(9.0, 2.9))
    left, taken = (np.array(list(each.values())) * 100 for each in (found.left, found.taken))
    _dots(one, list(found.left), left, 100)
    one.set(xlabel="error to the true sprite (%), 100: picture left as it is")
    _dots(other, list(found.taken), taken, 100 / len(found.games))
    other.set(xlabel="taken for the wanted game (%); line: by chance", xlim=(0, 102))
    passing, error = found.taken["by star"][0], outcome(found.left["by star"])
    return _titled(
        figure, f"{passing:.0%} of the star's sprites pass for the wanted game; towards the true sprite it {error}"
    )


def star_sheet(found: star.Stars) -> Figure:
    """New Pokemon of the first game, taken into the others, beside their true sprites."""
    passing, before = found.taken["by star"][0], found.taken["left as they are"][0]
    title = f"Into {len(found.games) - 1} other games: {before:.0%} pass for the game before, {passing:.0%} after"
    return mosaic(found.sheet, title, found.rows)


def more_data(found: star.Stars) -> Figure:
    """Accuracy of classifiers of games by their training data, means over seeds."""
    values = np.array([mean_interval(found.accuracy[way]) for way in star.WAYS]) * 100
    gains = {way: found.gain(way) for way in star.WAYS[1:]}
    parts = [f"{way} sprites {100 * gain[0]:+.1f} points{_doubt(gain)}" for way, gain in gains.items()]
    title = f"Naming the game of unseen Pokemon: {', '.join(parts)}"
    figure = ranking(star.WAYS, values[:, 0], values[:, 1:], "", f"accuracy (%), mean of {star.SEEDS} seeds")
    figure.set_figheight(figure.get_figheight() + 0.4)  # for a second line of the title
    return _titled(figure, title)


def _doubt(gain: Interval) -> str:
    return "" if clear(gain) else " (not for certain)"


def habits(tried: units.Tried) -> Figure:
    """By unit, norm and rate: distance to unseen sprites, and silent channels; a pale dot a seed."""
    figure, (one, other) = canvas(1, 2, size=(9.0, 3.8), sharey=True)
    arms = [(unit, norm) for unit in units.UNITS for norm in units.NORMS]
    for k, (rate, colour) in enumerate(zip(units.RATES, (BLUE, ORANGE), strict=True)):
        at = np.arange(len(arms)) + 0.24 * (k - 0.5)
        for axes, values, factor in ((one, tried.distances, 1), (other, tried.silent, 100)):
            each = factor * np.stack([values[*arm, rate] for arm in arms])  # (arms, seeds)
            axes.plot(each, np.repeat(at[:, None], each.shape[1], axis=1), "o", ms=4, color=colour, alpha=0.35)
            axes.plot(each.mean(axis=1), at, "D", ms=6, color=colour, label=f"rate {rate:g}, mean")
            axes.grid(alpha=0.25)
    one.axvline(tried.real, ls="--", color=GREY, label="real sprites")
    one.set_yticks(range(len(arms)), [", ".join(arm) for arm in arms])
    one.invert_yaxis()
    one.set(xlabel="sliced Wasserstein distance to unseen sprites")
    other.set(xlabel="channels that are always negative (%)")
    one.legend(frameon=False, fontsize=8)
    return _titled(figure, habits_title(tried))


def habits_title(tried: units.Tried) -> str:
    words = {1: "draws nearer by {:.2f}", -1: "draws farther by {:.2f}", 0: "makes no certain difference"}
    gains = {habit: tried.gain(habit) for habit in units.HABITS}
    parts = [f"{habit} {words[clear(gain)].format(abs(gain[0]))}" for habit, gain in gains.items()]
    pairs = sum(len(each) for each in tried.gains(units.HABITS[0]).values())
    return f"Over {pairs} pairs of runs, {' and '.join(parts)}"


def _titled(figure: Figure, title: str) -> Figure:
    """The figure with its finding as title, on as many lines as its width asks for."""
    figure.suptitle(fill(title, int(figure.get_figwidth() / 0.09)))  # inches of a letter, about
    return figure


def _dots(axes: Axes, names: Sequence[str], values: Floats, line: float) -> None:
    """A point and its interval, values (N, 3), for each name, the first on top."""
    places = np.arange(len(names))
    axes.axvline(line, ls="--", color=GREY)
    axes.hlines(places, values[:, 1], values[:, 2], color=GREY, lw=3)
    colours = [ORANGE if "pairs" in name else BLUE for name in names]
    axes.scatter(values[:, 0], places, c=colours, zorder=3)
    axes.set_yticks(places, names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(alpha=0.25)
