"""Maps of the programmes: where one may stand, where one wants to, and which constraints push back."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.labs.optimisation import examples
from handbook.labs.optimisation.programmes import Array, Programme, Solution, solve, vertices


def _ground(axes: Axes, programme: Programme, x: Array, y: Array) -> None:
    """The feasible region of a programme in the plane, under level lines of its cost."""
    X, Y = np.meshgrid(x, y)
    at = np.stack([X, Y], axis=-1)  # (rows, columns, 2)
    cost = 0.5 * np.einsum("...i,ij,...j->...", at, programme.P, at) + at @ programme.q
    axes.contour(X, Y, cost, levels=14, colors=GREY, linewidths=0.6, linestyles="solid")
    corners = vertices(programme.G, programme.h)
    if len(corners):
        axes.fill(*corners.T, color=BLUE, alpha=0.2, lw=0)
        axes.plot(*corners.T, "o", color=BLUE, ms=4)
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))


def _pushes(axes: Axes, programme: Programme, best: Solution, scale: float) -> None:
    """At the optimum, the way the cost falls, and what each constraint that pushes, pushes."""
    arrow: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1 / scale, "width": 0.008, "zorder": 5}
    down = -(programme.P @ best.x + programme.q)
    axes.quiver(*best.x, *down, color=INK, label="−∇cost", **arrow)
    prices = [*zip(best.equality, programme.A, strict=True), *zip(best.inequality, programme.G, strict=True)]
    active = [price * row for price, row in prices if abs(price) > 1e-9]
    for number, push in enumerate(active):
        axes.quiver(*best.x, *-push, color=ORANGE, label="−price × normal" if number == 0 else None, **arrow)
    axes.plot(*best.x, "*", color=ORANGE, ms=14, mec=INK, zorder=6)


def region() -> Figure:
    """The book's region with its corners, and the best corner for x + 2y."""
    programme = examples.linear()
    best = solve(programme)
    figure, axes = canvas(size=(6.6, 4.4))
    x = np.linspace(-0.5, 6.6, 100)
    _ground(axes, programme, x, np.linspace(-0.9, 4, 100))
    axes.plot(x, 5 - x, color=BLUE, lw=1.2)
    axes.plot(x, x - 1, color=BLUE, lw=1.2)
    axes.text(1.35, 3.75, "x + y = 5", fontsize=9, color=BLUE)
    axes.text(4.3, 3.6, "x − y = 1", fontsize=9, color=BLUE, ha="right")
    for corner in vertices(programme.G, programme.h):
        label = f"({corner[0]:g}, {corner[1]:g})\nx + 2y = {corner @ [1, 2]:g}"
        axes.annotate(label, corner, (10, 4 if corner[1] else -26),
                      textcoords="offset points", fontsize=8,
                      bbox={"fc": "white", "lw": 0, "alpha": 0.8, "pad": 1})  # fmt: skip
    axes.plot(*best.x, "*", color=ORANGE, ms=14, mec=INK)
    axes.set(xlabel="x", ylabel="y",
             title=f"x + 2y is greatest, {-best.cost:g}, at a corner of the region: (3, 2)")  # fmt: skip
    return figure


def projects() -> Figure:
    """Projects A and B: the plan, and what one more hour of labour is worth."""
    programme = examples.projects()
    best = solve(programme)
    figure, (plan, price) = canvas(1, 2, size=(10.4, 4.2))
    _ground(plan, programme, np.linspace(0, 85, 100), np.linspace(0, 105, 100))
    axis = np.linspace(0, 85, 2)
    plan.plot(axis, 100 - 2 * axis, color=BLUE, lw=1.2, label="labour: 2 A + B ≤ 100")
    plan.plot(axis, 80 - axis, "--", color=BLUE, lw=1.2, label="machine: A + B ≤ 80")
    plan.plot(*best.x, "*", color=ORANGE, ms=14, mec=INK, label=f"20 A and 60 B earn {-best.cost:,.0f}")
    plan.legend(frameon=True, fontsize=8, loc="upper right")
    plan.set(xlabel="units of A", ylabel="units of B", title="two limits bind")
    hours = np.linspace(0, 200, 81)
    price.plot(hours, [-solve(examples.projects(each)).cost for each in hours], color=BLUE)
    price.plot(hours, -best.cost + best.inequality[0] * (hours - 100), "--", color=ORANGE,
               label=f"its multiplier: {best.inequality[0]:g} an hour")  # fmt: skip
    price.plot(100, -best.cost, "*", color=ORANGE, ms=14, mec=INK)
    price.set(xlabel="hours of labour there are", ylabel="greatest profit", ylim=(0, 4600),
              title="an hour's price is the slope")  # fmt: skip
    price.legend(frameon=False, fontsize=9)
    price.grid(alpha=0.25)
    figure.suptitle(
        f"The best plan works all {examples.HOURS @ best.x:.0f} hours of labour, not {examples.BOOK_PLAN.sum():,.0f}"
    )
    return figure


