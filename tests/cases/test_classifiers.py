"""The comparison of classifiers: its own laws."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.datasets import make_classification

from handbook.cases import classifiers
from handbook.data.tables import Table
from handbook.project import Project
from handbook.training import models, selection
from tests.conftest import ROOT

PARAMS = dataclasses.replace(
    Project(ROOT).case("classifiers_bank").params, n_folds=3, inner_folds=2, n_estimators=100, n_neighbors=(1, 5)
)
ALL = classifiers.algorithms(PARAMS)


def toy(classes: int = 2) -> Table:
    """The book's 100 x 10 rows for AdaBoost (section 2.15), with a column of words beside them."""
    X, y = make_classification(100, 10, n_informative=6, n_classes=classes, random_state=42)
    features = pd.DataFrame(X, columns=[f"x{i}" for i in range(10)])
    features["word"] = pd.Series(np.where(X[:, 0] > 0, "up", "down"), dtype="str")
    return Table(features, y.astype(np.int64), tuple("abc"[:classes]))


@pytest.mark.parametrize("classes", [2, 3])
def test_measures_agree_with_scikit_learn(classes: int) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, 300)
    probabilities = rng.dirichlet(np.ones(classes), 300)
    called = probabilities.argmax(axis=1)
    found = classifiers.measures(labels, probabilities)
    how: dict[str, Any] = {"average": "binary" if classes == 2 else "macro"}
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(labels, called))
    assert found["precision"] == pytest.approx(metrics.precision_score(labels, called, **how))
    assert found["recall"] == pytest.approx(metrics.recall_score(labels, called, **how))
    assert found["f1"] == pytest.approx(metrics.f1_score(labels, called, **how))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(labels, probabilities))
    area = metrics.roc_auc_score(labels, probabilities[:, 1] if classes == 2 else probabilities, multi_class="ovr")
    assert found["roc_auc"] == pytest.approx(area)


def test_specificity_is_the_recall_of_the_other_class() -> None:
    rng = np.random.default_rng(1)
    labels, probabilities = rng.integers(0, 2, 200), rng.dirichlet(np.ones(2), 200)
    other = metrics.recall_score(labels, probabilities.argmax(axis=1), pos_label=0)
    assert classifiers.measures(labels, probabilities)["specificity"] == pytest.approx(other)


@pytest.mark.parametrize("name", ALL)
def test_whichever_algorithm_wins_can_be_kept(name: str, tmp_path: Path) -> None:
    table = toy(3)
    grid = {key: values[:1] for key, values in ALL[name].grid.items()}
    contest = classifiers.contest(table, PARAMS)
    trained = selection.fit(contest, dataclasses.replace(ALL[name], grid=grid), np.arange(len(table)))
    model = models.Fitted(trained.estimator, PARAMS, {"classes": ["a", "b", "c"]})
    models.save(model, tmp_path / "m")
    loaded = models.load(classifiers, PARAMS, tmp_path / "m")
    np.testing.assert_array_equal(
        classifiers.class_probabilities(loaded.estimator, table.features),
        classifiers.class_probabilities(model.estimator, table.features),
    )


@pytest.mark.parametrize("name", ALL)
def test_every_algorithm_beats_chance_on_the_books_toy_data(name: str) -> None:
    outcome = selection.cross_validated(classifiers.contest(toy(), PARAMS), ALL[name])
    assert np.mean(outcome.scores["roc_auc"]) > 0.5 + 2 * 0.06  # the deviation by chance of 50 against 50 (Hanley 1982)


@pytest.mark.parametrize("name", ["logistic_regression", "svc_rbf", "k_nearest_neighbours"])
def test_the_unit_of_an_attribute_changes_no_probability(name: str) -> None:
    table = toy()
    other = Table(table.features.assign(x3=table.features["x3"] * 1000 + 7), table.target, table.classes)
    grid = {key: values[:1] for key, values in ALL[name].grid.items()}
    chosen = {key.rsplit("__", 1)[-1]: values[0] for key, values in grid.items()}
    reported = [
        selection.with_settings(each, ALL[name], chosen).fit(each.features, each.target).predict_proba(each.features)
        for each in (table, other)
    ]
    np.testing.assert_allclose(reported[0], reported[1], atol=1e-6)


def test_a_word_never_seen_is_predicted_and_warned_of(fitted: Any) -> None:
    case, data, model = fitted("classifiers_bank")
    rows = case.example(case.split(data)).assign(job="astronaut")
    with pytest.warns(UserWarning, match="'job'.*'astronaut'"):
        assert len(classifiers.predict(model, rows)) == len(rows)


def test_the_order_of_columns_changes_no_prediction(fitted: Any) -> None:
    case, data, model = fitted("classifiers_iris")
    rows = case.example(case.split(data))
    assert classifiers.predict(model, rows[rows.columns[::-1]]).equals(classifiers.predict(model, rows))


def test_a_missing_column_is_refused(fitted: Any) -> None:
    case, data, model = fitted("classifiers_iris")
    rows = case.example(case.split(data))
    with pytest.raises(ValueError, match=str(rows.columns[0]).replace("(", r"\(").replace(")", r"\)")):
        classifiers.predict(model, rows.drop(columns=rows.columns[0]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_share": 1.0}, "test_share"),
        ({"n_folds": 1}, "n_folds"),
        ({"slow_rows": 0}, "slow_rows"),
        ({"n_neighbors": ()}, "n_neighbors"),
        ({"shares": (0.0, 1.0)}, "shares"),
    ],
)
def test_a_parameter_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(PARAMS, **change)
