"""The same programmes put to SciPy and to CVXPY, with multipliers in the signs of `programmes`."""

from __future__ import annotations

from typing import Any

import numpy as np

from handbook.labs.optimisation.programmes import (
    Programme,
    Solution,
    infeasible,
    refuse_non_convex,
    residuals,
    unbounded,
)

INFEASIBLE, UNBOUNDED = 2, 3  # statuses of scipy.optimize.linprog
JUDGED = 1e-5  # residuals of SLSQP that are taken for zero: its line search works in costs, to their rounding's root


def by_scipy(programme: Programme) -> Solution:
    """HiGHS for a linear programme, SLSQP (Kraft 1988) for a quadratic one; errors as those of `solve`.

    SLSQP cannot tell a cost without end from a slow one, nor, surely, that nothing is feasible; so feasibility is asked
    of HiGHS first, and a quadratic that runs away is reported as unbounded.
    """
    refuse_non_convex(programme)
    return _quadratic(programme) if programme.P.any() else _linear(programme, programme.q)


def _linear(p: Programme, costs: Any) -> Solution:
    from scipy.optimize import linprog

    found = linprog(costs, p.G, p.h, p.A, p.b, bounds=(None, None))
    if found.status == INFEASIBLE:
        raise infeasible(p)
    if found.status == UNBOUNDED:
        raise unbounded(p)
    # its marginals are the change of the cost by the right-hand side, the opposite of a price
    return Solution(found.x, p.cost(found.x), -found.eqlin.marginals, -found.ineqlin.marginals)


def _quadratic(p: Programme) -> Solution:
    from scipy.optimize import minimize

    start = _linear(p, np.zeros(len(p.q))).x
    # SLSQP wants what is to be zero or at least zero, and counts inequalities after equalities
    constraints: list[dict[str, Any]] = []
    if len(p.b):
        constraints.append({"type": "eq", "fun": lambda x: p.A @ x - p.b, "jac": lambda x: p.A})
    if len(p.h):
        constraints.append({"type": "ineq", "fun": lambda x: p.h - p.G @ x, "jac": lambda x: -p.G})
    found = minimize(
        p.cost, start, jac=lambda x: p.P @ x + p.q, method="SLSQP", constraints=constraints, options={"ftol": 1e-14}
    )
    if not np.isfinite(found.fun) or found.fun < -1e12:
        raise unbounded(p)
    prices = np.asarray(found.multipliers)
    answer = Solution(found.x, p.cost(found.x), -prices[: len(p.b)], prices[len(p.b) :])
    # where rounding leaves it no way down SLSQP reports a failure at the very optimum: the conditions are the judge
    if (off := max(residuals(p, answer).values())) > JUDGED * (1 + float(np.abs(found.x).max())):
        raise ValueError(
            f"SLSQP gave up {off:.2g} from the conditions: {found.message}. Scale the rows, or use `solve`"
        )
    return answer


def by_cvxpy(programme: Programme) -> Solution:
    """CVXPY (Diamond and Boyd 2016), which hands the programme to Clarabel; errors as those of `solve`."""
    import cvxpy as cp

    refuse_non_convex(programme)
    p, x = programme, cp.Variable(len(programme.q))
    costs = 0.5 * cp.quad_form(x, cp.psd_wrap(p.P)) + p.q @ x if p.P.any() else p.q @ x
    equal, below = [p.A @ x == p.b] if len(p.b) else [], [p.G @ x <= p.h] if len(p.h) else []
    problem = cp.Problem(cp.Minimize(costs), equal + below)
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    if problem.status in ("infeasible", "infeasible_inaccurate"):
        raise infeasible(p)
    if problem.status in ("unbounded", "unbounded_inaccurate"):
        raise unbounded(p)
    prices = [each[0].dual_value if each else np.zeros(0) for each in (equal, below)]
    return Solution(np.asarray(x.value), p.cost(x.value), prices[0], prices[1])


def apart(one: Solution, other: Solution) -> float:
    """The largest difference between two solutions, over x and both kinds of multipliers."""
    pairs = [(one.x, other.x), (one.equality, other.equality), (one.inequality, other.inequality)]
    return max(float(np.abs(a - b).max(initial=0)) for a, b in pairs)
