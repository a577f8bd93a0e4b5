"""labs/optimisation, second half: interior points, augmented Lagrangians, composed constraints, Newton."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import approx_fprime, minimize

from handbook.labs.optimisation import barrier, composition, examples, lagrangian, methods, newton
from handbook.labs.optimisation.opinions import apart, by_cvxpy
from handbook.labs.optimisation.programmes import Programme, Solution, residuals, solve

Array = Any
METHODS: dict[str, Callable[[Programme], Solution]] = {
    "interior point": lambda programme: barrier.follow(programme).solution,
    "augmented Lagrangian": lambda programme: lagrangian.by_prices(programme).solution,
}
BOTH = pytest.mark.parametrize("method", METHODS.values(), ids=[*METHODS])


@BOTH
@pytest.mark.parametrize("name", methods.problems())
def test_a_method_finds_what_trying_every_choice_finds_with_its_multipliers(
    method: Callable[[Programme], Solution], name: str
) -> None:
    programme = methods.problems()[name]
    found = method(programme)
    assert apart(found, solve(programme)) < 1e-5
    assert max(residuals(programme, found).values()) < 1e-5


@BOTH
@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 1000))
def test_a_method_agrees_with_cvxpy_on_any_convex_programme(method: Callable[[Programme], Solution], seed: int) -> None:
    rng = np.random.default_rng(seed)
    root, inside = rng.standard_normal((4, 4)), rng.standard_normal(4)
    G, A = rng.standard_normal((6, 4)), rng.standard_normal((1, 4))
    programme = Programme(
        root @ root.T + np.eye(4), 3 * rng.standard_normal(4), A, A @ inside, G, G @ inside + rng.uniform(0.1, 1, 6)
    )
    found, theirs = method(programme), by_cvxpy(programme)
    assert_allclose(found.x, theirs.x, atol=1e-5)
    assert found.cost == pytest.approx(theirs.cost, abs=1e-5)


def test_every_point_of_the_central_path_is_inside_and_its_gap_is_kept() -> None:
    programme = examples.linear()
    found, least = barrier.follow(programme), solve(programme).cost
    for x, gap in zip(found.path, found.gaps, strict=True):
        assert (programme.G @ x < programme.h).all()
        assert 0 < programme.cost(x) - least <= gap * (1 + 1e-6)
    assert found.gaps[-1] <= barrier.GAP


def test_a_start_inside_is_found_or_there_is_no_inside() -> None:
    x = barrier.inside(examples.linear())
    assert (examples.REGION_G @ x < examples.REGION_H).all()
    with pytest.raises(ValueError, match="infeasible"):
        barrier.inside(examples.contradictory())
    with pytest.raises(ValueError, match="not inside"):
        barrier.follow(examples.linear(), np.zeros(2))


def test_a_cost_without_end_is_refused_by_both_methods() -> None:
    for method in METHODS.values():
        with pytest.raises(ValueError, match="no least value"):
            method(examples.endless())
        with pytest.raises(ValueError, match="not convex"):
            method(examples.non_convex())


def test_a_penalty_misses_by_the_price_over_itself_and_prices_do_not() -> None:
    line = examples.on_a_line()
    for rho in (10.0, 100.0, 1000.0):
        # the least of x² + y² + ρ/2 (x + y − 1)² has x + y = ρ/(1 + ρ)
        assert lagrangian.miss(line, lagrangian.by_penalty(line, rho)) == pytest.approx(1 / (1 + rho))
    assert lagrangian.by_prices(line).misses[-1] < 1e-9


def parts() -> tuple[composition.Part, ...]:
    """A box, a line and two half-planes on three unknowns."""
    return (
        composition.box(np.zeros(3), np.array([2.0, 2.0, 2.0])),
        composition.equal(np.ones((1, 3)), np.array([3.0])),
        composition.at_most(np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -2.0]]), np.array([0.5, 0.1]), "order"),
    )


def test_parts_put_together_in_any_order_and_grouping_allow_and_answer_the_same() -> None:
    one, two, three = parts()
    whole = composition.both(one, two, three)
    q = np.array([-1.0, 2.0, 0.3])
    best = solve(composition.programme(np.eye(3), q, whole))
    for other in (composition.both(three, one, two), composition.both(composition.both(one, two), three)):
        assert_allclose(solve(composition.programme(np.eye(3), q, other)).x, best.x, atol=1e-9)
    points = np.random.default_rng(0).uniform(0, 2, (500, 3))
    points[:, 2] = 3 - points[:, 0] - points[:, 1]
    kept = [whole.keeps(x) for x in points]
    assert kept == [all(part.keeps(x) for part in parts()) for x in points]
    assert 0 < sum(kept) < len(points)
    assert_allclose(best.x, by_cvxpy(composition.programme(np.eye(3), q, whole)).x, atol=1e-6)


def test_a_part_after_a_map_allows_just_what_it_maps_into_the_part() -> None:
    box = composition.box(-np.ones(2), np.ones(2))
    M, c = np.array([[1.0, 2.0, 0.0], [0.5, 0.0, -1.0]]), np.array([0.2, -0.1])
    mapped = composition.of(box, M, c)
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (500, 3))
    assert [mapped.keeps(x) for x in points] == [box.keeps(M @ x + c) for x in points]
    with pytest.raises(ValueError, match="same unknowns"):
        composition.both(box, mapped)


def test_dykstra_finds_the_nearest_point_from_the_parts_alone_and_projecting_in_turn_does_not() -> None:
    exact, dykstra, in_turn = methods.nearest()
    assert_allclose(dykstra[-1], exact, atol=1e-9)
    assert np.abs(in_turn[-1] - exact).max() > 0.05
    assert composition.both(*methods.limits()).keeps(in_turn[-1], 1e-6)
    far = np.array([3.0, -2.0, 0.5])
    nearest = solve(composition.programme(np.eye(3), -far, composition.both(*parts()))).x
    assert_allclose(composition.project(parts(), far)[-1], nearest, atol=1e-8)


def test_descent_with_a_preconditioner_is_descent_in_other_coordinates() -> None:
    H, M = newton.wide_columns(), np.diag([1.0, 4.0, 9.0, 16.0])
    root = np.sqrt(M)
    there = np.linalg.inv(root) @ H @ np.linalg.inv(root)
    path = newton.descend(H, np.ones(4), M, 30)
    assert_allclose(path @ root, newton.descend(there, root @ np.ones(4), np.eye(4), 30), atol=1e-9)


def test_descent_takes_off_what_its_condition_allows_and_newton_all_in_one_step() -> None:
    H = newton.wide_columns()
    for name, M in newton.preconditioners(H).items():
        path, kappa = newton.descend(H, np.ones(4), M, 200), newton.condition(H, M)
        size = np.sqrt(np.einsum("tn,nm,tm->t", path, H, path))
        live = size[:-1] > 1e-8 * size[0]
        assert (size[1:][live] / size[:-1][live] <= (kappa - 1) / (kappa + 1) + 1e-6).all(), name
    assert newton.steps_to(newton.descend(H, np.ones(4), H, 3), H) == 1
    assert newton.condition(H, np.diag(np.diag(H))) < newton.condition(H, np.eye(4)) / 20


@pytest.mark.parametrize("f", [newton.rosenbrock, newton.two_valleys], ids=lambda f: f.__name__)
def test_slopes_and_curvatures_are_those_of_small_steps(f: newton.Objective) -> None:
    for p in np.random.default_rng(0).uniform(-1.5, 1.5, (10, 2)):
        assert_allclose(f(p)[1], approx_fprime(p, lambda q: f(q)[0], 1e-7), atol=1e-3)
        assert_allclose(f(p)[2], approx_fprime(p, lambda q: f(q)[1], 1e-7), atol=1e-2)


def test_newton_arrives_where_scipy_does_and_doubles_its_digits() -> None:
    path = newton.newton(newton.rosenbrock, methods.START)
    theirs = minimize(
        lambda p: newton.rosenbrock(p)[0], methods.START, jac=lambda p: newton.rosenbrock(p)[1],
        hess=lambda p: newton.rosenbrock(p)[2], method="trust-exact", options={"gtol": 1e-10},
    )  # fmt: skip
    assert_allclose(path[-1], theirs.x, atol=1e-7)
    off = np.linalg.norm(path - 1, axis=1)
    near = np.flatnonzero((off < 1e-2) & (off > 1e-7))
    assert len(near) > 0
    assert (off[near + 1] < 10 * off[near] ** 1.7).all()


def test_plain_newton_climbs_to_the_saddle_and_with_its_curvatures_turned_round_it_leaves() -> None:
    start = np.array([1.0, 0.1])
    assert_allclose(newton.newton(newton.two_valleys, start, careful=False)[-1], 0, atol=1e-8)
    assert_allclose(newton.newton(newton.two_valleys, start)[-1], [0, 1], atol=1e-8)
