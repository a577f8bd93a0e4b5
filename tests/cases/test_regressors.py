"""The comparison of regressors: its own laws."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.datasets import make_regression
from sklearn.linear_model import Ridge

from handbook.cases import regressors
from handbook.data.tables import Table
from handbook.evaluation.metrics import fold_interval
from handbook.project import Project
from handbook.training import models, selection
from tests.conftest import ROOT

PARAMS = dataclasses.replace(
    Project(ROOT).case("regressors_boston").params, n_folds=3, inner_folds=2, n_estimators=100, n_neighbors=(1, 5)
)
ALL = regressors.algorithms(PARAMS)


def toy() -> Table:
    """The book's 100 x 10 rows for AdaBoost (section 2.15)."""
    X, y = make_regression(100, 10, random_state=42)
    return Table(pd.DataFrame(X, columns=[f"x{i}" for i in range(10)]), y, ())


def test_linear_regression_predicts_12_14_16_as_the_book_prints() -> None:
    line = Table(pd.DataFrame({"x": [1.0, 2, 3, 4, 5]}), np.array([2.0, 4, 6, 8, 10]), ())
    model = selection.pipeline(line, ALL["linear_regression"].estimator).fit(line.features, line.target)
    np.testing.assert_allclose(model.predict(pd.DataFrame({"x": [6.0, 7, 8]})), [12, 14, 16], rtol=1e-12)


def test_measures_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(size=80)
    predicted = target + rng.normal(size=80)
    found = regressors.measures(target, predicted, attributes=13)
    assert found["r2"] == pytest.approx(metrics.r2_score(target, predicted))
    assert found["mean_squared_error"] == pytest.approx(metrics.mean_squared_error(target, predicted))
    assert found["root_mean_squared_error"] == pytest.approx(metrics.root_mean_squared_error(target, predicted))
    assert found["mean_absolute_error"] == pytest.approx(metrics.mean_absolute_error(target, predicted))


def test_adjusted_r2_is_what_the_spare_rows_leave() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 5)), rng.normal(size=20)
    residual = y - np.column_stack([np.ones(20), X]) @ np.linalg.lstsq(np.column_stack([np.ones(20), X]), y)[0]
    unbiased = 1 - (residual @ residual / (20 - 5 - 1)) / y.var(ddof=1)
    assert regressors.measures(y, y - residual, attributes=5)["adjusted_r2"] == pytest.approx(unbiased)


def test_a_constant_target_still_has_an_r2() -> None:
    assert regressors.measures(np.ones(9), np.ones(9), attributes=2)["r2"] == 1
    assert regressors.measures(np.ones(9), np.zeros(9), attributes=2)["r2"] == 0


def test_the_ridge_path_agrees_with_scikit_learn() -> None:
    X, y, _ = regressors.scaled(toy())
    alphas = np.array([0.1, 10.0, 1000.0])  # 0.1 is the book's
    expected = [Ridge(alpha=alpha, fit_intercept=False).fit(X, y).coef_ for alpha in alphas]
    np.testing.assert_allclose(regressors.ridge_path(X, y, alphas), expected, rtol=1e-8)


def test_the_lasso_drops_attributes_and_ridge_does_not() -> None:
    X, y, _ = regressors.scaled(toy())
    lasso = regressors.lasso_path(X, y, regressors.ALPHAS)
    kept = (lasso != 0).sum(axis=1)
    assert kept[0] == 10
    assert kept[-1] == 0
    assert (regressors.ridge_path(X, y, regressors.RIDGE_ALPHAS) != 0).all()


def test_the_lasso_is_not_plain_linear_regression() -> None:
    table, chosen = toy(), {"alpha": 0.3}
    lasso = selection.with_settings(table, ALL["lasso"], chosen).fit(table.features, table.target)
    assert (lasso[-1].regressor_.coef_ == 0).any()


@pytest.mark.parametrize("name", ALL)
def test_whichever_algorithm_wins_can_be_kept(name: str, tmp_path: Path) -> None:
    table = toy()
    grid = {key: values[:1] for key, values in ALL[name].grid.items()}
    trained = selection.fit(
        regressors.contest(table, PARAMS), dataclasses.replace(ALL[name], grid=grid), np.arange(len(table))
    )
    model = models.Fitted(trained.estimator, PARAMS, {})
    models.save(model, tmp_path / "m")
    loaded = models.load(regressors, PARAMS, tmp_path / "m")
    np.testing.assert_array_equal(
        regressors.values(loaded.estimator, table.features), regressors.values(model.estimator, table.features)
    )


@pytest.mark.parametrize("name", ALL)
def test_every_algorithm_beats_the_mean_on_the_books_toy_data(name: str) -> None:
    outcome = selection.cross_validated(regressors.contest(toy(), PARAMS), ALL[name])
    assert np.mean(outcome.scores["r2"]) > 0.1


def test_all_algorithms_see_the_same_folds() -> None:
    contest = regressors.contest(toy(), PARAMS)
    first, second = list(contest.parts()), list(contest.parts())
    for (a, b), (c, d) in zip(first, second, strict=True):
        assert (a == c).all() and (b == d).all()
        assert not set(a) & set(b)
    assert sorted(np.concatenate([valid for _, valid in first])) == list(range(100))


def test_an_interval_over_folds_holds_the_mean_and_ends_where_the_metric_does() -> None:
    low, high = fold_interval([0.98, 0.99, 1.0], 0, 1)
    assert low < 0.99 < high == 1
    assert fold_interval([0.5, 0.5, 0.5], 0, 1) == (0.5, 0.5)


def test_settings_are_chosen_without_the_rows_that_judge() -> None:
    table = toy()
    contest = regressors.contest(table, PARAMS)
    train, valid = next(contest.parts())
    spoiled = Table(table.features, table.target.copy(), ())
    spoiled.target[valid] += 1e6
    chosen = [
        selection.fit(dataclasses.replace(contest, table=each), ALL["ridge"], train).tried for each in (table, spoiled)
    ]
    assert chosen[0] == chosen[1]


def test_a_column_of_words_where_numbers_belong_is_refused(fitted: Any) -> None:
    case, data, model = fitted("regressors_boston")
    rows = case.example(case.split(data))
    name = rows.columns[0]
    with pytest.raises(ValueError, match=str(name)):
        regressors.predict(model, rows.assign(**{name: "many"}))


@pytest.mark.parametrize(
    ("change", "message"),
    [({"test_share": 0.0}, "test_share"), ({"inner_folds": 1}, "n_folds"), ({"shares": ()}, "shares")],
)
def test_a_parameter_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(PARAMS, **change)
