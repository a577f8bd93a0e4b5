"""Bias and variance, leave-one-out, assumptions, and the boosters: labs/classics, second half."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from handbook.datasets import bank_marketing
from handbook.labs.classics import assumptions, boosters, boosting, calls, held_out, listings, variance
from handbook.labs.classics import tree as trees


def test_squared_error_is_bias_squared_and_variance_to_the_last_digit() -> None:
    rng = np.random.default_rng(0)
    f, predictions = rng.standard_normal(20), rng.standard_normal((50, 20))
    bias, spread = variance.split(predictions, f)
    assert bias + spread == pytest.approx(((predictions - f) ** 2).mean())


def test_a_model_that_always_says_the_same_has_bias_alone_and_one_that_says_its_rows_noise_has_variance_alone() -> None:
    f = variance.truth(np.linspace(0, 1, variance.GRID))
    constant = variance.drawn_predictions(lambda x, y, grid, rng: np.zeros_like(grid), 10)
    assert variance.split(constant, f) == (pytest.approx((f**2).mean()), 0)
    noisy = variance.drawn_predictions(
        lambda x, y, grid, rng: variance.truth(grid) + rng.standard_normal(len(grid)), 400
    )
    bias, spread = variance.split(noisy, f)
    assert bias == pytest.approx(0, abs=5e-4)
    assert spread == pytest.approx(1, abs=0.03)


def test_deeper_trees_trade_bias_for_variance_and_bagging_takes_variance_off_and_leaves_the_bias() -> None:
    f = variance.truth(np.linspace(0, 1, variance.GRID))
    found = {depth: variance.decomposed(variance.drawn_predictions(variance.tree(depth), 60), f) for depth in (1, 3, 8)}
    assert found[1].bias > 3 * found[3].bias > 3 * found[8].bias - 0.01
    assert found[1].variance < found[3].variance < found[8].variance
    trees = variance.drawn_predictions(variance.grown(12), 40)
    one, many = (variance.decomposed(each, f) for each in (trees[:, 0], trees.mean(axis=1)))
    assert many.variance_interval[1] < one.variance_interval[0]
    assert abs(many.bias - one.bias) < 0.02
    assert found[3].bias_interval[0] < found[3].bias < found[3].bias_interval[1]
    assert found[3].variance_interval[0] < found[3].variance < found[3].variance_interval[1]


def test_the_trees_of_the_measurement_are_ours() -> None:
    rng = np.random.default_rng(0)
    x = rng.random(variance.ROWS)
    y, grid = variance.truth(x) + rng.standard_normal(len(x)), np.linspace(0, 1, 50)
    for depth in (2, variance.DEEP):
        ours = trees.regression(x[:, None], y, depth=depth).values(grid[:, None])
        assert_allclose(variance.tree(depth)(x, y, grid, rng), ours, atol=1e-9)


@pytest.mark.parametrize("penalty", [0.0, 50.0])
def test_leave_one_out_by_one_fit_equals_as_many_fits_as_rows(penalty: float) -> None:
    x, y, _ = calls.diabetes()
    x, y = x[:80], y[:80]
    model = Ridge(penalty) if penalty else LinearRegression()
    expected = y - cross_val_predict(model, x, y, cv=LeaveOneOut())
    assert_allclose(held_out.errors(x, y, penalty), held_out.brute(x, y, penalty), rtol=1e-8)
    # ridge's λ shrinks towards the mean of the rows that it sees, of which one is missing: equal all the same
    assert_allclose(held_out.brute(x, y, penalty), expected, rtol=1e-7)


def test_leverages_sum_to_the_columns_and_one_and_a_lone_row_has_it_all() -> None:
    x = calls.diabetes()[0]
    assert held_out.leverage(x).sum() == pytest.approx(x.shape[1] + 1)
    assert held_out.leverage(np.r_[np.zeros(9), 1.0][:, None])[-1] == pytest.approx(1)
    assert held_out.leverage(x, 1e9).sum() == pytest.approx(1, abs=1e-3)  # of a huge λ the constant alone is left


def test_the_usual_errors_and_the_tests_equal_scipys() -> None:
    rng = np.random.default_rng(0)
    x, noise = rng.standard_normal(50), rng.standard_normal(50)
    found, other = assumptions.fit(x[:, None], 1 + 2 * x + noise), stats.linregress(x, 1 + 2 * x + noise)
    assert_allclose(found.w, [other.intercept, other.slope])
    assert_allclose(assumptions.usual(found), [other.intercept_stderr, other.stderr])
    bell = stats.jarque_bera(found.errors)
    assert_allclose(assumptions.jarque_bera(found.errors), [bell.statistic, bell.pvalue])


def test_the_robust_errors_are_those_of_rows_left_out_one_by_one() -> None:
    """HC3 is, but for a factor of (n − 1)/n and the mean, the jackknife (Efron 1982)."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 2))
    y = x @ [1.0, -1.0] + rng.standard_normal(400) * (1 + np.abs(x[:, 0]))
    left = np.array([assumptions.fit(np.delete(x, i, 0), np.delete(y, i)).w for i in range(len(x))])
    jackknife = np.sqrt((len(x) - 1) / len(x) * ((left - left.mean(axis=0)) ** 2).sum(axis=0))
    assert_allclose(assumptions.robust(assumptions.fit(x, y)), jackknife, rtol=5e-3)


