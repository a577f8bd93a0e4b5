"""The laws of the lab `outliers`: scores see no label, agree with scikit-learn, and find what lies apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA
from sklearn.metrics import average_precision_score, roc_auc_score

from handbook import datasets
from handbook.labs import outliers as lab
from handbook.labs.outliers import chosen, scores


@pytest.fixture(scope="module")
def halves(samples: Callable[[str], Path]) -> scores.Halves:
    return scores.Halves.of(datasets.page("credit_card_transactions").load(samples("credit_card_transactions")))


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(400, 5)) @ np.random.default_rng(1).normal(size=(5, 5))


def test_mahalanobis_distances_are_scikit_learns_and_do_not_depend_on_units(rows: np.ndarray) -> None:
    n = len(rows)
    theirs = EmpiricalCovariance().fit(rows).mahalanobis(rows[:9]) * (n - 1) / n
    np.testing.assert_allclose(scores.mahalanobis(rows, rows[:9]), theirs, rtol=1e-9)
    units = np.array([1.0, 100.0, 0.01, 7.0, 3.0])
    np.testing.assert_allclose(scores.mahalanobis(rows * units, rows[:9] * units), theirs, rtol=1e-6)


def test_errors_of_principal_components_are_scikit_learns(rows: np.ndarray) -> None:
    theirs = PCA(2).fit(rows)
    left = rows - theirs.inverse_transform(theirs.transform(rows))
    np.testing.assert_allclose(scores.principal_components(rows, rows, 2), np.square(left).sum(axis=1), atol=1e-9)


def test_halves_share_no_payment_and_are_scaled_by_the_first(halves: scores.Halves) -> None:
    first, second = halves.rows
    assert first.shape[1] == second.shape[1] == 29
    assert len(first) + len(second) == 6000
    assert len(halves.labels) == len(second)
    assert np.abs(first.mean(axis=0)).max() < 1e-4
    assert np.abs(first.std(axis=0) - 1).max() < 1e-4
    assert not {row.tobytes() for row in first} & {row.tobytes() for row in second}
    assert len(first) - len(halves.genuine) + halves.labels.sum() == 68


def test_a_map_has_a_unit_near_every_row_and_counts_all_of_them() -> None:
    x = np.random.default_rng(0).uniform(size=(2000, 2))
    nodes, hits = scores.units(x, 0)
    assert hits.sum() == 2000
    distance = np.linalg.norm(x - nodes[scores.nearest(x, nodes)], axis=1)
    assert distance.max() < 0.2
    assert scores.small_map(x, np.array([[0.5, 0.5], [3.0, 3.0]])).argmax() == 1


@pytest.mark.parametrize("name", ["mahalanobis", "small_map"])
def test_what_lies_apart_has_the_greatest_score(name: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 29)).astype(np.float32)
    x[:, 15:] = x[:, :14] + rng.normal(0, 0.1, (1500, 14))  # something to squeeze
    apart = x[:1].copy()
    apart[0, 15:] = -3 * np.sign(apart[0, :14])  # each value usual, and the whole not
    new = np.vstack([x[1:200], apart])
    score = {
        "mahalanobis": lambda: scores.mahalanobis(x, new),
        "small_map": lambda: scores.small_map(x, new),
    }[name]()
    assert score.argmax() == len(new) - 1


def test_every_score_of_all_attributes_beats_chance_on_the_drawn_sample(halves: scores.Halves) -> None:
    # of independent attributes no eight are greater, and twenty neighbours of a sample that has none say nothing
    by_chance = ("amount alone", "principal components", "local outlier factor")
    for name, (areas, bounds) in scores.judged(halves).items():
        if name not in by_chance:
            assert areas["roc_auc"] > 0.75, name
        assert bounds["roc_auc"][0] <= areas["roc_auc"] <= bounds["roc_auc"][1]


def test_checks_name_every_score_with_its_bounds(halves: scores.Halves, samples: Callable[[str], Path]) -> None:
    facts = lab.checks(datasets.page("credit_card_transactions").load(samples("credit_card_transactions")))
    for name in scores.scored(halves):
        for area in scores.AREAS:
            assert facts[f"{name}: {area}, low"] <= facts[f"{name}: {area}"] <= facts[f"{name}: {area}, high"]


def test_settings_are_chosen_by_the_first_half_and_the_second_half_changes_none(
    halves: scores.Halves, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, tried = chosen.chosen(halves), scores.tried
    monkeypatch.setattr(scores, "tried", lambda _, name: tried(halves, name))  # of the same rows, and not once more
    other = dataclasses.replace(halves, answers=np.flip(halves.labels).tobytes())
    assert chosen.chosen(other).settings == found.settings
    assert chosen.chosen(other).rival == found.rival
    assert found.rival != chosen.MAP
    assert set(found.settings) == set(scores.FAMILIES)


def test_what_is_chosen_is_judged_as_scikit_learn_judges_it(halves: scores.Halves) -> None:
    found, n = chosen.chosen(halves), len(halves.rows[0])
    for name, setting in found.settings.items():
        kept = scores.tried(halves, name)[setting][n:]
        assert found.interval("roc_auc", name)[0] == pytest.approx(roc_auc_score(halves.labels, kept))
        value, low, high = found.interval("average_precision", name)
        assert value == pytest.approx(average_precision_score(halves.labels, kept))
        assert low <= value <= high
    ahead = found.interval("roc_auc", chosen.MAP)[0] - found.interval("roc_auc", found.rival)[0]
    assert found.lead("roc_auc")[0] == pytest.approx(ahead)
