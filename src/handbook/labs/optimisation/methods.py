"""What the methods of section 3.5 come to, beside the solver that tries every choice: facts and pictures."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.labs.optimisation import barrier, composition, examples, lagrangian, newton
from handbook.labs.optimisation.opinions import apart
from handbook.labs.optimisation.programmes import Array, Programme, solve, vertices

START = np.array([-1.5, 2.0])  # in Rosenbrock's valley
WISH = np.array([1.6, 2.2])  # what two projects ask for, in hundreds of hours


def problems() -> dict[str, Programme]:
    """The section's programmes."""
    return {
        "greatest x + 2y on the region": examples.linear(),
        "least x² + y² on the region": examples.sum_of_squares(),
        "least x² + y² on x + y = 1": examples.on_a_line(),
        "the two projects": examples.projects(),
    }


def facts() -> dict[str, float | bool]:
    """Agreement with the exact solver, and how far each method had to go."""
    return {**_constraints(), **_composed(), **_curvature()}


def _constraints() -> dict[str, float | bool]:
    exact = {name: solve(each) for name, each in problems().items()}
    walls = {name: barrier.follow(each) for name, each in problems().items()}
    prices = {name: lagrangian.by_prices(each) for name, each in problems().items()}
    line = examples.on_a_line()
    return {
        "interior point agrees, with multipliers, to 1e-5": all(
            apart(walls[name].solution, exact[name]) < 1e-5 for name in exact
        ),
        "interior point: Newton's steps, the region": walls["greatest x + 2y on the region"].steps,
        "augmented Lagrangian agrees, with multipliers, to 1e-5": all(
            apart(prices[name].solution, exact[name]) < 1e-5 for name in exact
        ),
        "augmented Lagrangian: rounds, the region": len(prices["least x² + y² on the region"].path),
        "augmented Lagrangian: its first round misses x + y = 1 by": float(
            prices["least x² + y² on x + y = 1"].misses[0]
        ),
        "penalty of 10 alone: x + y = 1 is missed by": lagrangian.miss(line, lagrangian.by_penalty(line, 10.0)),
        "penalty of 1000 alone: x + y = 1 is missed by": lagrangian.miss(line, lagrangian.by_penalty(line, 1000.0)),
    }


def region_in_parts() -> list[composition.Part]:
    """The region of section 3.5.1, a part a line."""
    return [
        composition.at_most(row, right, name)
        for row, right, name in zip(examples.REGION_G, examples.REGION_H, examples.REGION, strict=True)
    ]


def limits() -> list[composition.Part]:
    """What two projects may get, each rule from somewhere else: at most 300 and 100 hours, 200 in all."""
    return [
        composition.box(np.zeros(2), np.array([3.0, 1.0]), "people"),
        composition.at_most(np.ones((1, 2)), np.array([2.0]), "budget"),
    ]


def nearest() -> tuple[Array, Array, Array]:
    """The allowed point nearest to the wish: exact, by Dykstra's method, and by projecting in turn (both as ways)."""
    parts = limits()
    exact = solve(composition.programme(np.eye(2), -WISH, composition.both(*parts))).x
    return exact, composition.project(parts, WISH), composition.project(parts, WISH, give_back=False)


def _composed() -> dict[str, float | bool]:
    exact, dykstra, in_turn = nearest()
    parts = region_in_parts()
    one = solve(composition.programme(2 * np.eye(2), np.zeros(2), composition.both(*parts)))
    other = solve(composition.programme(2 * np.eye(2), np.zeros(2), composition.both(*parts[::-1])))
    return {
        "composed constraints: their order changes nothing": bool(np.allclose(one.x, other.x, atol=1e-9)),
        "composed constraints: the cost is that of the whole": one.cost,
        "projecting by parts ends from the nearest point by": float(np.abs(dykstra[-1] - exact).max()),
        "projecting in turn, nothing handed back, ends from it by": float(np.abs(in_turn[-1] - exact).max()),
    }


def _curvature() -> dict[str, float | bool]:
    H = newton.wide_columns()
    found: dict[str, float | bool] = {}
    for name, M in newton.preconditioners(H).items():
        path = newton.descend(H, np.ones(len(H)), M, 20_000 if name == "none" else 2000)
        found[f"preconditioner {name}: condition"] = newton.condition(H, M)
        found[f"preconditioner {name}: steps to a millionth"] = newton.steps_to(path, H)
    valley = newton.newton(newton.rosenbrock, START)
    plain, careful = (
        newton.newton(newton.two_valleys, np.array([1.0, 0.1]), careful=each)[-1] for each in (False, True)
    )
    return found | {
        "Newton in Rosenbrock's valley: steps": len(valley) - 1,
        "Newton in Rosenbrock's valley: ends from (1, 1) by": float(np.abs(valley[-1] - 1).max()),
        "plain Newton beside a saddle ends at |y|": float(abs(plain[1])),
        "Newton with its curvatures turned round ends at |y|": float(abs(careful[1])),
    }


def _ground(axes: Axes, G: Array, h: Array) -> None:
    axes.fill(*vertices(G, h).T, color=BLUE, alpha=0.2, lw=0)
    axes.spines[["top", "right"]].set_visible(False)


