"""Laws of paired judgements: the areas are scikit-learn's, and rows are drawn for all models alike."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from handbook.evaluation import metrics
from handbook.evaluation.paired import areas, block_areas, both, estimate, holm, interval, precisions


@pytest.fixture
def judged() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(3)
    labels = (rng.random(400) < 0.3).astype(np.int64)
    good = labels + rng.normal(0, 1.2, 400)
    return labels, {"good": good, "tied": np.round(good), "worse": good + rng.normal(0, 2, 400)}


def test_the_first_area_is_scikit_learns_with_and_without_ties(judged: tuple) -> None:
    labels, scores = judged
    found = areas(labels, scores, np.random.default_rng(0), 3)
    for name, each in scores.items():
        assert found[name][0] == pytest.approx(roc_auc_score(labels, each), abs=1e-12)
        assert found[name].shape == (4,)


def test_a_draw_is_scikit_learns_area_of_the_rows_drawn(judged: tuple) -> None:
    labels, scores = judged
    found = areas(labels, scores, np.random.default_rng(5), 1)
    rows = np.random.default_rng(5).integers(0, len(labels), len(labels))
    for name, each in scores.items():
        assert found[name][1] == pytest.approx(roc_auc_score(labels[rows], each[rows]), abs=1e-12)


def test_average_precision_is_scikit_learns_on_the_rows_and_on_those_drawn(judged: tuple) -> None:
    labels, scores = judged
    found = precisions(labels, scores, np.random.default_rng(5), 1)
    rows = np.random.default_rng(5).integers(0, len(labels), len(labels))
    for name, each in scores.items():
        assert found[name][0] == pytest.approx(average_precision_score(labels, each), abs=1e-12)
        assert found[name][1] == pytest.approx(average_precision_score(labels[rows], each[rows]), abs=1e-12)


def test_a_model_differs_from_its_double_by_nothing_in_every_draw(judged: tuple) -> None:
    labels, scores = judged
    found = areas(labels, {"one": scores["good"], "two": 2 * scores["good"] + 1}, np.random.default_rng(1), 50)
    assert np.array_equal(found["one"], found["two"])


def test_the_interval_is_that_of_the_rooms_own_bootstrap_and_a_paired_one_is_narrower(judged: tuple) -> None:
    labels, scores = judged
    found = areas(labels, scores, np.random.default_rng(1), 2000)
    low, high = interval(found["good"])
    _, theirs = metrics.binary(labels, scores["good"], np.random.default_rng(2), resamples=2000)
    assert (low, high) == pytest.approx(theirs["roc_auc"], abs=0.005)
    low, high = interval(found["good"] - found["tied"])
    assert high - low < 0.5 * (interval(found["good"])[1] - interval(found["good"])[0])


def test_blocks_of_one_row_are_the_plain_bootstrap_and_longer_ones_are_drawn_whole(judged: tuple) -> None:
    labels, scores = judged
    plain = areas(labels, {"good": scores["good"]}, np.random.default_rng(4), 5)["good"]
    assert np.array_equal(block_areas(labels, scores["good"], np.random.default_rng(4), len(labels), 5), plain)
    found = block_areas(labels, scores["good"], np.random.default_rng(6), 8, 1)
    rows = np.arange(len(labels)).reshape(8, -1)[np.random.default_rng(6).integers(0, 8, 8)].reshape(-1)
    assert found[1] == pytest.approx(roc_auc_score(labels[rows], scores["good"][rows]), abs=1e-12)


def test_where_neighbours_are_alike_the_interval_of_blocks_is_wider() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(2_000) % 2
    scores = labels * np.repeat(rng.normal(0, 2, 20), 100) + rng.normal(size=2_000)  # what a score says turns in time
    wide = interval(block_areas(labels, scores, np.random.default_rng(1), 20))
    narrow = interval(areas(labels, {"": scores}, np.random.default_rng(1))[""])
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_rows_of_one_class_are_refused() -> None:
    with pytest.raises(ValueError, match="expected both 0 and 1"):
        areas(np.zeros(4, np.int64), {"any": np.arange(4.0)}, np.random.default_rng(0))
    with pytest.raises(ValueError, match="expected both 0 and 1"):
        block_areas(np.zeros(4, np.int64), np.arange(4.0), np.random.default_rng(0), 2)


def test_holm_corrects_as_in_his_table_and_never_below_the_p_itself() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.005])
    assert holm(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    many = np.random.default_rng(0).random(30)
    assert (holm(many) >= many).all()
    assert (holm(many) <= np.minimum(1, 30 * many)).all()


def test_both_areas_are_those_of_either_alone_and_an_estimate_is_a_value_in_its_interval() -> None:
    rng = np.random.default_rng(3)
    labels = (rng.random(80) < 0.3).astype(np.int64)
    scores = {"a": rng.random(80) + labels, "b": rng.random(80)}
    found = both(labels, scores, seed=5, resamples=30)
    for metric, alone in {"roc_auc": areas, "average_precision": precisions}.items():
        for name, drawn in alone(labels, scores, np.random.default_rng(5), 30).items():
            assert np.array_equal(found[metric][name], drawn)
    drawn = found["roc_auc"]["a"]
    assert estimate(drawn) == (drawn[0], *interval(drawn))
