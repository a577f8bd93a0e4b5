"""The classics equal scikit-learn's: predictions, coefficients, splits; and what cannot be learnt is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import datasets, discriminant_analysis, ensemble, linear_model, naive_bayes, neighbors, svm
from sklearn import tree as theirs

from handbook.labs.classics import adaboost, bayes, boosting, discriminant, linear, logistic, neighbours, support, tree
from handbook.labs.classics.calls import diabetes, iris

DISTANCES = {"euclidean": neighbours.euclid, "manhattan": neighbours.manhattan}
PURITY = {"gini": tree.gini, "entropy": tree.entropy}


def rows(n: int = 200, d: int = 5, classes: int = 3, seed: int = 0) -> tuple[Any, Any]:
    """Continuous columns, so that no two splits tie, and labels that depend on them."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, np.digitize(
        x[:, 0] + x[:, 1] * x[:, 2] + 0.7 * rng.standard_normal(n), np.linspace(-0.6, 0.6, classes - 1)
    )


@pytest.mark.parametrize("metric", DISTANCES)
@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("k", [1, 5, 30])
def test_nearest_neighbours_equal_scikit_learn_for_classes_and_values(metric: str, weights: str, k: int) -> None:
    x, labels = rows(400)
    ours = neighbours.Neighbours(x[:300], k, DISTANCES[metric], weighted=weights == "distance")
    how: dict[str, Any] = {"n_neighbors": k, "metric": metric, "weights": weights, "algorithm": "brute"}
    classes = neighbors.KNeighborsClassifier(**how).fit(x[:300], labels[:300])
    values = neighbors.KNeighborsRegressor(**how).fit(x[:300], x[:300, 0])
    for part in (x[300:], x[:300]):  # new rows, and those that are their own neighbours
        # scikit-learn's distance of a row to itself is some 1e-8, and so is what that leaves to the others
        assert_allclose(ours.shares(part, labels[:300]), classes.predict_proba(part), atol=1e-5)
        assert_allclose(ours.values(part, x[:300, 0]), values.predict(part), atol=1e-5)


def test_moving_all_rows_changes_no_distance_even_far_from_zero() -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 50, 4))
    for distance in DISTANCES.values():
        assert_allclose(distance(a + 1e6, b + 1e6), distance(a, b), rtol=1e-6)


@pytest.mark.parametrize("data", ["iris", "drawn"])
def test_discriminants_equal_scikit_learn_but_for_their_sign(data: str) -> None:
    x, labels = iris() if data == "iris" else rows(classes=4)
    ours, other = discriminant.fit(x, labels), discriminant_analysis.LinearDiscriminantAnalysis().fit(x, labels)
    projected, expected = ours.project(x), other.transform(x)
    assert_allclose(np.abs(projected), np.abs(expected), atol=1e-8)
    assert_allclose(ours.separation / ours.separation.sum(), other.explained_variance_ratio_, atol=1e-10)
    assert_allclose(ours.probabilities(x), other.predict_proba(x), atol=1e-9)


def test_within_and_between_scatter_sum_to_that_of_all_rows_and_no_direction_separates_more() -> None:
    x, labels = iris()
    within, between = discriminant.scatter(x, labels)
    assert_allclose(within + between, len(x) * np.cov(x.T, bias=True), atol=1e-9)
    best = discriminant.fit(x, labels).directions[:, 0]
    others = np.random.default_rng(0).standard_normal((1000, 4))
    ratio = np.einsum("nd,de,ne->n", others, between, others) / np.einsum("nd,de,ne->n", others, within, others)
    assert best @ between @ best / (best @ within @ best) > ratio.max()


@pytest.mark.parametrize("criterion", PURITY)
@pytest.mark.parametrize("depth", [1, 3, None])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_classification_tree_has_the_splits_of_scikit_learns(
    criterion: str, depth: int | None, weighted: bool
) -> None:
    x, labels = rows()
    weights = np.random.default_rng(1).uniform(0.5, 2, len(x)) if weighted else None
    ours = tree.classification(x, labels, weights, depth=depth or np.inf, purity=PURITY[criterion])
    other = theirs.DecisionTreeClassifier(criterion=criterion, max_depth=depth, random_state=0)
    other.fit(x, labels, weights)
    alike(ours, other.tree_, x, PURITY[criterion])
    if depth == 1:
        assert_allclose(ours.shares(x), other.predict_proba(x), atol=1e-12)


