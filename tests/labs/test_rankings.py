"""The laws of the lab `rankings`: intervals that hold what they promise, ranks, critical differences, no favours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from handbook import datasets
from handbook.data.tables import Table
from handbook.evaluation.metrics import fold_interval
from handbook.labs.rankings import _of, algorithms, coverage, drawings, folds, judging
from handbook.labs.rankings.folds import Given, Results


@pytest.fixture
def scores() -> np.ndarray:
    """Six algorithms on fifty folds: two pairs that are level, one far behind, one that is better by little."""
    rng = np.random.default_rng(0)
    levels = np.array([0.9, 0.9, 0.8, 0.8, 0.5, 0.83])
    return levels[:, None] + rng.normal(0, 0.05, (1, 50)) + rng.normal(0, 0.03, (6, 50))


@pytest.fixture
def results(scores: np.ndarray) -> Results:
    return Results("toy", "R²", ("a", "b", "c", "d", "e", "f"), scores, 0.25)


@pytest.fixture(scope="module")
def iris(samples: Callable[[str], Path]) -> Table:
    return datasets.page("iris").load(samples("iris"))


def test_the_corrected_interval_holds_the_truth_as_often_as_it_promises_and_the_usual_one_does_not() -> None:
    for rounds in coverage.ROUNDS:
        corrected, usual = (coverage.held(rounds, ratio) for ratio in (0.25, 0.0))
        assert 0.94 <= corrected <= 1
        assert usual < corrected
    assert coverage.held(10, 0.0) < 0.6


def test_errors_of_drawn_tables_are_those_of_folds_fitted_one_by_one() -> None:
    found = coverage.errors(rounds=1, tables=3, seed=5)
    rng = np.random.default_rng(5)
    y = rng.standard_normal((3, coverage.ROWS))
    rows = rng.permuted(y, axis=1)
    for table in range(3):
        for k, test in enumerate(np.split(rows[table], coverage.FOLDS)):
            train = np.delete(rows[table], np.arange(k * len(test), (k + 1) * len(test)))
            assert found[table, k] == pytest.approx(np.square(test - train.mean()).mean())


def test_the_corrected_interval_is_the_usual_one_widened_by_what_folds_share(scores: np.ndarray) -> None:
    J = scores.shape[1]
    usual, corrected = judging.half_width(scores, 0.0), judging.half_width(scores, 0.25)
    np.testing.assert_allclose(corrected / usual, np.sqrt((1 / J + 0.25) * J))
    low, high = stats.t.interval(0.95, J - 1, scores[0].mean(), stats.sem(scores[0]))
    assert usual[0] == pytest.approx((high - low) / 2)


def test_of_one_round_it_is_the_interval_of_the_cases(scores: np.ndarray) -> None:
    five = scores[0, :5]
    low, high = fold_interval(list(five))
    assert judging.half_width(five, 1 / 4) == pytest.approx((high - low) / 2)


def test_no_number_of_rounds_brings_it_below_what_folds_share() -> None:
    many = np.random.default_rng(0).normal(size=100_000)
    assert judging.half_width(many, 0.25) >= 1.95 * many.std() * 0.5
    assert judging.half_width(many, 0.0) < 0.01


def test_without_the_correction_pairs_are_held_against_each_other_by_scipys_paired_t(scores: np.ndarray) -> None:
    ours = judging.p_values(scores, 0.0)
    for i, j in ((0, 1), (2, 5), (4, 3)):
        assert ours[i, j] == pytest.approx(stats.ttest_rel(scores[i], scores[j]).pvalue)
    assert (judging.p_values(scores, 0.25) >= ours).all()
    np.testing.assert_array_equal(ours, ours.T)


def test_equal_scores_never_differ_and_a_constant_lead_always_does() -> None:
    row = np.random.default_rng(0).normal(size=20)
    values = judging.p_values(np.stack([row, row, np.round(row, 1) * 0 + 1, np.zeros(20)]), 0.25)
    assert values[0, 1] == 1
    assert values[2, 3] == 0


def test_holm_corrects_as_worked_by_hand() -> None:
    values = np.ones((3, 3))
    values[0, 1] = values[1, 0] = 0.01
    values[0, 2] = values[2, 0] = 0.04
    values[1, 2] = values[2, 1] = 0.03
    corrected = judging.holm(values)
    assert corrected[0, 1] == pytest.approx(0.03)
    assert corrected[1, 2] == pytest.approx(0.06)
    assert corrected[0, 2] == pytest.approx(0.06)  # 0.04, but never below the one before it


def test_pairs_that_do_not_differ_are_seldom_said_to() -> None:
    rng, wrong = np.random.default_rng(0), 0
    for _ in range(200):
        none = Results("toy", "R²", tuple("abcde"), rng.normal(size=(5, 50)), 0.0)
        wrong += bool(judging.differ(none).any())
    assert wrong <= 20  # 5 % promised of all pairs together: 10 of 200


def test_ranks_sum_to_what_ranks_sum_to_whatever_is_tied(scores: np.ndarray) -> None:
    k = len(scores)
    for each in (scores, scores.round(1), np.zeros_like(scores)):
        assert judging.ranks(each).sum() == pytest.approx(k * (k + 1) / 2)
    assert judging.ranks(scores).argmax() == 4
    np.testing.assert_allclose(judging.ranks(np.zeros_like(scores)), (k + 1) / 2)


@pytest.mark.parametrize(
    ("k", "q"),
    [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (7, 2.949), (8, 3.031), (9, 3.102), (10, 3.164)],
)  # fmt: skip
def test_the_critical_difference_is_that_of_the_published_table(k: int, q: float) -> None:
    """Demšar (2006), table 5 a."""
    assert judging.critical_difference(k, 14) == pytest.approx(q * np.sqrt(k * (k + 1) / (6 * 14)), rel=3e-4)


def test_the_critical_difference_of_the_published_example() -> None:
    assert judging.critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)  # Demšar (2006), section 3.2.2


def test_who_differs_does_not_depend_on_the_order_of_algorithms_or_of_folds(results: Results) -> None:
    order, across = np.random.default_rng(1).permutation(6), np.random.default_rng(2).permutation(50)
    other = Results("toy", "R²", tuple(results.names[k] for k in order), results.scores[order][:, across], 0.25)
    np.testing.assert_array_equal(judging.differ(other), judging.differ(results)[np.ix_(order, order)])
    np.testing.assert_allclose(judging.ranks(other.scores), judging.ranks(results.scores)[order])
    assert judging.level_with_best(other) == judging.level_with_best(results)
    assert drawings.lead(other) == drawings.lead(results)
    assert judging.friedman(other.scores) == pytest.approx(judging.friedman(results.scores))


def test_bars_join_the_longest_runs_of_whom_no_two_differ() -> None:
    apart = np.zeros((5, 5), bool)
    for i, j in ((0, 3), (0, 4), (1, 4)):
        apart[i, j] = apart[j, i] = True
    assert judging.groups(np.arange(5), apart) == [(0, 2), (1, 3), (2, 4)]
    assert judging.groups(np.arange(5), np.ones((5, 5), bool)) == []
    assert judging.groups(np.arange(5), np.zeros((5, 5), bool)) == [(0, 4)]


def test_the_title_names_the_best_and_those_level_with_it_and_nobody_else(results: Results) -> None:
    apart = judging.differ(results)
    best = int(results.scores.mean(axis=1).argmax())
    level = {results.names[k] for k in range(6) if k != best and not apart[best, k]}
    assert set(judging.level_with_best(results)) == level
    assert "e" not in level
    alone = Results("toy", "R²", ("a", "b"), np.stack([results.scores[0], results.scores[4]]), 0.25)
    assert drawings.lead(alone) == "Toy, R²: a is best, and differs from all 1 others"


def test_folds_overlap_so_nemenyi_claims_more_pairs_than_outlast_the_correction() -> None:
    """On tables where nothing differs: the mean of the training rows against the same with a hair of noise."""
    found = coverage.errors(10, 200, 1)
    pairs = np.stack([found[:100], found[100:]], axis=1)  # (tables, 2, folds): both of one kind
    by_ranks = sum(judging.differ_by_ranks(Results("toy", "", ("a", "b"), each, 0.25))[0, 1] for each in pairs)
    corrected = sum(judging.differ(Results("toy", "", ("a", "b"), each, 0.25))[0, 1] for each in pairs)
    assert by_ranks > 4 * max(corrected, 1)


def test_every_fold_is_a_fifth_and_every_row_is_judged_once_a_round(iris: Table) -> None:
    parts = folds.parts(iris, 2)
    assert len(parts) == 10
    for round_ in (parts[:5], parts[5:]):
        assert sorted(np.concatenate([test for _, test in round_])) == list(range(len(iris)))
    for train, test in parts:
        assert len(train) == 4 * len(test)
        assert not set(train) & set(test)


def test_scores_are_those_of_the_folds_whoever_takes_part(iris: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    some = ("linear_discriminant_analysis", "logistic_regression", "svc_rbf")
    table, both = algorithms.classifiers(), []
    for names in (some, some[::-1]):
        monkeypatch.setattr(algorithms, "classifiers", lambda names=names: {name: table[name] for name in names})
        folds.measured.cache_clear()
        both.append(folds.measured(Given.of("iris", iris), rounds=1))
    folds.measured.cache_clear()
    for one, other in zip(*both, strict=True):
        np.testing.assert_array_equal(one.scores, other.scores[::-1])
    area, brier = both[0]
    assert area.scores.shape == brier.scores.shape == (3, 5)
    assert (area.scores > 0.9).all()
    assert ((brier.scores > -0.5) & (brier.scores < 0)).all()
    facts = _of(area)
    assert facts["pairs"] == 3
    assert facts["folds"] == 5


def test_the_algorithms_are_those_of_the_cases(samples: Callable[[str], Path]) -> None:
    from handbook.cases import classifiers, regressors
    from handbook.project import Project
    from tests.conftest import ROOT

    for page, case, ours in (
        (classifiers, "classifiers_iris", algorithms.classifiers()),
        (regressors, "regressors_boston", algorithms.regressors()),
    ):
        assert list(ours) == list(page.algorithms(Project(ROOT).case(case).params))
