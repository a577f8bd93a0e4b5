"""Laws of the optimisation lab: landscapes, gradients in depth, convexity, and programmes with their multipliers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from handbook.labs import optimisation
from handbook.labs.optimisation import convexity, depth, examples, landscape
from handbook.labs.optimisation.opinions import apart, by_cvxpy, by_scipy
from handbook.labs.optimisation.programmes import Programme, Solution, residuals, solve, vertices

SOLVERS = pytest.mark.parametrize("solver", [solve, by_scipy, by_cvxpy], ids=lambda solver: solver.__name__)
Solver = Callable[[Programme], Solution]


def solution(x: Any, cost: float, equality: Any = (), inequality: Any = ()) -> Solution:
    return Solution(np.array(x, float), cost, np.array(equality, float), np.array(inequality, float))


def test_empirical_risk_of_one_to_five_is_lowest_at_three_where_the_variance_two_is_left() -> None:
    best = minimize_scalar(lambda c: float(landscape.empirical_risk(np.asarray(c), landscape.BOOK_SAMPLE)))
    assert best.x == pytest.approx(3)
    assert best.fun == pytest.approx(2)
    assert landscape.BOOK_SAMPLE.var() == 2


def test_empirical_risk_of_many_values_is_the_risk() -> None:
    c = np.linspace(-2, 2, 9)
    sample = np.random.default_rng(0).standard_normal(200_000)
    assert landscape.empirical_risk(c, sample) == pytest.approx(landscape.risk(c), abs=0.02)


@pytest.mark.parametrize("n", [2, 10, 50])
def test_the_excess_risk_of_the_sample_mean_is_one_over_n(n: int) -> None:
    assert landscape.excess_risk(n, 10_000, np.random.default_rng(1)) * n == pytest.approx(1, abs=0.05)


def test_the_minima_of_x_cos_pi_x_are_where_brent_finds_them() -> None:
    least, most = landscape.wave_extrema(-1, 2)
    assert least == pytest.approx([brentq(landscape.wave_slope, *b, xtol=1e-14) for b in ((-0.5, -0.1), (1, 1.2))])
    assert most == pytest.approx(-least[:1])  # the function is odd
    assert abs(landscape.wave_slope(least)).max() < 1e-12
    assert least == pytest.approx([-0.2738527, 1.0904082], abs=1e-7)


def test_slope_and_curvature_of_x_cos_pi_x_are_those_of_autograd() -> None:
    x = torch.linspace(-1, 2, 31, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad((x * torch.cos(torch.pi * x)).sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    at = x.detach().numpy()
    assert np.abs(landscape.wave_slope(at) - slope.detach().numpy()).max() < 1e-12
    assert np.abs(landscape.wave_curvature(at) - curvature.numpy()).max() < 1e-12


def test_roots_that_lie_on_the_grid_are_found_once() -> None:
    assert landscape.roots(lambda x: x * (x - 1), -1, 2, cells=300) == pytest.approx([0, 1], abs=1e-12)


def test_a_saddle_takes_two_variables() -> None:
    assert landscape.kind(np.diag([2.0, -2.0])) == "saddle"  # x² − y²
    assert landscape.kind(np.zeros((1, 1))) == "undecided"  # x³ at 0, which the book calls a saddle
    assert landscape.kind(np.eye(2)) == "minimum"
    assert landscape.kind(-np.eye(1)) == "maximum"


def test_on_the_ridge_of_a_saddle_nobody_escapes() -> None:
    for momentum in (0.0, 0.9):
        run = landscape.escape((1.0, 0.0), 0.1, momentum)
        assert not run.escaped
        assert run.path[-1] == pytest.approx([0, 0], abs=1e-6)


def test_momentum_leaves_a_saddle_in_half_the_steps() -> None:
    plain, fast = (landscape.escape((1.0, 1e-6), 0.1, momentum) for momentum in (0.0, 0.9))
    assert plain.escaped
    assert fast.escaped
    assert fast.steps < plain.steps / 2
    assert plain.steps == np.ceil(np.log(1e6) / np.log(1.2))  # y grows by 1 + 2η a step


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_the_path_off_a_saddle_is_torchs_and_grows_by_the_root_of_its_recurrence(momentum: float) -> None:
    run = landscape.escape((1.0, 1e-6), 0.1, momentum)
    theta = torch.tensor([1.0, 1e-6], dtype=torch.float64, requires_grad=True)
    sgd = torch.optim.SGD([theta], lr=0.1, momentum=momentum)
    for place in run.path[1:]:
        sgd.zero_grad()
        (theta[0] ** 2 - theta[1] ** 2).backward()
        sgd.step()
        assert place == pytest.approx(theta.detach().numpy(), rel=1e-12, abs=1e-15)
    assert run.path[-1, 1] / run.path[-2, 1] == pytest.approx(landscape.growth(0.1, momentum), rel=1e-3)


@pytest.mark.parametrize("net", depth.NETS, ids=lambda net: net.name)
def test_gradients_of_deep_nets_are_those_of_autograd(net: depth.Net) -> None:
    rng = np.random.default_rng(3)
    weights, x, g = net.weights(6, 5, rng), rng.standard_normal(5), rng.standard_normal(5)
    out, seen = depth.forward(net, weights, x)
    start = h = torch.tensor(x, requires_grad=True)
    unit = torch.tanh if net.unit is np.tanh else torch.relu
    for W in torch.tensor(weights):
        h = h + W @ unit(h) / 6**0.5 if net.residual else unit(W @ h)
    h.backward(torch.tensor(g))
    assert start.grad is not None
    assert np.abs(out - h.detach().numpy()).max() < 1e-12
    assert np.abs(depth.backward(net, weights, seen, g)[0] - start.grad.numpy()).max() < 1e-12


def test_gradients_vanish_for_tanh_and_relu_alike_unless_the_start_or_a_way_around_keeps_them() -> None:
    tanh, relu, he, residual = (depth.survival(net, 32, np.random.default_rng(5)) for net in depth.NETS)
    assert relu < tanh < 1e-6
    assert 0.3 < he < 3
    assert 1 < residual < 2.2  # √e = 1.65 in the mean
    assert tanh < 3**-16  # at most 1/√3 a layer


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("function", convexity.FUNCTIONS, ids=lambda function: function.name)
def test_convex_functions_have_all_five_properties_and_others_have_not(function: Any, seed: int) -> None:
    found = convexity.property_checks(function.f, function.interval, seed)
    telling = {name: holds for name, holds in found.items() if name != "minimum"}
    assert set(telling.values()) == {function.convex}
    assert found["minimum"] or not function.convex


def test_a_global_minimum_alone_proves_no_convexity_and_needs_no_constant() -> None:
    rng = np.random.default_rng(0)
    assert convexity.minimum(lambda x: x**3, (-2, 2), rng)  # not convex
    assert convexity.minimum(np.square, (-2, 2), rng)  # not constant: the book's test refuses it
    assert not convexity.minimum(landscape.wave, (-1, 2), rng)


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=6), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_a_maximum_of_lines_is_accepted_and_its_negative_is_refused_if_bent(slopes: list[float], seed: int) -> None:
    lines = np.array(slopes)

    def peak(x: Any) -> Any:
        return (x[..., None] * lines - lines**2 / 4).max(axis=-1)

    assert all(convexity.property_checks(peak, (-2, 2), seed).values())
    bent = peak(np.array([-2.0, 2.0])).mean() - peak(np.zeros(1))[0]
    if bent > 0.1:  # else the kinks may lie where two thousand chords do not see them
        assert not convexity.segment(lambda x: -peak(x), (-2, 2), np.random.default_rng(seed))


def test_a_triangle_is_a_convex_set_and_a_ring_is_none() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 6, (4000, 2))
    assert convexity.convex_set(
        lambda p: (p @ examples.REGION_G.T <= examples.REGION_H + 1e-9).all(axis=1), points, rng
    )
    assert not convexity.convex_set(lambda p: (np.hypot(*p.T) > 1) & (np.hypot(*p.T) < 3), points, rng)
    with pytest.raises(ValueError, match="0 of 4000 points lie inside the set; give points"):
        convexity.convex_set(lambda p: p[:, 0] > 99, points, rng)


def test_the_feasible_region_is_the_triangle_of_its_three_corners() -> None:
    corners = vertices(examples.REGION_G, examples.REGION_H)
    assert {tuple(corner) for corner in corners} == {(1, 0), (5, 0), (3, 2)}
    assert len(vertices(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]), np.array([0.0, -1.0, 0.0]))) == 0


@SOLVERS
@pytest.mark.parametrize(
    ("programme", "expected"),
    [
        (examples.linear(), solution((3, 2), -7, inequality=(1.5, 0.5, 0, 0))),
        (examples.sum_of_squares(), solution((1, 0), 1, inequality=(0, 2, 0, 2))),
        (examples.on_a_line(), solution((0.5, 0.5), 0.5, equality=(-1,))),
        (examples.above_a_line(), solution((0.5, 0.5), 0.5, inequality=(1,))),
        (examples.above_a_line(-1.0), solution((0, 0), 0, inequality=(0,))),
        (examples.projects(), solution((20, 60), -3400, inequality=(10, 30, 0, 0))),
    ],
    ids=["linear", "sum of squares", "equality", "inequality", "at rest", "projects"],
)
def test_programmes_have_the_optimum_and_multipliers_that_pencil_and_paper_give(
    solver: Solver, programme: Programme, expected: Solution
) -> None:
    found = solver(programme)
    assert apart(found, expected) < 1e-6
    assert found.cost == pytest.approx(expected.cost, abs=1e-6)
    assert max(residuals(programme, found).values()) < 1e-5
    assert solver is not solve or max(residuals(programme, found).values()) < 1e-9


def test_the_multiplier_of_x_plus_y_is_1_is_minus_one_and_not_the_cost_that_the_book_prints() -> None:
    found = solve(examples.on_a_line())
    assert found.equality[0] == pytest.approx(-1)
    assert found.cost == pytest.approx(0.5)
    swapped = Solution(found.x, found.cost, np.array([found.cost]), found.inequality)
    assert residuals(examples.on_a_line(), swapped)["stationarity"] == pytest.approx(1.5)


@pytest.mark.parametrize("make", [examples.on_a_line, examples.above_a_line, examples.projects])
def test_a_multiplier_is_the_fall_of_the_cost_by_the_right_hand_side(make: Callable[..., Programme]) -> None:
    base = examples.LABOUR if make is examples.projects else 1.0
    found, eps = solve(make(base)), 1e-4
    rise = (solve(make(base + eps)).cost - solve(make(base - eps)).cost) / (2 * eps)
    price = np.concatenate([found.equality, found.inequality])[0]
    sign = -1 if make is examples.above_a_line else 1  # x + y ≥ total is −x − y ≤ −total
    assert rise == pytest.approx(-sign * price, abs=1e-6)


def test_no_plan_works_more_hours_than_the_labour_there_is() -> None:
    programme = examples.projects()
    most = -solve(examples.projects(gains=examples.HOURS)).cost
    assert most == pytest.approx(examples.LABOUR)
    hours = examples.BOOK_PLAN.sum()
    assert most < hours == 5000
    plan = np.array([0.0, hours])  # as much labour, all spent on B, of which a unit takes one hour
    assert programme.violations(plan)["labour"] == pytest.approx(hours - examples.LABOUR)
    assert programme.violations(solve(programme).x) == {}


@SOLVERS
def test_the_two_listings_give_what_they_are_written_to_give(solver: Solver) -> None:
    """As the book calls them: linprog with bounds from 0, CVXPY with x >= 0 and a sum of at most 1."""
    import cvxpy as cp
    from scipy.optimize import linprog

    for hours in (examples.LISTED_HOURS, examples.LABOUR):
        called = linprog([-2, -3], A_ub=[[-1, 0], [0, -1], [1, 1]], b_ub=[-50, -30, hours], bounds=(0, None))
        assert solver(examples.as_listed(hours)).x == pytest.approx(called.x, abs=1e-5)
    assert solver(examples.as_listed()).x == pytest.approx(examples.BOOK_PLAN, abs=1e-5)
    x = cp.Variable(2)
    value = cp.Problem(cp.Minimize(cp.sum_squares(x)), [x >= 0, cp.sum(x) <= 1]).solve(solver=cp.CLARABEL)
    assert solver(examples.below_one()).cost == pytest.approx(value, abs=1e-6)
    assert examples.below_one().violations(examples.PRINTED_OPTIMUM) == {"x + y ≤ 1": pytest.approx(2, abs=1e-6)}
    assert examples.below_one().cost(examples.PRINTED_OPTIMUM) == pytest.approx(9)


@SOLVERS
@pytest.mark.parametrize(
    ("programme", "message"),
    [
        (examples.non_convex(), r"not convex: P has the eigenvalue -2.*search from many starts"),
        (examples.contradictory(), r"infeasible: no x keeps its 0 equalities and 3 inequalities \(x \+ y ≤ 1, .*Relax"),
        (examples.endless(), r"unbounded: along some direction.*Bound the unknowns"),
        (Programme(np.diag([2.0, 0.0]), -np.ones(2), G=-np.eye(2), h=np.zeros(2)), "unbounded"),
        (Programme(np.eye(2), np.ones(2), np.ones((2, 2)), np.array([0.0, 1.0])), "infeasible"),
    ],
    ids=["non-convex", "infeasible", "unbounded", "unbounded quadratic", "infeasible quadratic"],
)
def test_programmes_without_an_answer_are_refused_by_name(solver: Solver, programme: Programme, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        solver(programme)


def test_cvxpy_of_itself_refuses_the_saddle_too() -> None:
    import cvxpy as cp

    p, x = examples.non_convex(), cp.Variable(2)
    with pytest.raises(cp.error.DCPError):
        cp.Problem(cp.Minimize(cp.quad_form(x, p.P)), [p.G @ x <= p.h]).solve()


def test_shapes_that_do_not_fit_are_refused_with_what_is_expected() -> None:
    with pytest.raises(ValueError, match=r"G has the shape \(1, 3\); 2 unknowns and h of 1 need \(1, 2\)"):
        Programme(np.eye(2), np.zeros(2), G=np.ones((1, 3)), h=np.ones(1))
    with pytest.raises(ValueError, match="P must be symmetric"):
        Programme(np.array([[1.0, 1.0], [0.0, 1.0]]), np.zeros(2))


@pytest.mark.parametrize("seed", range(40))
def test_random_programmes_meet_the_conditions_and_cost_what_scipy_and_cvxpy_pay(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m, k = int(rng.integers(2, 5)), int(rng.integers(3, 8)), int(rng.integers(0, 2))
    root = rng.standard_normal((int(rng.integers(0, n + 1)), n))  # no row at all: a linear programme
    G, A, inside = rng.standard_normal((m, n)), rng.standard_normal((k, n)), rng.standard_normal(n)
    q = -(rng.uniform(0, 1, m) @ G)  # balanced by multipliers, so the cost is bounded
    programme = Programme(root.T @ root, q, A, A @ inside, G, G @ inside + rng.uniform(0, 1, m))
    ours = solve(programme)
    assert max(residuals(programme, ours).values()) < 1e-8
    for other in (by_scipy(programme), by_cvxpy(programme)):
        assert other.cost == pytest.approx(ours.cost, abs=1e-6, rel=1e-6)


def test_a_corner_with_more_constraints_than_needed_is_still_solved() -> None:
    G = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [2.0, 1.0]])  # all four meet in (1, 1)
    programme = Programme(np.zeros((2, 2)), np.array([-1.0, -2.0]), G=G, h=np.array([2.0, 1.0, 1.0, 3.0]))
    found = solve(programme)
    assert found.x == pytest.approx([1, 1])
    assert max(residuals(programme, found).values()) < 1e-9


def test_the_checks_say_what_the_chapter_claims() -> None:
    facts = optimisation.checks()
    agreements = ["all KKT residuals are below 1e-9", "SciPy agrees, with multipliers, to 1e-6",
                  "CVXPY agrees, with multipliers, to 1e-6"]  # fmt: skip
    agreements.append("3.5.2, 3.5.3 as listed: SciPy and CVXPY agree, with multipliers, to 1e-5")
    assert all(facts[name] is True for name in agreements)
    assert facts["3.5.2 within the 100 hours of its text: hours of B"] == pytest.approx(50)
    assert facts["3.5.3: the cost at the printed optimum"] == pytest.approx(9)
    assert facts["convex functions that all five properties accept"] == facts["convex functions asked"] == 6
    assert facts["other functions that all five properties accept"] == 0
    assert facts["projects: profit"] == pytest.approx(3400)
