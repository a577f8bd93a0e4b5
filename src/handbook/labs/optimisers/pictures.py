"""The lab's pictures: paths over contours, losses over steps, and the race as an animation."""

from __future__ import annotations

from functools import cache
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handbook.evaluation.figures import GREY, INK, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.labs.optimisers import descent, garments, races, rules, schedules
from handbook.labs.optimisers.rules import Vector

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.backends.backend_agg import FigureCanvasAgg

COLOURS = {
    "descent": "#6b7785",
    "momentum": "#1f6fb2",
    "Nesterov": "#59a9e0",
    "AdaGrad": "#c0392b",
    "RMSprop": "#d9731a",
    "Adadelta": "#e3b23c",
    "Adam": "#2e8b57",
    "AdamW": "#8fce6a",
    "L-BFGS": "#7d3c98",
}
FLOOR = 1e-12  # below that the curves show only rounding


def _contours(axes: Axes, landscape: races.Landscape) -> None:
    """Lines of equal height, spaced so that valley floors and walls can both be read."""
    left, right, bottom, top = landscape.view
    x, y = np.meshgrid(np.linspace(left, right, 161), np.linspace(bottom, top, 161))
    level = np.asarray(landscape.f(np.stack([x.ravel(), y.ravel()]))[0]).reshape(x.shape)
    axes.contour(x, y, np.log10(level - landscape.lowest + 1e-2), levels=16, colors=GREY, linewidths=0.6, alpha=0.7)
    axes.set(xlabel="x", ylabel="y", xlim=(left, right), ylim=(bottom, top))


def paths(name: str) -> Figure:
    """The race on a landscape: where each rule went, and how high above the minimum it was."""
    landscape, ran = races.LANDSCAPES[name], races.race(name)
    figure, (plane, curves) = canvas(1, 2, size=(12, 4.6), width_ratios=(1.15, 1))
    _contours(plane, landscape)
    for rule, path in ran.items():
        steps = f"{path.arrival():,} steps" if path.arrival() >= 0 else "not there"
        label = f"{rule}: {steps}" if rule == "L-BFGS" else f"{rule} ({path.eta:.2g}): {steps}"
        plane.plot(*path.points.T, "-o", ms=1.8, lw=1.1, color=COLOURS[rule])
        height = np.maximum(path.excess, FLOOR)
        curves.loglog(1 + np.arange(len(height)), height, lw=1.4, color=COLOURS[rule], label=label)
    plane.plot(*landscape.start, "k*", ms=9)
    curves.set(xlabel="step + 1", ylabel="height above the minimum")
    figure.legend(loc="outside right upper", fontsize=8, title="rule (its best rate):\nbelow 1e-4 of the start after")
    plain_axes(curves)
    figure.suptitle(_winners(name, ran))
    return figure


def _winners(name: str, ran: dict[str, races.Path]) -> str:
    order = sorted((path.arrival(), rule) for rule, path in ran.items() if path.arrival() >= 0 and rule != "L-BFGS")
    late = [rule for rule, path in ran.items() if path.arrival() < 0]
    rest = f";\nnot in {races.STEPS:,}: {', '.join(late)}" if late else ""
    return (
        f"{name.capitalize()}: L-BFGS arrives in {ran['L-BFGS'].arrival()} steps, {order[0][1]} in {order[0][0]}, "
        f"{order[1][1]} in {order[1][0]}{rest}"
    )


