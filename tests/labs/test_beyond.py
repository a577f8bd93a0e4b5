"""The laws of the lab `beyond`: exact values, exact inference, estimates known right or wrong, true gradients."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handbook import datasets
from handbook.labs.beyond import (
    agents,
    causes,
    classified,
    cliff,
    effects,
    estimators,
    graph,
    network,
    pictures,
    planted,
    rows,
    rules,
)


@pytest.fixture(scope="module")
def bank(samples: Callable[[str], Path]) -> Any:
    return datasets.page("bank_marketing").load(samples("bank_marketing"))


@pytest.mark.parametrize("explored", [0.0, 0.1, 0.5])
def test_value_iteration_ends_where_bellmans_linear_system_of_its_policy_does(explored: float) -> None:
    q, _ = cliff.value_iteration(explored)
    policy = cliff.soft(q.argmax(axis=1), explored)
    here = cliff.world()
    np.testing.assert_allclose(q, here.rewards + cliff.evaluated(policy)[here.leads], atol=1e-7)


def test_no_policy_of_any_exploration_is_better_than_the_one_that_value_iteration_finds() -> None:
    q, _ = cliff.value_iteration(cliff.EXPLORED)
    best, rng = cliff.evaluated(cliff.soft(q.argmax(axis=1), cliff.EXPLORED)), np.random.default_rng(0)
    for _ in range(20):
        other = np.where(rng.random(cliff.STATES) < 0.2, rng.integers(0, 4, cliff.STATES), q.argmax(axis=1))
        assert (cliff.evaluated(cliff.soft(other, cliff.EXPLORED)) <= best + 1e-9).all()


def test_the_shortest_walk_is_thirteen_steps_and_circles_never_arrive() -> None:
    q, _ = cliff.value_iteration()
    assert q[cliff.START].max() == cliff.greedy_return(q.argmax(axis=1)) == -13
    assert len(cliff.path(q.argmax(axis=1))) == 14
    assert cliff.greedy_return(np.full(cliff.STATES, 3)) == -np.inf
    assert cliff.greedy_return(np.full(cliff.STATES, 1)) == -np.inf  # off the cliff, back to the start, again


def test_q_learning_finds_the_optimum_and_falls_more_than_sarsa_while_it_explores() -> None:
    learnt = agents.learnt(6)
    assert (learnt["Q-learning"].share_of_optimum == 1).all()
    assert (learnt["SARSA"].share_of_optimum < 1).all()
    assert learnt["Q-learning"].late_falls.mean() > 3 * learnt["SARSA"].late_falls.mean()
    careful, _ = cliff.value_iteration(cliff.EXPLORED)
    for each in learnt.values():
        assert each.late_returns.mean() < agents.exploring(careful)
        assert (each.returns <= -13).all()


def toy(rows: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Levels of five attributes that depend on each other and on a class."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, rows)
    a = rng.integers(0, 3, rows)
    b = np.where(rng.random(rows) < 0.7, a, rng.integers(0, 3, rows))
    c = (b + y + (rng.random(rows) < 0.2)) % 4
    d = np.where(rng.random(rows) < 0.5, c // 2, y)
    return np.column_stack([a, b, c, d, rng.integers(0, 2, rows)]), y, [3, 3, 4, 2, 2]


def test_the_tree_is_scipys_spanning_tree_whatever_its_root() -> None:
    from scipy.sparse.csgraph import minimum_spanning_tree

    x, y, sizes = toy()
    weights = network.information(x, y, sizes)
    theirs = minimum_spanning_tree(np.where(np.eye(5) > 0, 0, 10 - weights)).nonzero()
    expected = {frozenset(pair) for pair in zip(*map(np.ndarray.tolist, theirs), strict=True)}
    for root in range(5):
        parents = network.spanning_tree(weights, root)
        assert {frozenset((a, parent)) for a, parent in enumerate(parents) if parent >= 0} == expected
        assert parents[root] == -1


def test_conditional_mutual_information_is_scikit_learns_within_each_class() -> None:
    from sklearn.metrics import mutual_info_score

    x, y, sizes = toy()
    found = network.information(x, y, sizes)
    for a, b in ((0, 1), (2, 3), (1, 4)):
        within = [(y == k).mean() * mutual_info_score(x[y == k, a], x[y == k, b]) for k in (0, 1)]
        assert found[a, b] == pytest.approx(sum(within))
    np.testing.assert_array_equal(found, found.T)


def test_inference_equals_the_sum_over_everything_that_may_be_unknown() -> None:
    x, y, sizes = toy()
    parents = network.spanning_tree(network.information(x, y, sizes))
    tree = network.Network.fitted(x, y, sizes, parents)
    cells = np.array(list(product(*map(range, sizes))))
    joint = np.exp(tree.joint(cells))
    assert joint.sum() == pytest.approx(1)
    for known in product(*(range(-1, size) for size in sizes)):
        like = ((cells == known) | (np.array(known) == network.UNKNOWN)).all(axis=1)
        summed = joint[like].sum(axis=0)
        np.testing.assert_allclose(tree.posterior(np.array(known)), summed / summed.sum(), atol=1e-12)


def test_without_a_tree_the_network_is_scikit_learns_naive_bayes(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.naive_bayes import CategoricalNB

    monkeypatch.setattr(network, "SMOOTHING", 1e-9)
    x, y, sizes = toy()
    ours = network.Network.fitted(x, y, sizes, (-1,) * 5)
    theirs = CategoricalNB(alpha=1e-9, force_alpha=True, class_prior=ours.prior).fit(x, y)
    np.testing.assert_allclose(ours.probabilities(x), theirs.predict_proba(x), atol=1e-6)


def test_a_tree_beats_naive_bayes_where_attributes_depend_on_each_other() -> None:
    (x, y, sizes), (new, answers, _) = toy(4_000), toy(4_000, seed=1)
    parents = network.spanning_tree(network.information(x, y, sizes))
    losses = [
        -np.log(network.Network.fitted(x, y, sizes, each).probabilities(new)[np.arange(len(new)), answers]).mean()
        for each in (parents, (-1,) * 5)
    ]
    assert losses[0] < losses[1] - 0.01


def test_levels_come_from_the_rows_that_teach_and_unknown_words_are_one_more(bank: Any) -> None:
    study = rows.study(bank)
    levels, names = rows.Levels.of(study.train.features), list(study.train.features)
    assert "duration" not in names
    other = study.test.features.assign(job="astronaut")
    found, sizes = levels(other), levels.sizes(names)
    assert (found[:, names.index("job")] == sizes[names.index("job")] - 1).all()
    assert (found >= 0).all()
    assert (found < np.array(sizes)).all()


def test_models_of_the_bank_are_judged_by_scikit_learns_measures(bank: Any) -> None:
    from sklearn.metrics import log_loss, roc_auc_score

    found = classified.found(rows.study(bank))
    assert found.gap < 1e-12
    for name, each in found.probabilities.items():
        assert found.measures["log-loss"][name][0] == pytest.approx(log_loss(found.answers, each))
        assert found.measures["ROC-AUC"][name][0] == pytest.approx(roc_auc_score(found.answers, each))


def simulated(world: str, draws: int = 120) -> effects.Draws:
    clients = np.random.default_rng(5).normal(size=(3_000, 3))
    clients[:, 2] = clients[:, 2] > 0.5
    return effects.drawn(clients, effects.WORLDS[world], draws, np.random.default_rng(6))


def test_newtons_logistic_regression_and_least_squares_are_those_of_the_libraries() -> None:
    from sklearn.linear_model import LinearRegression, LogisticRegression

    draws = simulated("both models right", 3)
    everyone = np.ones_like(draws.treated)
    beta = estimators.logistic(draws.covariates, draws.treated, everyone)
    for k in range(3):
        x, t = draws.covariates[k], draws.treated[k]
        theirs = LogisticRegression(C=1e6, fit_intercept=False, tol=1e-8, max_iter=500).fit(x, t)
        np.testing.assert_allclose(beta[k], theirs.coef_[0], atol=1e-3)
        line = LinearRegression().fit(np.column_stack([t, x[:, 1:]]), draws.outcome[k])
        assert estimators.regression(draws)[0][k] == pytest.approx(line.coef_[0])


def test_where_treatment_is_by_lot_no_estimate_is_off() -> None:
    for estimate in estimators.ESTIMATORS.values():
        each = causes.Estimated(*estimate(simulated("by lot")))
        assert abs(each.bias[0]) < 0.04
        assert each.coverage[2] > 0.93


@pytest.mark.parametrize("world", ["both models right", "outcome model wrong", "assignment model wrong"])
def test_one_right_model_is_enough_for_the_doubly_robust_estimate_and_the_naive_one_is_far_off(world: str) -> None:
    draws = simulated(world)
    robust = causes.Estimated(*estimators.doubly_robust(draws))
    naive = causes.Estimated(*estimators.naive(draws))
    assert abs(robust.bias[0]) < 0.06
    assert robust.coverage[0] > 0.88
    assert naive.bias[0] > 0.4
    assert naive.coverage[0] < 0.05


def test_a_wrong_model_misleads_the_estimate_that_has_it_alone() -> None:
    line = causes.Estimated(*estimators.regression(simulated("outcome model wrong")))
    weights = causes.Estimated(*estimators.inverse_propensity(simulated("assignment model wrong")))
    both = causes.Estimated(*estimators.doubly_robust(simulated("both wrong")))
    assert all(each.coverage[0] < 0.85 for each in (line, weights, both))


def test_errors_are_as_wide_as_estimates_spread() -> None:
    draws = simulated("both models right", 200)
    for estimate in estimators.ESTIMATORS.values():
        values, errors = estimate(draws)
        assert errors.mean() == pytest.approx(values.std(), rel=0.15)


def test_a_constant_added_to_the_outcome_changes_no_estimate() -> None:
    draws = simulated("both wrong", 5)
    shifted = effects.Draws(draws.covariates, draws.treated, draws.outcome + 7)
    for estimate in estimators.ESTIMATORS.values():
        np.testing.assert_allclose(estimate(shifted), estimate(draws), atol=1e-8)


def test_hits_are_counted_from_the_highest_score_down_and_ties_are_shared() -> None:
    scores, answers = np.array([0.9, 0.5, 0.5, 0.5, 0.5, 0.1]), np.array([1, 1, 0, 0, 1, 1])
    once = np.ones((1, 6), np.int64)
    for calls, expected in ((1, 1), (3, 2), (5, 3), (6, 4)):
        assert rules.hits_at(np.array([calls]), scores, answers, once)[0] == expected
    twice = once * 2
    assert rules.hits_at(np.array([6]), scores, answers, twice)[0] == 4


def test_the_rules_precision_is_the_share_of_buyers_among_whom_it_names(bank: Any) -> None:
    study = rows.study(bank)
    each = rules.compared(study)
    named = (study.test.features["poutcome"] == "success").to_numpy()
    assert each.calls == named.sum()
    assert each.precision[rules.RULE][0] == pytest.approx(study.test.target[named].mean())
    assert each.recall[rules.RULE][0] == pytest.approx(study.test.target[named].sum() / study.test.target.sum())


def small() -> tuple[graph.Weights, graph.Task, Any]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(24, 5))
    edges = graph.neighbours(x, 3)
    task = graph.Task.of(x, graph.propagation(edges), np.array([0, 5, 11, 20]), np.array([0, 1, 2, 1]))
    return graph.Weights.drawn(5, 3, rng), task, edges


def test_the_gradient_of_graph_convolution_is_that_of_small_steps() -> None:
    weights, task, _ = small()
    loss, gradient = graph.loss_and_gradient(weights, task)
    whole = -np.log(graph.probabilities(weights, task)[task.known, task.labels]).mean()
    assert loss == pytest.approx(whole + graph.DECAY / 2 * (weights.first**2).sum())
    for part in ("first", "second"):
        values, found = getattr(weights, part), np.empty_like(getattr(weights, part))
        for place in np.ndindex(values.shape):
            ends = []
            for step in (1e-6, -1e-6):
                kept = values[place]
                values[place] += step
                ends.append(graph.loss_and_gradient(weights, task)[0])
                values[place] = kept
            found[place] = (ends[0] - ends[1]) / 2e-6
        np.testing.assert_allclose(getattr(gradient, part), found, atol=1e-8)


def test_nodes_in_another_order_get_the_same_probabilities_in_that_order() -> None:
    weights, task, edges = small()
    rng = np.random.default_rng(3)
    x, order = rng.normal(size=(24, 5)), np.random.default_rng(4).permutation(24)
    other = graph.Task.of(x[order], graph.propagation(edges[order][:, order]), task.known, task.labels)
    np.testing.assert_allclose(
        graph.probabilities(weights, other), graph.probabilities(weights, task)[order], atol=1e-12
    )


def test_the_greatest_eigenvalue_of_propagation_is_one() -> None:
    _, task, _ = small()
    values = np.linalg.eigvalsh(task.mixing.toarray())
    assert values.max() == pytest.approx(1)
    assert values.min() > -1


@pytest.mark.parametrize("times", [1, 2, 3])
def test_graph_convolution_on_a_path_is_numpys_convolution_away_from_the_ends(times: int) -> None:
    signal = np.random.default_rng(0).normal(size=30)
    expected = np.convolve(signal, graph.kernel(times), "same")
    inner = slice(times + 1, -times - 1)
    np.testing.assert_allclose(graph.along_a_line(signal, times)[inner], expected[inner], atol=1e-14)
    assert not np.allclose(graph.along_a_line(signal, times), expected)  # the ends have one neighbour less


def test_drawn_edges_are_symmetric_and_alike_as_often_as_they_should_be() -> None:
    y = np.random.default_rng(0).integers(0, planted.CLASSES, 1_000)
    found = planted.edges(y, 0.6, np.random.default_rng(1))
    one, other = found.nonzero()
    assert (found != found.T).nnz == 0
    assert not (one == other).any()
    assert (y[one] == y[other]).mean() == pytest.approx(0.6, abs=0.03)


def test_edges_that_know_the_classes_pay_and_those_that_know_nothing_cost(samples: Callable[[str], Path]) -> None:
    nodes = pictures.Nodes.of(datasets.page("fashion_mnist").load(samples("fashion_mnist")))
    gains = [mean for mean, _, _ in planted.planted(nodes).gain()]
    assert gains[0] < 0 < gains[-1]
    judged = pictures.judged(nodes)
    assert all((each > 0.2).all() for each in judged.accuracy.values())
