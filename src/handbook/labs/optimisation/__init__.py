"""Optimisation: what is minimised, what its landscape holds, and how constraints push back (sections 3.3.1–3.5).

Risk is what a prediction costs on all there is, empirical risk what it costs on the data. Their landscapes hold local
minima and saddles; deep nets let the gradient vanish that should lead through them; convexity excludes all this, and
with constraints a convex programme is at its best just where multipliers balance the pull of the cost (Karush 1939).

Where the book errs. It sets the risk x² beside the empirical risk of other data, so the two minima have nothing to do
with each other; on the same data a gap of s²/n is left. It solves cot πx = πx symbolically, which nobody can: the
minima of x cos πx are found here numerically. It calls x³ at 0 a saddle, which takes two variables. It blames tanh for
vanishing gradients: under the same start ReLU loses more. Its check for a global minimum passes for constants only. It
lets two projects work 50 and 4,950 hours where labour is capped at 100, for its listing puts the 5,000 dollars where
the hours belong; its own problem, put right, gives 50 hours to each (`claims`). It prints the cost ½ of x² + y² on x +
y = 1 as its multiplier, which is λ = −1, and another problem's optimum as its own.

Interior points and augmented Lagrangians, which it names, constraints put together from parts, Newton's method and
preconditioning are in `barrier`, `lagrangian`, `composition` and `newton`, held against the exact solver (`methods`).

The solver is ours, by active sets; SciPy and CVXPY are asked for their opinion, and the checks say whether they agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figures() -> dict[str, Figure]:
    """The lab's pictures by name."""
    from handbook.labs.optimisation import drawings, maps, methods

    return {
        "risk": drawings.risk(),
        "minima": drawings.minima(),
        "saddle": drawings.saddle(),
        "gradients": drawings.gradients(),
        "convexity": drawings.properties(),
        "region": maps.region(),
        "projects": maps.projects(),
        "listings": maps.listings(),
        "multipliers": maps.multipliers(),
        "interior": methods.interior(),
        "composed": methods.composed(),
        "curved": methods.curved(),
    }


def checks() -> dict[str, float | bool]:
    """The chapter's facts, measured."""
    from handbook.labs.optimisation import methods

    return _landscape() | _depth() | _convexity() | _programmes() | _listings() | methods.facts()


def _landscape() -> dict[str, float | bool]:
    import numpy as np

    from handbook.labs.optimisation import landscape

    least, _ = landscape.wave_extrema(*landscape.BOOK_INTERVAL)
    book = landscape.roots(lambda c: 2 * (c - landscape.BOOK_SAMPLE.mean()), -2, 6)  # of R̂'
    return {
        "empirical risk of 1..5: its minimum": float(book[0]),
        "empirical risk of 1..5: its least value": float(landscape.empirical_risk(book, landscape.BOOK_SAMPLE)[0]),
        "excess risk times n, n = 20": 20 * landscape.excess_risk(20, 2000, np.random.default_rng(0)),
        "x cos πx: left minimum": float(least[0]),
        "x cos πx: right minimum": float(least[1]),
        "x cos πx: value at the right minimum": float(landscape.wave(least[1])),
        "x² − y² at 0 is a saddle": landscape.kind(np.diag([2.0, -2.0])) == "saddle",
        "x³ at 0 is a saddle": landscape.kind(np.zeros((1, 1))) == "saddle",
        "saddle: steps of plain descent": landscape.escape((1.0, 1e-6), 0.1, 0.0).steps,
        "saddle: steps with momentum 0.9": landscape.escape((1.0, 1e-6), 0.1, 0.9).steps,
    }


def _depth() -> dict[str, float | bool]:
    import numpy as np

    from handbook.labs.optimisation import depth

    return {
        f"gradient left after 32 layers: {net.name}": depth.survival(net, 32, np.random.default_rng(0))
        for net in depth.NETS
    }