def batch_sizes() -> Figure:
    """The example of section 3.6, by steps and by rows looked at."""
    data = descent.rows(np.random.default_rng(0))
    floor = data.loss(data.best())
    figure, (by_step, by_row) = canvas(1, 2, size=(9.6, 3.9), sharey=True)
    for (name, size), colour in zip(descent.SIZES.items(), ("#1f6fb2", "#2e8b57", "#d9731a"), strict=True):
        path = descent.descend(data, size, 2000, np.random.default_rng(1))
        excess = np.maximum([data.loss(w) - floor for w in path], FLOOR)
        t = np.arange(len(path))
        by_step.semilogy(t, excess, lw=1, color=colour, label=f"{name} ({size} {'row' if size == 1 else 'rows'})")
        by_row.loglog(1 + t * size, excess, lw=1, color=colour)
    by_step.axvline(descent.STEPS, ls="--", lw=1, color=GREY)
    by_step.text(descent.STEPS + 25, 4, "100 steps", fontsize=8, color=INK)
    by_step.set(xlabel="steps at rate 0.01", ylabel="mean squared error above the best")
    by_row.set(xlabel="rows looked at + 1")
    by_step.legend(frameon=False, fontsize=8)
    for axes in (by_step, by_row):
        plain_axes(axes)
    figure.suptitle(
        "Small batches need fewer rows and never come to rest; after 100 steps an eighth of the way is left"
    )
    return figure