def interior() -> Figure:
    """The central path and its gap; prices against penalties."""
    figure, (ground, gap, missed) = canvas(1, 3, size=(13.0, 4.2))
    _ground(ground, examples.REGION_G, examples.REGION_H)
    walls = barrier.follow(examples.linear())
    ground.plot(*walls.path.T, "o-", ms=4, color=ORANGE, label="central path")
    ground.plot(*solve(examples.linear()).x, "*", ms=14, color=INK, label="best corner")
    ground.set(title="greatest x + 2y, from inside", xlabel="x", ylabel="y", xlim=(0.5, 5.4), ylim=(-0.3, 2.8))
    ground.legend(frameon=False, fontsize=8)
    above = np.array([examples.linear().cost(x) for x in walls.path]) - solve(examples.linear()).cost
    gap.semilogy(walls.gaps, "--", color=GREY, label="promised: m / t")
    gap.semilogy(np.maximum(above, 1e-12), "o-", ms=4, color=ORANGE, label="cost above the least")
    gap.set(xlabel="wall, each a tenth as thick", title="what is left")
    line = examples.on_a_line()
    rounds = lagrangian.by_prices(line).misses[:12]
    rhos = 10.0 * 2 ** np.arange(12)
    missed.semilogy(np.arange(1, 13), [lagrangian.miss(line, lagrangian.by_penalty(line, rho)) for rho in rhos], "s-",
                    ms=4, color=GREY, label="penalty alone, doubled each time")  # fmt: skip
    missed.semilogy(np.arange(1, len(rounds) + 1), np.maximum(rounds, 1e-13), "o-", ms=4, color=BLUE,
                    label="prices, penalty always 10")  # fmt: skip
    missed.set(xlabel="round", title="by how much x + y = 1 is missed")
    for axes in (gap, missed):
        axes.legend(frameon=False, fontsize=8)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"An interior point takes {walls.steps} Newton steps in all and keeps its promise; "
        f"prices miss {rounds[-1]:.0e} after {len(rounds)} rounds, the penalty alone "
        f"{lagrangian.miss(line, lagrangian.by_penalty(line, float(rhos[-1]))):.0e}"
    )
    return figure


def composed() -> Figure:
    """The nearest point of the region, by parts that know only their own."""
    exact, dykstra, in_turn = nearest()
    figure, axes = canvas(size=(6.4, 4.6))
    whole = composition.both(*limits())
    _ground(axes, whole.G, whole.h)
    axes.plot(*WISH, "s", ms=9, color=INK, label="what is wished for")
    axes.plot(*np.vstack([WISH, exact]).T, ":", color=GREY)
    axes.set(xlabel="hundreds of hours for A", ylabel="hundreds of hours for B", xlim=(-0.1, 2.2), ylim=(-0.1, 2.4))
    axes.plot(*in_turn.T, "s--", ms=5, color=BLUE, label="each part's nearest point in turn")
    axes.plot(*dykstra.T, "o-", ms=4, color=ORANGE, label="Dykstra's, which hands back")
    axes.plot(*exact, "*", ms=14, color=INK, label="nearest point, exact")
    off, away = np.abs(dykstra[-1] - exact).max(), np.linalg.norm(in_turn[-1] - exact)
    axes.set_title(
        f"Rules that know only themselves find the nearest plan to {off:.0e};\nin turn they end {away:.2f} from it",
        fontsize=10,
    )
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def curved() -> Figure:
    """Preconditioned descent on a bowl, and Newton's method in a valley and beside a saddle."""
    H = newton.wide_columns()
    figure, (bowl, digits, saddle) = canvas(1, 3, size=(13.0, 4.2))
    counts = []
    for (name, M), colour in zip(newton.preconditioners(H).items(), (GREY, BLUE, ORANGE), strict=True):
        path = newton.descend(H, np.ones(len(H)), M, 20_000 if name == "none" else 2000)
        height = np.einsum("tn,nm,tm->t", path, H, path)
        counts.append(newton.steps_to(path, H))
        bowl.loglog(1 + np.arange(len(path)), np.maximum(height / height[0], 1e-16), color=colour,
                    label=f"{name}, κ = {newton.condition(H, M):,.1f}: {counts[-1]:,} steps")  # fmt: skip
    bowl.axhline(1e-6, ls=":", color=INK)
    bowl.set(xlabel="step + 1", ylabel="height, of that at the start", title="preconditioned descent", ylim=(1e-13, 3))
    valley = newton.newton(newton.rosenbrock, START)
    digits.semilogy(np.maximum(np.abs(valley - 1).max(axis=1), 1e-17), "o-", ms=4, color=ORANGE)
    digits.set(xlabel="step", ylabel="distance from (1, 1)", title="Newton in Rosenbrock's valley")
    x, y = np.meshgrid(np.linspace(-0.4, 1.2, 80), np.linspace(-0.3, 1.3, 80))
    saddle.contour(x, y, x**2 - y**2 + y**4 / 2, levels=18, colors=GREY, linewidths=0.6)
    for careful, colour, name in ((False, BLUE, "plain"), (True, ORANGE, "curvatures turned round")):
        saddle.plot(*newton.newton(newton.two_valleys, np.array([1.0, 0.1]), careful=careful).T, "o-", ms=4,
                    color=colour, label=name)  # fmt: skip
    saddle.set(xlabel="x", ylabel="y", title="Newton beside the saddle of x² − y² + y⁴/2")
    for axes in (bowl, saddle):
        axes.legend(frameon=axes is saddle, fontsize=8)
    for axes in (bowl, digits):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"Scaling the columns takes descent from {counts[0]:,} steps to {counts[1]:,}, the curvature to {counts[2]}; "
        "plain Newton is content with a saddle"
    )
    return figure
