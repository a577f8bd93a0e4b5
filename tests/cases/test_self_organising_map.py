"""Laws of the self-organising map: section 8.4 to the digit, MiniSom's numbers, invariances."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks import som
from handbook import datasets
from handbook.cases import self_organising_map as page
from handbook.cases.self_organising_map import finding, maps, rivals
from handbook.cases.self_organising_map.maps import Grid
from handbook.data.tables import Table
from handbook.errors import HandbookError
from handbook.project import Project
from tests.conftest import MIRROR, ROOT

# Section 8.4: one row and nine nodes.
ROW = torch.tensor([[0.7, 0.6, 0.9]], dtype=torch.float64)
NODES = torch.tensor(
    [[.31, .22, .10], [.21, .34, .19], [.39, .42, .45], [.25, .32, .62], [.24, .31, .16],
     [.52, .33, .42], [.31, .22, .10], [.12, .41, .19], [.34, .40, .51]], dtype=torch.float64,
)  # fmt: skip
GRIDS = [Grid(6, 5, hexagonal) for hexagonal in (False, True)]


def cloud(n: int = 400, columns: int = 4, seed: int = 0) -> torch.Tensor:
    """Rows around three centres."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(3, columns)) * 3
    return torch.from_numpy(centres[rng.integers(0, 3, n)] + rng.normal(size=(n, columns)))


def test_in_the_worked_example_node_nine_wins_and_node_three_is_second() -> None:
    unit, distance = maps.matched(ROW, NODES)
    distances = torch.cdist(ROW, NODES)[0]
    assert unit.item() + 1 == 9
    assert distance.item() == pytest.approx(0.3217**0.5)  # 0.567
    assert distances[2].item() == pytest.approx(0.3310**0.5)  # 0.575; the book prints 0.4
    assert distances.argsort()[:2].tolist() == [8, 2]


def test_the_update_of_node_three_is_the_printed_one() -> None:
    pull = torch.zeros(1, 9, dtype=torch.float64)
    pull[0, 2] = 0.5  # rate 0.5, and theta 1 for node 3 alone
    moved = maps.pulled(NODES, ROW, pull)
    torch.testing.assert_close(moved[2], torch.tensor([0.545, 0.51, 0.675], dtype=torch.float64))
    others = [0, 1, 3, 4, 5, 6, 7, 8]
    torch.testing.assert_close(moved[others], NODES[others])


def test_decay_is_exponential_from_first_to_last() -> None:
    progress = torch.linspace(0, 1, 5)
    values = maps.decayed((8.0, 0.5), progress)
    torch.testing.assert_close(values[[0, -1]], torch.tensor([8.0, 0.5], dtype=torch.float64))
    torch.testing.assert_close(values[1:] / values[:-1], (values[1] / values[0]).repeat(4))


def test_the_neighbourhood_is_one_at_the_winner_and_a_gaussian_around() -> None:
    theta = maps.neighbourhood(Grid(1, 4, False).squared(), 2.0)
    assert theta.diagonal().tolist() == [1.0] * 4
    assert theta[0, 3].item() == pytest.approx(np.exp(-9 / 8))


@pytest.mark.parametrize(("grid", "inner"), [(GRIDS[0], 8), (GRIDS[1], 6)])
def test_inner_units_have_eight_neighbours_or_on_a_hexagonal_grid_six(grid: Grid, inner: int) -> None:
    adjacent = grid.adjacent()
    counts = adjacent.sum(1).reshape(grid.rows, grid.columns)
    assert (counts[1:-1, 1:-1] == inner).all()
    assert (adjacent == adjacent.T).all()
    assert not adjacent.diagonal().any()