def printed_descent() -> Figure:
    """The book's own three runs, pass by pass, down to the weights that it prints."""
    figure, axes = canvas(size=(7.4, 4.2))
    off = 0.0
    for (name, weights), colour in zip(descent.PRINTED.items(), ("#1f6fb2", "#d9731a", "#2e8b57"), strict=True):
        data, path = descent.printed(name)
        off = max(off, float(np.abs(path[-1] - weights).max()))
        passes = path[:: (len(path) - 1) // descent.STEPS]
        left = np.linalg.norm(passes - data.best(), axis=1) / np.linalg.norm(data.best())
        axes.semilogy(left, color=colour, label=f"{name}: {len(path) - 1:,} updates, {left[-1]:.2g} left")
    axes.set(xlabel="passes over the 100 rows", ylabel="way left to the best weights, as a share")
    axes.legend(frameon=False, fontsize=8)
    axes.set_title(f"The book's three runs again: within {off:.0e} of every weight that it prints")
    plain_axes(axes)
    return figure


def traps() -> Figure:
    """Two of the book's errors on its own example, x² from 5."""
    start = np.array([5.0])
    ahead, listed = (path(_slope, start, 0.1, 0.9, 60)[:, 0] for path in (rules.look_ahead, rules.two_gradients))
    heavy = rules.walk(rules.Momentum(0.1), _slope, start, 60)[:, 0]
    figure, (left, right) = canvas(1, 2, size=(9.6, 3.8))
    left.plot(ahead, color=COLOURS["Nesterov"], label="Nesterov, looking ahead")
    left.plot(heavy, color=COLOURS["momentum"], label="momentum")
    left.plot(listed, color=COLOURS["AdaGrad"], label="with two gradients, as the book's code")
    adam = rules.walk(rules.Adam(0.1), _slope, start, 150)[:, 0]
    stuck = rules.frozen(rules.Adam(0.1), _slope, start, 150)[:, 0]
    right.plot(adam, color=COLOURS["Adam"], label="Adam")
    right.plot(stuck, color=COLOURS["AdaGrad"], label="its first gradient for ever, as the book's")
    for axes in (left, right):
        axes.axhline(0, color=GREY, lw=0.8)
        axes.set(xlabel="step", ylabel="x")
        axes.legend(frameon=False, fontsize=8)
        plain_axes(axes)
    figure.suptitle("On x²: the book's Nesterov swings on, and Adam without fresh gradients walks past the minimum")
    return figure


def _slope(x: Vector) -> Vector:
    """Of the book's x²."""
    return 2 * x


def escapes() -> Figure:
    """Steps to leave the saddle against the distance from its ridge."""
    offsets = np.logspace(-9, -1, 17)
    figure, axes = canvas(size=(6.6, 4.2))
    for name in ("descent", "momentum", "Nesterov", "AdaGrad", "RMSprop", "Adam"):
        axes.semilogx(offsets, races.escapes(rules.RULES[name], offsets), "o-", ms=3, color=COLOURS[name], label=name)
    axes.set(xlabel="start's distance from the ridge", ylabel="steps until |y| > 1/2, rate 0.05")
    axes.set_title(
        "Momentum leaves a saddle three times as fast as descent or more;\nadaptive rules do not care how flat it is"
    )
    axes.legend(frameon=False, fontsize=8)
    plain_axes(axes)
    return figure


def plans(total: int = 100) -> dict[str, schedules.Schedule]:
    """Each schedule at a peak of 1 over `total` steps."""
    return {
        "constant": schedules.constant(1),
        "decay": schedules.decay(1, 10 / total),
        "step": schedules.step(1, total // 4, 0.3),
        "exponential": schedules.exponential(1, 0.01 ** (1 / total)),
        "cosine": schedules.cosine(1, total),
        "one-cycle": schedules.one_cycle(1, total),
        "warm-up": schedules.warm_up(1, total // 10, 0.01, schedules.cosine(1, total - total // 10)),
    }


@cache
def schedule_race(steps: int = 400, eta: float = 0.15, seeds: int = 20) -> dict[str, Vector]:
    """Mean squared error above the best, one row a step, mean over seeds: {schedule: (steps + 1,)}."""
    data = descent.rows(np.random.default_rng(0))
    floor, ran = data.loss(data.best()), {}
    for name, plan in plans(steps).items():
        paths = descent.descend_each(data, steps, range(seeds), plan, eta)
        ran[name] = np.mean([((path @ data.x.T - data.y) ** 2).mean(axis=1) - floor for path in paths], axis=0)
    ran["plateau"] = np.mean([by_plateau(data, eta, steps, seed)[0] - floor for seed in range(seeds)], axis=0)
    return ran


def by_plateau(data: descent.Rows, eta: float, steps: int, seed: int) -> tuple[Vector, Vector]:
    """Losses on all rows and rates, both (steps + 1,), halving the rate when 20 steps have brought no lower loss."""
    judge, rule, w = schedules.Plateau(eta, 0.5, patience=20), rules.Descent(eta), np.zeros(2)
    losses, rates = [data.loss(w)], [eta]
    order = descent.batches(len(data.y), 1, np.random.default_rng(seed))
    for _, batch in zip(range(steps), order, strict=False):
        w = rule.step(w, data.gradient(w, batch))
        losses.append(data.loss(w))
        rule.eta = judge.see(losses[-1])
        rates.append(rule.eta)
    return np.asarray(losses), np.asarray(rates)


def schedule_curves() -> Figure:
    """The schedules drawn, and raced where a constant rate cannot win."""
    figure, (drawn, raced) = canvas(1, 2, size=(11.5, 4.1))
    ran = schedule_race()
    for number, (name, losses) in enumerate(ran.items()):
        colour = list(COLOURS.values())[number]
        if name == "plateau":
            rates = by_plateau(descent.rows(np.random.default_rng(0)), 0.15, 400, 0)[1]
            drawn.plot(np.linspace(0, 100, 401), rates / rates[0], color=colour, label="plateau")
        else:
            drawn.plot([plans()[name](t) for t in range(100)], color=colour, label=name)
        raced.semilogy(losses, color=colour, lw=1.1, label=f"{name}: {losses[-50:].mean():.1e}")
    drawn.set(xlabel="step, % of all", ylabel="rate / peak (plateau: one run)")
    raced.set(xlabel="step", ylabel="mean squared error above the best")
    figure.legend(*raced.get_legend_handles_labels(), loc="outside right upper", fontsize=8,
                  title="schedule:\nmean of the last 50 steps")  # fmt: skip
    for axes in (drawn, raced):
        plain_axes(axes)
    best = min(ran, key=lambda name: float(ran[name][-50:].mean()))
    gain = ran["constant"][-50:].mean() / ran[best][-50:].mean()
    figure.suptitle(f"Single rows: every falling rate beats the constant one, {best} by a factor of {gain:.0f}")
    return figure


def garment_curves(data: garments.Slice) -> Figure:
    """The race on pictures: losses of batches, and what they amount to at the end."""
    ran = garments.race(data)
    figure, (curves, bars) = canvas(1, 2, size=(11, 4.3), width_ratios=(1.4, 1))
    order = sorted(ran, key=lambda name: ran[name].final)
    for name in order:
        smooth = ran[name].smooth()
        steps = np.arange(len(ran[name].losses) - len(smooth), len(ran[name].losses)) + 1
        curves.plot(steps, smooth, color=COLOURS[name], label=f"{name} ({garments.RATES[name]:g})")
    curves.set(xlabel="step", ylabel="cross-entropy (nats), mean of the last 24 batches")
    curves.legend(frameon=False, fontsize=8, title="rule (its best rate)", title_fontsize=8)
    plain_axes(curves)
    bars.barh(order[::-1], [ran[name].final for name in order[::-1]], color=[COLOURS[name] for name in order[::-1]])
    for place, name in enumerate(order[::-1]):
        bars.text(ran[name].final, place, f" {ran[name].final:.2f}; {ran[name].accuracy:.1%}", va="center", fontsize=8)
    bars.set(
        xlabel=f"loss on the slice at the end; accuracy on {len(data.answers):,} new",
        xlim=(0, 1.3 * ran[order[-1]].final),
    )
    plain_axes(bars)
    bars.grid(visible=False)
    figure.suptitle(
        f"LeNet's shapes, {len(data.labels):,} garments, three passes: {order[0]} leads with "
        f"{ran[order[0]].final:.2f}, {order[-1]} ends at {ran[order[-1]].final:.2f}"
    )
    return figure


def animate(target: File, frames: int = 48) -> None:
    """Write the race on Rosenbrock's valley as a GIF: time runs slowly at first, by equal ratios of steps."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    landscape, ran = races.LANDSCAPES["rosenbrock"], races.race("rosenbrock")
    figure, axes = canvas(size=(5.6, 4.4))
    figure.set_dpi(80)
    agg = FigureCanvasAgg(figure)
    _contours(axes, landscape)
    axes.plot(1, 1, "k*", ms=11)
    trails = {name: axes.plot([], [], lw=1, color=COLOURS[name])[0] for name in ran}
    heads = {name: axes.plot([], [], "o", ms=6, color=COLOURS[name], label=name)[0] for name in ran}
    moving = [*trails.values(), *heads.values(), *axes.spines.values(), axes.title]
    moving.append(axes.legend(fontsize=7, loc="lower right", ncols=2))  # in the order in which they cover each other
    axes.set_title(_at(0), fontsize=9)
    ground = _without(agg, moving)
    times = np.unique(np.round(np.logspace(0, np.log10(races.STEPS), frames)).astype(int))
    shots = []
    for t in (0, *times):
        for name, path in ran.items():
            trails[name].set_data(*path.points[: t + 1].T)
            heads[name].set_data(*path.points[: t + 1][-1:].T)
        axes.set_title(_at(t), fontsize=9)
        agg.restore_region(ground)  # type: ignore[no-untyped-call]
        for each in moving:
            axes.draw_artist(each)
        shots.append(Image.fromarray(np.array(agg.buffer_rgba())[..., :3]))  # type: ignore[no-untyped-call]
    # one palette and no dithering, else each frame is noise to the compression and the file four times as large
    palette = shots[-1].quantize(256, Image.Quantize.MAXCOVERAGE)
    small = [shot.quantize(palette=palette, dither=Image.Dither.NONE) for shot in shots]
    still = [125] * len(times) + [2000]  # milliseconds; the end is held
    small[0].save(target, save_all=True, append_images=small[1:], duration=still, loop=0, optimize=True)


def _at(step: int) -> str:
    return f"Rosenbrock's valley, step {step}, each rule at its best rate"


def _without(agg: FigureCanvasAgg, moving: list[Artist]) -> Any:
    """The pixels of all that does not move, drawn once; laid out once too: the axes must not jump between frames."""
    agg.figure.draw_without_rendering()
    agg.figure.set_layout_engine("none")
    for each in moving:
        each.set_animated(True)
    agg.draw()  # type: ignore[no-untyped-call]
    return agg.copy_from_bbox(agg.figure.bbox)  # type: ignore[no-untyped-call]