@pytest.mark.parametrize("depth", [2, 5, None])
def test_a_regression_tree_has_the_splits_of_scikit_learns(depth: int | None) -> None:
    x, _ = rows()
    y = x[:, 0] ** 2 + x[:, 1] + np.random.default_rng(1).standard_normal(len(x))
    ours = tree.regression(x, y, depth=depth or np.inf)
    other = theirs.DecisionTreeRegressor(max_depth=depth, random_state=0).fit(x, y)
    alike(ours, other.tree_, x, tree.squares)
    assert_allclose(ours.values(x), other.predict(x), atol=1e-12)  # of values the splits that tie part rows alike


def alike(ours: tree.Tree, other: Any, x: Any, purity: tree.Purity) -> None:
    """From the root down the same columns and thresholds; where they differ, both splits are worth the same."""
    waiting, same = [(0, 0)], 0
    while waiting:
        one, two = waiting.pop()
        if ours.column[one] < 0:  # rounding may leave scikit-learn's pure node a little impure, and it goes on
            assert other.children_left[two] < 0 or other.impurity[two] < 1e-12
            continue
        assert other.children_left[two] >= 0
        if ours.column[one] == other.feature[two] and np.isclose(ours.threshold[one], other.threshold[two], atol=1e-12):
            same += 1
            waiting += [(ours.left[one], other.children_left[two]), (ours.right[one], other.children_right[two])]
        else:  # what scikit-learn says of its halves, against what ours are worth
            halves = purity(ours.sums[[ours.left[one], ours.right[one]]].T).sum()
            below = [other.children_left[two], other.children_right[two]]
            left, parent = other.weighted_n_node_samples[below] @ other.impurity[below], ours.sums[one]
            assert lost(
                purity, parent, other.impurity[two] * other.weighted_n_node_samples[two]
            ) - left == pytest.approx(halves, rel=1e-9)
    assert same >= 1


def lost(purity: tree.Purity, sums: Any, impurity: float) -> float:
    """What purity and weighted impurity of a node sum to: the same for whatever parts it is cut into."""
    return float(purity(sums)) + impurity


@pytest.mark.parametrize("data", ["iris", "diabetes"])
def test_where_splits_tie_a_tree_is_as_good_on_its_own_rows_as_scikit_learns(data: str) -> None:
    x, y = iris() if data == "iris" else diabetes()[:2]
    if data == "iris":
        ours, other = tree.classification(x, y, depth=2), theirs.DecisionTreeClassifier(max_depth=2).fit(x, y)
        assert (ours.classes(x) == y).mean() == other.score(x, y)
    else:
        ours, other = tree.regression(x, y, depth=4), theirs.DecisionTreeRegressor(max_depth=4).fit(x, y)
        assert_allclose(((ours.values(x) - y) ** 2).mean(), ((other.predict(x) - y) ** 2).mean(), rtol=1e-9)


def test_a_tree_without_a_limit_knows_its_rows_by_heart_and_equal_rows_get_one_answer() -> None:
    x, labels = rows(80)
    assert_array_equal(tree.classification(x, labels).classes(x), labels)
    twice = np.zeros((4, 1))
    assert_allclose(tree.classification(twice, np.array([0, 0, 0, 1])).shares(twice), [[0.75, 0.25]] * 4)


@given(st.integers(0, 50), st.floats(0.1, 10))
@settings(max_examples=15, deadline=None)
def test_stretching_a_column_moves_no_row_to_another_leaf(seed: int, factor: float) -> None:
    x, labels = rows(60, seed=seed)
    once, again = (tree.classification(k * x, labels, depth=4).classes(k * x) for k in (1.0, factor))
    assert_array_equal(once, again)