def _convexity() -> dict[str, float | bool]:
    from handbook.labs.optimisation.convexity import FUNCTIONS, property_checks

    found = [(each, property_checks(each.f, each.interval, seed=0)) for each in FUNCTIONS]
    return {
        "convex functions that all five properties accept": sum(each.convex and all(v.values()) for each, v in found),
        "convex functions asked": sum(each.convex for each in FUNCTIONS),
        "other functions that all five properties accept": sum(
            not each.convex and all(v.values()) for each, v in found
        ),
        "other functions asked": sum(not each.convex for each in FUNCTIONS),
        "other functions whose minima are all global": sum(not each.convex and v["minimum"] for each, v in found),
    }


def _programmes() -> dict[str, float | bool]:
    from handbook.labs.optimisation import examples
    from handbook.labs.optimisation.opinions import apart, by_cvxpy, by_scipy
    from handbook.labs.optimisation.programmes import residuals, solve

    problems = [
        examples.linear(),
        examples.sum_of_squares(),
        examples.on_a_line(),
        examples.above_a_line(),
        examples.projects(),
    ]
    ours = [solve(each) for each in problems]
    linear, squares, line, _, plan = ours
    return {
        "region: greatest x + 2y": -linear.cost,
        "region: least x² + y²": squares.cost,
        "region: multiplier of x − y ≥ 1": float(squares.inequality[1]),
        "x² + y² on x + y = 1: cost": line.cost,
        "x² + y² on x + y = 1: multiplier": float(line.equality[0]),
        "projects: units of A": float(plan.x[0]),
        "projects: units of B": float(plan.x[1]),
        "projects: profit": -plan.cost,
        "projects: hours of labour worked": float(examples.HOURS @ plan.x),
        "projects: most hours any plan can work": -solve(examples.projects(gains=examples.HOURS)).cost,
        "projects: hours of labour, as the book prints them": float(examples.BOOK_PLAN.sum()),
        "projects: worth of an hour more of labour": float(plan.inequality[0]),
        "all KKT residuals are below 1e-9": all(
            max(residuals(each, found).values()) < 1e-9 for each, found in zip(problems, ours, strict=True)
        ),
        "SciPy agrees, with multipliers, to 1e-6": all(
            apart(by_scipy(each), found) < 1e-6 for each, found in zip(problems, ours, strict=True)
        ),
        "CVXPY agrees, with multipliers, to 1e-6": all(
            apart(by_cvxpy(each), found) < 1e-6 for each, found in zip(problems, ours, strict=True)
        ),
    }


def _listings() -> dict[str, float | bool]:
    """The two programmes of sections 3.5.2 and 3.5.3 as listed, and what is printed of them."""
    from handbook.labs.optimisation import examples
    from handbook.labs.optimisation.opinions import apart, by_cvxpy, by_scipy
    from handbook.labs.optimisation.programmes import solve

    problems = [examples.as_listed(), examples.as_listed(examples.LABOUR), examples.below_one()]
    listed, within, below = ours = [solve(each) for each in problems]
    (miss,) = problems[-1].violations(examples.PRINTED_OPTIMUM).values()
    return {
        "3.5.2 as listed: hours of A": float(listed.x[0]),
        "3.5.2 as listed: hours of B": float(listed.x[1]),
        "3.5.2 within the 100 hours of its text: hours of A": float(within.x[0]),
        "3.5.2 within the 100 hours of its text: hours of B": float(within.x[1]),
        "3.5.3 as listed: least cost": below.cost + 0.0,
        "3.5.3 as listed: greatest of x and y there": float(below.x.max()) + 0.0,
        "3.5.3: the printed optimum misses its constraint by": miss,
        "3.5.3: the cost at the printed optimum": problems[-1].cost(examples.PRINTED_OPTIMUM),
        "3.5.2, 3.5.3 as listed: SciPy and CVXPY agree, with multipliers, to 1e-5": all(
            apart(solver(each), found) < 1e-5  # at a cost of 0, CVXPY's 1e-10 of the cost are 1e-5 of x
            for each, found in zip(problems, ours, strict=True)
            for solver in (by_scipy, by_cvxpy)
        ),
    }