def test_pulling_row_by_row_and_all_at_once_is_the_same() -> None:
    rows, pull = cloud(20), torch.rand(20, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    nodes = at_once = cloud(9, seed=1)
    for row, each in zip(rows, pull, strict=True):
        nodes = nodes + each[:, None] * (row - nodes)
    torch.testing.assert_close(maps.pulled(at_once, rows, pull), nodes)


def test_the_batch_rule_is_the_weighted_mean() -> None:
    rows, nodes, grid = cloud(), cloud(30, seed=1), GRIDS[1]
    theta = maps.neighbourhood(grid.squared(), 1.5)
    weight = theta[torch.cdist(rows, nodes).argmin(1)]  # (N, units)
    expected = weight.T @ rows / weight.sum(0)[:, None]
    torch.testing.assert_close(maps.batch_epoch(rows, nodes, theta)[0], expected)


def test_the_batch_rule_does_not_mind_the_order_of_rows() -> None:
    rows, start = cloud(), cloud(30, seed=1)
    shuffled = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))]
    one, other = (maps.batch(each, start, GRIDS[1], 10, (3.0, 0.5))[0] for each in (rows, shuffled))
    torch.testing.assert_close(one, other)


def test_the_batch_rule_does_not_mind_the_size_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, start = cloud(3000), cloud(30, seed=1)
    whole, _ = maps.batch(rows, start, GRIDS[0], 5, (3.0, 0.5))
    monkeypatch.setattr(maps, "HANDFUL", 7)
    monkeypatch.setitem(maps.CELLS, "cpu", 1)
    torch.testing.assert_close(maps.batch(rows, start, GRIDS[0], 5, (3.0, 0.5))[0], whole)


@pytest.mark.parametrize("grid", GRIDS, ids=["square", "hexagonal"])
def test_both_rules_lower_the_quantisation_error_and_keep_the_order(grid: Grid) -> None:
    rows, draw = cloud(), torch.Generator().manual_seed(0)
    start = torch.randn(30, 4, dtype=torch.float64, generator=draw)
    mean = (rows - rows.mean(0)).norm(dim=1).mean().item()
    before = maps.errors(rows, start, grid)
    for nodes, history in (
        maps.batch(rows, start, grid, 20, (3.0, 0.7)),
        maps.online(rows, start, grid, 20, (3.0, 0.7), (0.5, 0.02), 1, draw),
    ):
        quantisation, topographic = maps.errors(rows, nodes, grid)
        assert history[-1]["train_loss"] < history[0]["train_loss"]
        assert quantisation < 0.5 * mean
        assert topographic < 0.5 * before[1]


def test_looking_winners_up_together_ends_near_the_rule_to_the_letter() -> None:
    rows, grid = cloud(), GRIDS[0]
    start = maps.principal_start(rows, grid)
    errors = []
    for size in (1, 16):
        draw = torch.Generator().manual_seed(0)
        nodes, _ = maps.online(rows, start, grid, 10, (3.0, 0.7), (0.5, 0.02), size, draw)
        errors.append(maps.errors(rows, nodes, grid)[0])
    assert errors[1] == pytest.approx(errors[0], rel=0.05)


def test_the_principal_start_lies_on_the_plane_of_the_main_components() -> None:
    rows = cloud(columns=3)
    nodes = maps.principal_start(rows, Grid(4, 7, True))
    assert torch.linalg.matrix_rank(nodes - nodes.mean(0), atol=1e-8).item() == 2
    torch.testing.assert_close(nodes.amax(0) / 2 + nodes.amin(0) / 2, rows.mean(0))


def test_errors_and_umatrix_are_those_of_minisom() -> None:
    minisom = pytest.importorskip("minisom")
    rows, nodes = cloud(), cloud(30, seed=1)
    theirs = minisom.MiniSom(6, 5, 4)
    theirs._weights = nodes.reshape(6, 5, 4).numpy()
    quantisation, topographic = maps.errors(rows, nodes, GRIDS[0])
    assert quantisation == pytest.approx(theirs.quantization_error(rows.numpy()))
    assert topographic == pytest.approx(theirs.topographic_error(rows.numpy()))
    heights = maps.u_matrix(nodes, GRIDS[0]).reshape(6, 5).numpy()
    np.testing.assert_allclose(theirs.distance_map(scaling="mean"), heights / heights.max())