def listings() -> Figure:
    """The two programmes of sections 3.5.2 and 3.5.3 as listed, and what is printed of them."""
    figure, (plans, sums) = canvas(1, 2, size=(10.4, 4.4))
    for hours, colour, words in ((examples.LABOUR, BLUE, "the text"), (examples.LISTED_HOURS, ORANGE, "the listing")):
        plan = solve(examples.as_listed(hours)).x
        a = np.geomspace(50, hours - 30, 200)  # a straight limit bends on these scales
        plans.fill_between(a, 30, hours - a, color=colour, alpha=0.2, lw=0)
        label = f"{hours:,.0f} hours, {words}: {plan[0]:,.0f} and {plan[1]:,.0f}"
        plans.loglog(*plan, "*", color=colour, ms=14, mec=INK, label=label)
    plans.set(xlabel="hours of A", ylabel="hours of B", xlim=(40, 8000), ylim=(25, 60_000))
    plans.set_title(f"3.5.2: the printed plan works {examples.BOOK_PLAN.sum():,.0f} hours of {examples.LABOUR:,.0f}")
    plans.legend(frameon=False, fontsize=8, loc="upper right")
    programme, printed = examples.below_one(), examples.PRINTED_OPTIMUM
    least = solve(programme)
    _ground(sums, programme, np.linspace(-0.4, 3.4, 100), np.linspace(-0.4, 3.4, 100))
    sums.plot(*least.x, "*", color=BLUE, ms=14, mec=INK, label=f"the listing: {least.cost + 0:g} at (0, 0)")
    sums.plot(
        *printed, "X", color=ORANGE, ms=11, mec=INK, label=f"printed: 6, where x² + y² is {programme.cost(printed):g}"
    )
    sums.set(xlabel="x", ylabel="y", aspect="equal")
    (miss,) = programme.violations(printed).values()
    sums.set_title(f"3.5.3: the printed optimum is {miss:g} beyond x + y ≤ 1")
    sums.legend(frameon=True, fontsize=8, loc="upper right")
    figure.suptitle("Two listings, and what is printed below them")
    return figure


def multipliers() -> Figure:
    """Equality, inequality and region for x² + y², each with its forces in balance."""
    figure, panels = canvas(1, 3, size=(12.0, 5.2))
    cases = (
        ("x + y = 1", examples.on_a_line(), 0.4, "λ = −1: the cost is ½, the price is not"),
        ("x + y ≥ −1", examples.above_a_line(-1.0), 0.4, "at rest: μ = 0, the optimum is inside"),
        ("the region", examples.sum_of_squares(), 0.35, "x − y ≥ 1 and y ≥ 0 push, μ = 2 each"),
    )
    for axes, (name, programme, scale, finding) in zip(panels, cases, strict=True):
        best = solve(programme)
        wide = np.linspace(-1.4, 2.4, 100)
        _ground(axes, programme, wide, wide)
        if name != "the region":
            total = 1.0 if len(programme.b) else -1.0
            axes.plot(wide, total - wide, color=BLUE, lw=1.5)
        if name == "x + y ≥ −1":
            axes.fill_between(wide, -1 - wide, wide[-1], color=BLUE, alpha=0.2, lw=0)
        _pushes(axes, programme, best, scale)
        axes.set(
            aspect="equal",
            xlabel="x",
            ylabel="y",
            title=f"{name}: ({best.x[0]:.2g}, {np.round(best.x[1], 9) + 0:.2g})\n{finding}",
        )
    panels[0].legend(frameon=True, fontsize=8, loc="lower left")
    figure.suptitle("At the optimum of x² + y² the constraints hold the downhill pull in balance")
    return figure