@pytest.mark.parametrize("classes", [2, 4])
def test_adaboost_equals_scikit_learn_learner_by_learner(classes: int) -> None:
    x, labels = rows(300, classes=classes)
    ours = adaboost.fit(x, labels, 40)
    other = ensemble.AdaBoostClassifier(n_estimators=40, random_state=0).fit(x, labels)
    assert_allclose(ours.say, other.estimator_weights_, rtol=1e-8)
    assert_allclose(ours.errors, other.estimator_errors_, rtol=1e-8)
    new = np.random.default_rng(9).standard_normal((500, 5))
    assert_array_equal(ours.classes(new), other.predict(new))


def test_after_its_round_what_a_learner_had_wrong_weighs_half_and_the_bound_is_kept() -> None:
    x, labels = rows(300, classes=2)
    found = adaboost.fit(x, labels, 60)
    wrong = found.learners[0].classes(x) != labels
    weights = np.where(wrong, np.exp(found.say[0]), 1.0)
    assert weights[wrong].sum() / weights.sum() == pytest.approx(0.5)
    known = (found.staged(x).argmax(axis=2) != labels).mean(axis=1)
    assert (known <= found.bound() + 1e-12).all()
    assert known[-1] < known[0]


def test_adaboost_ends_where_a_learner_has_nothing_wrong() -> None:
    x = np.arange(10.0)[:, None]
    assert len(adaboost.fit(x, (x[:, 0] > 4).astype(int)).learners) == 1


@pytest.mark.parametrize("d", [1, 5])
def test_gradient_boosting_equals_scikit_learn_for_values(d: int) -> None:
    x, _ = rows(300)
    y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2]
    ours = boosting.fit(x[:, :d], y, boosting.SQUARES, rounds=50)
    other = ensemble.GradientBoostingRegressor(n_estimators=50, random_state=0).fit(x[:, :d], y)
    assert_allclose(ours.score(x[:, :d]), other.predict(x[:, :d]), atol=1e-9)
    if d == 1:  # else one row may be cut off by two columns alike, which its new neighbours notice
        new = np.random.default_rng(9).standard_normal((300, 1))
        assert_allclose(ours.score(new), other.predict(new), atol=1e-9)


@pytest.mark.parametrize("d", [1, 5])
def test_gradient_boosting_equals_scikit_learn_for_two_classes_round_by_round(d: int) -> None:
    x, labels = rows(400, classes=2)
    x, new = x[:, :d], np.random.default_rng(9).standard_normal((300, d))
    ours = boosting.fit(x, labels.astype(float), boosting.LOG_LOSS, rounds=50)
    other = ensemble.GradientBoostingClassifier(n_estimators=50, random_state=0).fit(x, labels)
    part = new if d == 1 else x
    for score, expected in zip(ours.staged(part), other.staged_decision_function(part), strict=True):
        assert_allclose(score, expected[:, 0], atol=1e-8)


@pytest.mark.parametrize("penalty", [0.01, 1.0, 100.0])
def test_logistic_regression_equals_scikit_learn_and_settles_at_once(penalty: float) -> None:
    x, labels = rows(400, classes=2)
    ours = logistic.fit(x, labels.astype(float), penalty)
    other = linear_model.LogisticRegression(C=1 / penalty, tol=1e-12, max_iter=5000).fit(x, labels)
    assert_allclose(ours.w, np.r_[other.intercept_, other.coef_[0]], atol=1e-6)
    assert_allclose(ours.probabilities(x), other.predict_proba(x)[:, 1], atol=1e-6)
    assert len(ours.path) <= 9
    assert (np.diff(ours.losses) <= 1e-9).all()


def test_the_slope_and_the_curvature_of_logistic_regression_are_those_of_small_steps() -> None:
    x, labels = rows(60, classes=2)
    x, y, w = np.c_[np.ones(60), x], labels.astype(float), np.linspace(-1, 1, 6)
    way, h = np.eye(6), 1e-5
    slopes = [(logistic.loss(w + h * e, x, y, 2.0) - logistic.loss(w - h * e, x, y, 2.0)) / (2 * h) for e in way]
    assert_allclose(logistic.slope(w, x, y, 2.0), slopes, atol=1e-6)
    bends = [(logistic.slope(w + h * e, x, y, 2.0) - logistic.slope(w - h * e, x, y, 2.0)) / (2 * h) for e in way]
    assert_allclose(logistic.curvature(w, x, 2.0), bends, atol=1e-5)


