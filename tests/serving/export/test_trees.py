"""Boosted trees as a node of a graph add up to what scikit-learn's do, to the last digits of double precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from handbook.serving.export import trees
from handbook.serving.export.graph import NEWER_TREES, Graph
from tests.serving.export import toys


def table(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two columns of numbers, one of seventy words as places and one of three, in that order, and a target."""
    rng = np.random.default_rng(seed)
    numbers, words, few = rng.normal(size=(n, 2)), rng.integers(0, 70, n), rng.integers(0, 3, n)
    target = numbers[:, 0] + (words % 7 > 3) - (few == 1) + 0.1 * rng.normal(size=n)
    return np.column_stack([numbers[:, 0], words, numbers[:, 1], few]), target


def total(estimator: Any, rows: np.ndarray, width: int) -> np.ndarray:
    graph = Graph(NEWER_TREES)
    graph.output("y", trees.raw(graph, graph.input("x", np.float64, (rows.shape[1],)), estimator), np.float64, (width,))
    return toys.ran(graph, {"x": rows})[0]


@pytest.mark.parametrize("categorical", [None, [False, True, False, True]])
def test_numbers_and_words_go_the_same_way(categorical: Any) -> None:
    rows, target = table(600, 0)
    new = table(400, 1)[0]
    known = {"max_iter": 15, "min_samples_leaf": 5, "categorical_features": categorical, "random_state": 0}
    regressor = HistGradientBoostingRegressor(**known).fit(rows, target)
    np.testing.assert_allclose(total(regressor, new, 1)[:, 0], regressor.predict(new), atol=1e-12)
    classifier = HistGradientBoostingClassifier(**known).fit(rows, np.digitize(target, [-0.5, 0.5]))
    expected = np.log(classifier.predict_proba(new))
    found = total(classifier, new, 3)
    np.testing.assert_allclose(found - found[:, :1], expected - expected[:, :1], atol=1e-9)


def test_a_word_that_training_never_had_goes_the_way_of_a_missing_one() -> None:
    rows, target = table(600, 0)
    estimator = HistGradientBoostingRegressor(
        max_iter=15, categorical_features=[False, True, False, True], min_samples_leaf=5
    ).fit(rows, target)
    unknown = table(200, 2)[0]
    unknown[::2, 1], unknown[1::3, 3] = -1, -1
    missing = np.where(unknown == -1, np.nan, unknown)
    np.testing.assert_allclose(total(estimator, unknown, 1)[:, 0], estimator.predict(missing), atol=1e-12)


def test_a_tree_of_one_leaf_is_a_constant() -> None:
    rows = np.zeros((50, 2))
    estimator = HistGradientBoostingRegressor(max_iter=3).fit(rows, np.arange(50.0))
    np.testing.assert_allclose(total(estimator, rows[:3], 1)[:, 0], estimator.predict(rows[:3]), atol=1e-12)
