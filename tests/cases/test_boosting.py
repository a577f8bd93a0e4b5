"""The boosted trees' own laws: each member holds out another fold, and the threshold is chosen by those alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from handbook import datasets
from handbook.cases import boosting
from handbook.evaluation.metrics import threshold_by_cost
from handbook.project import Project
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def trained(samples: Any) -> tuple[Any, Any]:
    case = Project(ROOT).case("boosting_before_call")
    params = dataclasses.replace(case.params, members=3, max_iter=8, learning_rate=0.3)
    split = boosting.split(datasets.page("bank_marketing").load(samples("bank_marketing")), params)
    return boosting.fit(split, params), split


def test_the_threshold_is_chosen_by_what_each_row_was_given_by_the_member_that_had_not_seen_it(
    trained: tuple[Any, Any],
) -> None:
    model, split = trained
    rows, p = split.development, model.params
    given = boosting.member_probabilities(model, rows.features)
    held_out = np.full(len(rows), np.nan)
    folds = StratifiedKFold(p.members, shuffle=True, random_state=p.seed).split(given[0], rows.target)
    for member, (_, other) in zip(given, folds, strict=True):
        assert np.isnan(held_out[other]).all()  # no row is held out twice
        held_out[other] = member[other]
    assert np.isfinite(held_out).all()
    assert model.facts["threshold"] == threshold_by_cost(rows.target, held_out, p.false_negative, p.false_positive)


def test_the_answer_is_the_mean_of_members_that_differ(trained: tuple[Any, Any]) -> None:
    model, split = trained
    rows = split.test.features
    each = boosting.member_probabilities(model, rows)
    assert each.shape == (3, len(rows))
    assert each.std(axis=0).max() > 0
    np.testing.assert_array_equal(boosting.probabilities(model, rows), each.mean(axis=0))
    report = boosting.evaluate(model, split)
    assert report.metrics["roc_auc"] > report.metrics["member_roc_auc"] > 0.5
    assert "The mean of 3 members" in report.finding


def test_the_history_is_that_of_the_rounds_that_all_members_had(trained: tuple[Any, Any]) -> None:
    model, _ = trained
    rounds = min(member.n_iter_ for member in model.estimator)
    assert [row["epoch"] for row in model.history_] == list(range(rounds + 1))
    assert model.history_[0]["train_loss"] > model.history_[-1]["train_loss"]
    first = np.mean([-member.validation_score_[0] for member in model.estimator])
    assert model.history_[0]["valid_loss"] == pytest.approx(first)


def test_one_member_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="members must be 2 or more, found 1"):
        dataclasses.replace(Project(ROOT).case("boosting").params, members=1)
