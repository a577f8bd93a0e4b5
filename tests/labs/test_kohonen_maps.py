"""Maps: the batch rule by its definition, what scaling and angles change, and grids with and without a rim."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from handbook.labs.kohonen_maps import som
from handbook.labs.kohonen_maps.settings import GRIDS, Applications
from handbook.labs.kohonen_maps.som import Array, Grid, Map, train


@pytest.fixture
def rows() -> Array:
    return np.random.default_rng(0).normal(size=(80, 3))


def trained(rows: Array, grid: Grid | None = None, sigma: float = 2.0, cosine: bool = False) -> Map:
    return train(rows, grid or Grid(4), sigma, np.random.default_rng(1), cosine=cosine)


def pairs(grid: Grid) -> tuple[Array, Array]:
    """Every unit beside every other, as numbers that broadcast."""
    every = np.arange(grid.units)
    return every[:, None], every


def test_one_step_of_the_batch_rule_is_its_definition_unit_by_unit(
    rows: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(som, "EPOCHS", 1)
    grid, sigma = Grid(3), 1.3
    found = train(rows, grid, sigma, np.random.default_rng(1))
    nodes = rows[np.random.default_rng(1).choice(len(rows), 9, replace=False)]
    place = [(k % 3, k // 3) for k in range(9)]
    best = [min(range(9), key=lambda k: float(((row - nodes[k]) ** 2).sum())) for row in rows]
    for j in range(9):
        pull = [
            np.exp(-((place[j][0] - place[k][0]) ** 2 + (place[j][1] - place[k][1]) ** 2) / (2 * sigma**2))
            for k in best
        ]
        assert_allclose(found.nodes[j], np.average(rows, axis=0, weights=pull), atol=1e-12)


@pytest.mark.parametrize("times", [2.0**-7, 2.0**7])
def test_a_map_of_larger_rows_is_the_same_map_larger_so_that_sigma_has_nothing_to_do_with_their_scale(
    times: float, rows: Array
) -> None:
    one, other = trained(rows), trained(times * rows)
    assert_allclose(other.nodes, times * one.nodes, rtol=1e-9, atol=1e-12 * times)
    assert other.quantization_error(times * rows) == pytest.approx(one.quantization_error(rows))
    assert other.topographic_error(times * rows) == one.topographic_error(rows)


def test_by_cosine_the_length_of_a_row_is_nothing_and_the_best_unit_has_the_greatest_cosine(rows: Array) -> None:
    length = np.random.default_rng(2).uniform(0.1, 10, (len(rows), 1))
    one, other = trained(rows, cosine=True), trained(length * rows, cosine=True)
    assert_allclose(one.nodes, other.nodes, atol=1e-9)
    cosines = rows @ one.nodes.T / np.linalg.norm(rows, axis=1)[:, None]
    assert (one.units(rows)[0] == cosines.argmax(axis=1)).all()


@pytest.mark.parametrize("name", GRIDS)
def test_an_inner_unit_has_six_neighbours_or_eight_and_on_a_torus_every_unit_has(name: str) -> None:
    grid = GRIDS[name]
    first, second = pairs(grid)
    counts, full = grid.adjacent(first, second).sum(axis=1), 6 if grid.hexagonal else 8
    assert counts.max() == full
    assert (counts == full).all() == grid.toroidal
    assert_allclose(grid.squared(first, second), grid.squared(second, first))


@pytest.mark.parametrize("name", GRIDS)
def test_what_units_hold_is_spread_by_the_bell_of_their_distances(name: str) -> None:
    grid, values = GRIDS[name], np.random.default_rng(0).normal(size=(100, 3))
    theta = np.exp(-grid.squared(*pairs(grid)) / (2 * 1.7**2))
    assert_allclose(grid.spread(values, 1.7), theta @ values, atol=1e-12)


def test_a_torus_looks_the_same_from_every_unit() -> None:
    for hexagonal in (False, True):
        grid = Grid(6, hexagonal=hexagonal, toroidal=True)
        squared = np.sort(grid.squared(*pairs(grid)), axis=1)
        assert_allclose(squared, np.broadcast_to(squared[0], squared.shape), atol=1e-12)


def test_a_sheet_in_order_is_not_torn_and_a_shuffled_one_is() -> None:
    grid, rng = Grid(6), np.random.default_rng(0)
    rows = rng.uniform(0, 5, (500, 2))
    nodes = grid.positions()
    assert Map(nodes, grid, False).topographic_error(rows) == 0
    assert Map(rng.permutation(nodes), grid, False).topographic_error(rows) > 0.5


def test_errors_agree_with_a_search_row_by_row(rows: Array) -> None:
    found = trained(rows)
    near = [sorted((float(np.linalg.norm(row - node)), k) for k, node in enumerate(found.nodes))[:2] for row in rows]
    spread = np.linalg.norm(rows - rows.mean(axis=0), axis=1).mean()
    assert found.quantization_error(rows) == pytest.approx(np.mean([pair[0][0] for pair in near]) / spread)
    place = found.grid.positions()
    torn = [np.abs(place[pair[0][1]] - place[pair[1][1]]).max() > 1 for pair in near]
    assert found.topographic_error(rows) == pytest.approx(np.mean(torn))


def test_a_map_is_nearer_to_its_rows_than_their_centre_and_the_same_twice(rows: Array) -> None:
    one, again = trained(rows), trained(rows)
    assert (one.nodes == again.nodes).all()
    assert one.quantization_error(rows) < 0.8


def test_more_units_than_rows_are_allowed() -> None:
    rows = np.random.default_rng(0).normal(size=(10, 3))
    assert np.isfinite(trained(rows, Grid(5)).nodes).all()


def test_a_label_is_compared_with_those_of_other_rows_only() -> None:
    nodes = np.array([[0.0], [10.0], [20.0], [30.0]])
    found = Map(nodes, Grid(2), False)
    rows, labels = np.array([[0.0], [0.1], [0.2], [10.0], [20.0]]), np.array([1, 1, 0, 1, 0])
    # of the first unit both ones have a one and a zero beside them, a draw that goes to the zero; the zero has two ones
    assert som.agreement(found, rows, labels) == pytest.approx(1 / 5)


def test_rows_are_scaled_as_named() -> None:
    x = np.random.default_rng(0).normal(3, 5, (30, 4))
    data = Applications(x.tobytes(), np.zeros(30, np.int64).tobytes())
    assert_allclose([data.rows("standardised").mean(axis=0), data.rows("standardised").std(axis=0) - 1], 0, atol=1e-12)
    assert_allclose(data.rows("0 to 1").min(axis=0), 0)
    assert_allclose(data.rows("0 to 1").max(axis=0), 1)