def test_the_batch_rule_is_that_of_two_libraries() -> None:
    for library in ("fastersom", "xpysom"):
        pytest.importorskip(library)
    rows, passes = som.generated(2_000), 3
    ours, *theirs = (train(rows, passes)() for train in (som.ours, som.fastersom, som.xpysom))
    for nodes in theirs:
        torch.testing.assert_close(nodes, ours, rtol=1e-3, atol=1e-3)


def test_the_online_rule_is_minisoms() -> None:
    minisom = pytest.importorskip("minisom")
    rows, nodes, grid = cloud(), cloud(30, seed=1), GRIDS[0]
    theirs = minisom.MiniSom(6, 5, 4, sigma=1.5, learning_rate=0.3)
    theirs._weights = nodes.reshape(6, 5, 4).numpy().copy()
    for row in rows.numpy():
        theirs.update(row, theirs.winner(row), 0, len(rows))
    theta = maps.neighbourhood(grid.squared(), 1.5)
    ours, _ = maps.online_epoch(rows, nodes, lambda unit, step: 0.3 * theta[unit], 1, torch.arange(len(rows)))
    np.testing.assert_allclose(ours.numpy(), theirs._weights.reshape(30, 4))


def test_the_books_rule_is_that_of_its_library_row_by_row() -> None:
    """Against a loop by hand: MiniSom's decay, 1 / (1 + 2 t / T), of rate and width, and its Gaussian on the grid."""
    rows, nodes, grid, steps = cloud(50), cloud(30, seed=1), GRIDS[0], 120
    place, units = np.array([(k // 5, k % 5) for k in range(30)]), nodes.numpy().copy()
    for t in range(steps):
        x, fall = rows[t % 50].numpy(), 1 + 2 * t / steps
        won = np.linalg.norm(x - units, axis=1).argmin()
        pull = 0.5 / fall * np.exp(-((place - place[won]) ** 2).sum(axis=1) / (2 * (1.0 / fall) ** 2))
        units += pull[:, None] * (x - units)
    ours, history = maps.iterated(rows, nodes, grid, steps, (1.0, 1 / 3), (0.5, 1 / 6))
    np.testing.assert_allclose(ours.numpy(), units, atol=1e-10)
    assert history[-1]["sigma"] == pytest.approx(1 / 3)


def test_the_books_map_shows_the_sums_of_distances_to_the_eight_around() -> None:
    nodes, grid = cloud(30, seed=1), GRIDS[0]
    cells, sums = nodes.reshape(6, 5, 4).numpy(), np.zeros((6, 5))
    for i, j in np.ndindex(6, 5):
        around = cells[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2].reshape(-1, 4)
        sums[i, j] = np.linalg.norm(around - cells[i, j], axis=1).sum()
    np.testing.assert_allclose(maps.distance_map(nodes, grid).reshape(6, 5), sums / sums.max())


def test_the_book_takes_twelve_codes_and_numbers_scaled_to_zero_and_one(fitted: Any) -> None:
    from sklearn.preprocessing import MinMaxScaler

    case, data, model = fitted("som_book")
    train = case.split(data).train.features
    columns = sorted(train.columns[:12])
    theirs = MinMaxScaler().fit(train[columns].astype(float)).transform(data.features[columns].astype(float))
    np.testing.assert_allclose(model.encode(data.features).cpu().numpy(), theirs, atol=1e-6)
    strange = data.features.head(2).assign(A5="unheard")
    assert (model.encode(strange)[:, columns.index("A5")] == 0.5).all()


def test_the_customers_found_are_those_on_white_units_all_of_them(fitted: Any) -> None:
    case, data, model = fitted("som_book")
    answers = page.predict(model, data.features)
    heights = maps.distance_map(model.nodes.double(), model.grid).cpu().numpy()
    unit = answers["map_row"].to_numpy() * 10 + answers["map_column"].to_numpy()
    assert answers["suspicious"].tolist() == (heights[unit] > case.params.white).tolist()
    report = page.evaluate(model, case.split(data))
    found = {row["row"] for row in report.tables["suspects"]}
    assert found == set(answers.index[answers["suspicious"]])
    assert 0 < len(found) < len(data)
    assert f"By the book's rule {len(found)} of 690 rows are frauds" in report.finding
    assert "log_loss" not in report.metrics


def test_a_grid_with_more_units_than_rows_is_refused() -> None:
    with pytest.raises(HandbookError, match="20 rows are fewer than the 30 units of a 6 x 5 map"):
        maps.batch(cloud(20), cloud(30), GRIDS[0], 1, (1.0, 1.0))


def test_the_neighbourhood_is_the_nearest_units_that_hold_the_share() -> None:
    distance, hits = torch.tensor([[3.0, 1.0, 2.0, 4.0]]), torch.tensor([40, 10, 30, 20])
    torch.testing.assert_close(maps.nearest_units(distance, hits, 0.2), torch.tensor([[0.0, 0.5, 0.5, 0.0]]))
    torch.testing.assert_close(maps.nearest_units(distance, hits, 1.0), torch.tensor([[0.4, 0.1, 0.3, 0.2]]))


def test_scores_by_shares_are_the_mean_distances_that_weights_of_units_give() -> None:
    rows, nodes = cloud(300), cloud(30, seed=1)
    hits = maps.hits(rows, nodes)
    distance = torch.cdist(rows, nodes)
    for share, found in rivals.by_shares(nodes, hits, rows).items():
        expected = (maps.nearest_units(distance, hits, share) * distance).sum(1)
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-9)


def test_forged_rows_have_the_values_of_genuine_ones_in_every_attribute() -> None:
    genuine = pd.DataFrame({"a": [1, 2, 3, 4], "b": ["x", "y", "z", "x"]})
    rows, forged = finding.with_forged(genuine, np.random.default_rng(0), copies=2)
    assert forged.tolist() == [0] * 4 + [1] * 8
    pd.testing.assert_frame_equal(rows[:4], genuine)
    for name in genuine:
        assert sorted(rows[name][4:8]) == sorted(rows[name][8:]) == sorted(genuine[name])
    assert (rows.dtypes == genuine.dtypes).all()


def judged_halves() -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Labels, two kinds of a map's score of which the first is better, and others of which the second is."""
    rng = np.random.default_rng(0)
    labels = (rng.random(2000) < 0.05).astype(np.int64)
    score = {name: labels * gain + rng.normal(size=2000) for name, gain in zip("abcd", (3, 1, 0.5, 1.2), strict=True)}
    return labels, {name: score[name] for name in "ab"}, {name: score[name] for name in "cd"}


def test_on_the_other_half_the_best_of_the_first_half_is_judged_with_scikit_learns_areas() -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    labels, kinds, others = judged_halves()
    found = rivals.on_the_other_half(labels, kinds, others, 0)
    second = rivals._halves(labels, np.random.default_rng(0))[1]
    assert (found["chosen"], found["rival"]) == ("a", "d")
    assert found["outliers"] == labels[second].sum()
    assert found["roc_auc"]["map"][0] == pytest.approx(roc_auc_score(labels[second], kinds["a"][second]))
    precision = average_precision_score(labels[second], others["d"][second])
    assert found["average_precision"]["d"][0] == pytest.approx(precision)
    assert "ahead of the d by ROC-AUC" in finding.kept_lead(found)


def test_the_half_that_judges_chooses_nothing_and_a_double_has_no_lead() -> None:
    labels, kinds, others = judged_halves()
    first, second = rivals._halves(labels, np.random.default_rng(0))
    assert not set(first) & set(second)
    assert len(first) + len(second) == len(labels)
    assert abs(labels[first].sum() - labels[second].sum()) <= 1
    spoiled = {name: each.copy() for name, each in (kinds | others).items()}
    for each in spoiled.values():
        each[second] *= -1
    again = rivals.on_the_other_half(labels, {n: spoiled[n] for n in kinds}, {n: spoiled[n] for n in others}, 0)
    assert (again["chosen"], again["rival"]) == ("a", "d")
    assert again["roc_auc"]["map"][0] < 0.5
    double = rivals.on_the_other_half(labels, {"a": kinds["a"]}, {"same": 2 * kinds["a"] + 1}, 0)
    assert double["average_precision"]["difference"] == [0, 0, 0]
    assert "level with" in finding.kept_lead(double)


@pytest.mark.parametrize(("depends", "least", "most"), [(True, 0.9, 1.0), (False, 0.35, 0.65)])
def test_the_ceiling_is_high_where_attributes_depend_on_each_other_and_chance_where_not(
    depends: bool, least: float, most: float
) -> None:
    from types import SimpleNamespace

    def drawn(n: int, seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        a, other = rng.normal(size=(2, n))
        return pd.DataFrame({"a": a, "b": a + 0.1 * other if depends else other})

    def encode(rows: pd.DataFrame) -> torch.Tensor:
        return torch.from_numpy(rows.to_numpy())

    model: Any = SimpleNamespace(params=SimpleNamespace(ignore=(), seed=0), encode=encode)
    train = Table(drawn(250, 0), np.zeros(250, np.int64), ("no", "yes"))
    rows, labels = finding.with_forged(drawn(150, 1), np.random.default_rng(2))
    found = rivals.ceiling(model, train, encode(rows), labels, {"first attribute": rows["a"].to_numpy()})
    value, low, high = found["roc_auc"][rivals.SHOWN]
    assert least <= value <= most
    assert low <= value <= high
    assert found["roc_auc"]["first attribute"][0] == pytest.approx(0.5)  # every value is there twice


def test_which_score_suits_forged_rows_is_decided_without_a_look_at_test_rows(fitted: Any) -> None:
    case, data, _ = fitted("som_applications")
    split = case.split(data)
    blind = dataclasses.replace(split, test=split.test.take(np.arange(0)))
    one, other = (rivals.choose_blindly(each, case.params, page.fit) for each in (split, blind))
    assert one == other
    near, wide, difference = (one[name][0] for name in ("distance", "units of a tenth", "difference"))
    assert difference == pytest.approx(near - wide)


def test_the_report_of_forged_rows_says_who_leads_and_how_far_below_the_ceiling(judged: Any) -> None:
    report = judged("som_applications")
    areas = {name: each["roc_auc"] for name, each in report.metrics["algorithms"].items()}
    best = max(areas, key=lambda name: areas[name])
    assert f"{best.replace('_', ' ').capitalize()} leads without labels" in report.finding
    assert report.metrics["ceiling"]["roc_auc"]["map"][0] == pytest.approx(report.metrics["roc_auc"])
    assert "ceiling" in report.figures


def test_the_report_of_marked_outliers_says_what_is_left_of_the_lead_on_the_other_half(judged: Any) -> None:
    report = judged("som_transactions")
    half = report.metrics["other_half"]
    assert {"robust_covariance_90", "local_outlier_factor_500", "autoencoder"} <= set(report.metrics["algorithms"])
    assert f"the map is on the other {half['outliers']}" in report.finding
    assert "other_half" in report.figures


def test_no_label_is_seen(fitted: Any) -> None:
    case, data, model = fitted("som_transactions")
    other = dataclasses.replace(data, target=1 - data.target)
    assert case.page.fit(case.split(other), case.params).history_ == model.history_


def test_a_constant_column_changes_no_score(fitted: Any) -> None:
    case, data, model = fitted("som_transactions")
    more = dataclasses.replace(data, features=data.features.assign(same=1.0))
    again = case.page.fit(case.split(more), case.params)
    np.testing.assert_allclose(
        page.predict(again, more.features)["outlier_score"],
        page.predict(model, data.features)["outlier_score"],
        rtol=1e-3,
    )


def test_the_reason_is_the_attribute_that_was_spoiled(fitted: Any) -> None:
    _, data, model = fitted("som_transactions")
    rows = data.features.iloc[:20].copy()
    rows["V7"] = 10 * data.features["V7"].abs().max()
    predictions = page.predict(model, rows)
    assert (predictions["reason_1"] == "V7").all()
    assert predictions["suspicious"].all()


def test_an_unknown_word_is_predicted_and_reported(fitted: Any) -> None:
    case, data, model = fitted("som_applications")
    rows = case.example(case.split(data)).copy()
    rows["A5"] = "unheard"
    with pytest.warns(UserWarning, match="'A5': unknown 'unheard'"):
        assert np.isfinite(page.predict(model, rows)["outlier_score"]).all()


def test_columns_may_come_in_any_order(fitted: Any) -> None:
    case, data, model = fitted("som_applications")
    rows = case.example(case.split(data))
    pd.testing.assert_frame_equal(page.predict(model, rows[rows.columns[::-1]]), page.predict(model, rows))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda rows: rows.drop(columns="V3"), "lack columns 'V3'"),
        (lambda rows: rows.assign(V3=np.nan), "'V3'.*missing"),
        (lambda rows: rows.assign(V3=np.inf), "'V3'.*infinite"),
        (lambda rows: rows.assign(V3="high"), "'V3': expected numbers"),
        (lambda rows: rows.iloc[:0], "found 0"),
    ],
)
def test_rows_that_are_none_are_refused(spoil: Any, message: str, fitted: Any) -> None:
    case, data, model = fitted("som_transactions")
    with pytest.raises(ValueError, match=message):
        page.predict(model, spoil(case.example(case.split(data))))