def test_of_data_that_meet_the_assumptions_a_twentieth_is_called_out_and_of_others_nearly_all() -> None:
    rng = np.random.default_rng(0)
    calm, fanned, bent = [], [], []
    for _ in range(300):
        x = rng.standard_normal((100, 2))
        line, noise = x.sum(axis=1), rng.standard_normal(100)
        calm.append((assumptions.breusch_pagan(x, line + noise)[1], assumptions.reset(x, line + noise)[1]))
        fanned.append(assumptions.breusch_pagan(x, line + noise * np.exp(0.7 * x[:, 0]))[1])
        bent.append(assumptions.reset(x, line + 0.4 * line**2 + noise)[1])
    assert (np.array(calm) < 0.05).mean(axis=0) == pytest.approx([0.05, 0.05], abs=0.03)
    assert (np.array(fanned) < 0.05).mean() > 0.8
    assert (np.array(bent) < 0.05).mean() > 0.9


def test_inflation_is_what_the_other_columns_explain() -> None:
    x = calls.diabetes()[0]
    by_hand = [1 / (1 - assumptions.r_squared(np.delete(x, j, 1), x[:, j])) for j in range(x.shape[1])]
    assert_allclose(assumptions.inflation(x), by_hand, rtol=1e-8)
    assert assumptions.durbin_watson(np.tile([1.0, -1.0], 500)) == pytest.approx(4, abs=0.01)
    assert assumptions.durbin_watson(np.ones(10)) == 0


def test_the_usual_interval_fails_where_noise_grows_and_the_robust_one_hardly() -> None:
    calm, fanned = assumptions.coverage(False), assumptions.coverage(True)
    assert calm == pytest.approx((0.95, 0.95), abs=0.015)
    assert fanned[0] < 0.92
    assert fanned[1] == pytest.approx(0.95, abs=0.02)


@pytest.fixture(scope="module")
def few(samples: Any) -> calls.Calls:
    return calls.Calls.of(bank_marketing.load(samples("bank_marketing")))


def test_the_calls_leave_out_what_is_known_only_after_them_and_are_the_same_twice(
    few: calls.Calls, samples: Any
) -> None:
    table = bank_marketing.load(samples("bank_marketing"))
    assert few == calls.Calls.of(table)
    assert calls.LATE in bank_marketing.KNOWN_AFTER_THE_CALL
    assert few.x.shape == (calls.SAMPLE, table.features.shape[1] - 1)
    seconds = table.features[calls.LATE].to_numpy()[np.random.default_rng(0).permutation(len(table))[: calls.SAMPLE]]
    assert not any(np.array_equal(column, seconds) for column in few.x.T)
    assert_allclose(few.z[:, :6].mean(axis=0), 0, atol=1e-9)


def test_on_the_banks_calls_ours_gives_the_probabilities_that_scikit_learn_gives(few: calls.Calls) -> None:
    from sklearn.ensemble import GradientBoostingClassifier

    ours = boosting.fit(few.x, few.y.astype(float), boosting.LOG_LOSS, rounds=10)
    other = GradientBoostingClassifier(n_estimators=10, random_state=0).fit(few.x, few.y)
    # where two columns cut the rows alike either may be asked; the rows that were learnt from cannot tell which
    assert_allclose(boosting.chance(ours.score(few.x)), other.predict_proba(few.x)[:, 1], atol=1e-9)


def test_every_booster_learns_and_an_interval_holds_its_mean(few: calls.Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosters, "ROUNDS", 20)
    raced = boosters.race(few)
    assert {"ours", "scikit-learn", "XGBoost", "LightGBM"} <= set(raced)
    assert min(scores.mean for scores in raced.values()) > 0.6
    for scores in raced.values():
        low, high = scores.interval()
        assert low < scores.mean < high
    assert abs(raced["ours"].less(raced["scikit-learn"]).mean) < 0.01
    assert boosters.Scores(np.ones(5)).less(boosters.Scores(np.ones(5))).interval() == (0, 0)


def test_the_listings_come_to_what_can_be_worked_out() -> None:
    # the tube of 0.1 holds three points on a line with the flattest slope that does: 0.9 a step
    assert_allclose(listings.support_values(), [1.1, 2.0, 2.9], atol=1e-3)
    assert (listings.support_classes() == [0, 1, 0]).sum() == 2  # no plane has the middle one on a side of its own
    assert listings.discriminant_accuracy()[0] == listings.discriminant_accuracy()[1]
    found = listings.adaboost_accuracy()
    assert found["ours"] == found["scikit-learn"]
    boosted, tree, line = listings.adaboost_error()
    assert line < 1e-9 < boosted < tree  # make_regression has no noise and is a line