@pytest.mark.parametrize("penalty", [1.0, 300.0, 20_000.0])
def test_least_squares_ridge_and_lasso_equal_scikit_learn_on_diabetes(penalty: float) -> None:
    x, y, _ = diabetes()
    pairs = (
        (linear.least_squares(x, y), linear_model.LinearRegression()),
        (linear.ridge(x, y, penalty), linear_model.Ridge(penalty)),
        (linear.lasso(x, y, penalty), linear_model.Lasso(penalty / (2 * len(x)), tol=1e-12, max_iter=100_000)),
    )
    for ours, model in pairs:
        other = model.fit(x, y)
        assert_allclose(ours.w, other.coef_, atol=1e-5)
        assert ours.b == pytest.approx(other.intercept_)


def test_the_lasso_drops_columns_and_ridge_none_and_without_a_penalty_both_are_least_squares() -> None:
    x, y, _ = diabetes()
    assert (linear.lasso(x, y, 5000.0).w == 0).any()
    assert (linear.ridge(x, y, 5000.0).w != 0).all()
    plain = linear.least_squares(x, y)
    assert_allclose(linear.ridge(x, y, 0.0).w, plain.w, rtol=1e-7)
    assert_allclose(linear.lasso(x[:, :4], y, 0.0).w, linear.least_squares(x[:, :4], y).w, rtol=1e-6)


@pytest.mark.parametrize("C", [0.1, 1.0])
def test_the_support_vector_machine_equals_liblinear(C: float) -> None:
    x, labels = iris()
    x, labels = (x[50:] - x[50:].mean(axis=0)) / x[50:].std(axis=0), labels[50:] - 1
    ours = support.fit(x, labels, C)
    other = svm.LinearSVC(loss="hinge", C=C, tol=1e-9, max_iter=2_000_000, random_state=0).fit(x, labels)
    assert_allclose(ours.w, np.r_[other.intercept_, other.coef_[0]], atol=1e-4)
    held = ours.alpha > 1e-7
    margins = (2 * labels - 1) * ours.margin(x)
    assert (margins[~held] > 1 - 1e-3).all()  # who is left out lies beyond the margin
    kept = support.fit(x[held], labels[held], C)
    assert_allclose(kept.w, ours.w, atol=1e-3)  # and could have been left out


def test_naive_bayes_equals_scikit_learn() -> None:
    x, labels = iris()
    other = naive_bayes.GaussianNB().fit(x, labels)
    assert_allclose(bayes.fit(x, labels).probabilities(x), other.predict_proba(x), atol=1e-9)


def test_the_listings_rows_are_boosted_as_scikit_learn_boosts_them() -> None:
    x, y = datasets.make_classification(n_samples=100, n_features=10, random_state=42)
    other = ensemble.AdaBoostClassifier(n_estimators=30, random_state=42).fit(x, y)
    assert_array_equal(adaboost.fit(x, y, 30).classes(x), other.predict(x))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: neighbours.Neighbours(np.zeros((3, 1)), 4), "k must be 1 to 3"),
        (lambda: discriminant.fit(np.ones((6, 2)), np.array([0, 1] * 3)), "not independent"),
        (lambda: adaboost.fit(np.zeros((4, 1)), np.array([0, 1, 0, 1])), "nothing can be boosted"),
        (lambda: boosting.fit(np.zeros((4, 1)), np.ones(4), boosting.LOG_LOSS), "answers of both classes"),
        (lambda: boosting.fit(np.zeros((4, 1)), np.ones(4), boosting.SQUARES, rounds=0), "rounds must be 1 or more"),
        (lambda: logistic.fit(np.array([[-1.0], [1.0]]), np.array([0.0, 1.0]), 0.0), "grow without end"),
        (lambda: linear.lasso(*rows(50)[:1], np.arange(50.0), 0.1, rounds=1), "still moves after 1 rounds"),
        (lambda: support.fit(rows(50)[0], rows(50, classes=2)[1], rounds=1), "still move after 1 rounds"),
    ],
)
def test_what_cannot_be_learnt_is_refused_with_the_way_out(wrong: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()