@pytest.mark.parametrize(
    ("change", "message"),
    [({"epochs": 0}, "epochs"), ({"sigma": (1.0,)}, "sigma"), ({"share": 0.0}, "share"), ({"trim": 1.0}, "trim")],
)
def test_a_parameter_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(Project(ROOT).case("som_transactions").params, **change)


def as_promised(metrics: dict[str, Any]) -> bool:
    """Whether frauds are found at least as well as an isolation forest finds them, and well."""
    forest = metrics["algorithms"]["isolation_forest"]
    least = {"roc_auc": max(0.95, forest["roc_auc"]), "average_precision": max(0.50, forest["average_precision"])}
    return all(metrics[name] >= value for name, value in least.items())


def test_frauds_were_found_as_well_as_promised() -> None:
    found = json.loads((ROOT / "reports" / "som_transactions" / "metrics.json").read_text(encoding="utf-8"))
    assert found["data"] == "real"
    assert as_promised(found)


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.skipif(not MIRROR, reason="needs the real data: HANDBOOK_MIRROR")
def test_frauds_are_found_as_well_as_promised() -> None:
    from pathlib import Path

    case = Project(ROOT).case("som_transactions")
    split = case.split(datasets.page(case.dataset).load(Path(MIRROR) / case.dataset))
    assert as_promised(page.evaluate(page.fit(split, case.params), split).metrics)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ({"V14": 1e300}, r"column 'V14': 1e\+300 lies too far off to be placed on the map"),
        ({"V3": -1e42}, r"column 'V3': 1e\+42 lies too far off"),
        ({"Amount": -1e9}, r"column 'Amount': expected 0 or more, found -1e\+09"),
    ],
)
def test_a_number_without_a_place_on_the_map_is_refused(spoil: Any, message: str, fitted: Any) -> None:
    case, data, model = fitted("som_transactions")
    rows = case.example(case.split(data))
    with pytest.raises(ValueError, match=message):
        page.predict(model, rows.assign(**spoil))
    far = page.predict(model, rows.assign(V14=1e30))
    assert far["suspicious"].all()
    assert np.isfinite(far["outlier_score"]).all()
