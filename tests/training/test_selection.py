"""Comparing algorithms: the same folds for all, and choices that no judging row has seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import KNeighborsClassifier

from handbook.data.tables import Table
from handbook.training import selection
from handbook.training.selection import Algorithm, Contest

RNG = np.random.default_rng(0)
X = pd.DataFrame({"x": RNG.normal(size=60), "y": RNG.normal(size=60)})
TABLE = Table(X, (X["x"] > 0).to_numpy(np.int64), ("left", "right"))
KNN = Algorithm(KNeighborsClassifier(), {"n_neighbors": [1, 5]})


def right(target: Any, answers: Any) -> dict[str, float]:
    accuracy = float((target == answers).mean())
    return {"accuracy": accuracy, "error": 1 - accuracy}


CONTEST = Contest(
    TABLE, n_folds=3, inner_folds=2, slow_rows=20, seed=0, scoring="accuracy",
    answer=lambda model, features: model.predict(features), measure=right,
)  # fmt: skip


def test_every_row_judges_once_and_the_folds_are_the_same_at_every_call() -> None:
    one, other = list(CONTEST.parts()), list(CONTEST.parts())
    assert sorted(np.concatenate([valid for _, valid in one])) == list(range(60))
    for (train, valid), (again, _) in zip(one, other, strict=True):
        assert not set(train) & set(valid)
        np.testing.assert_array_equal(train, again)


def test_nested_scores_agree_with_scikit_learns() -> None:
    from sklearn.model_selection import GridSearchCV, cross_val_score

    model = selection.pipeline(TABLE, KNN.estimator)
    search = GridSearchCV(model, {"model__n_neighbors": [1, 5]}, cv=CONTEST.folds(2))
    theirs = cross_val_score(search, TABLE.features, TABLE.target, cv=CONTEST.folds())
    assert selection.cross_validated(CONTEST, KNN).scores["accuracy"] == pytest.approx(theirs.tolist())


def test_a_subsample_is_part_of_the_rows_with_the_same_shares_of_classes() -> None:
    rows = np.arange(10, 60)
    some = CONTEST.subsample(rows, 20)
    assert len(some) == len(set(some)) == 20
    assert set(some) <= set(rows)
    assert TABLE.target[some].mean() == pytest.approx(TABLE.target[rows].mean(), abs=0.05)
    assert CONTEST.subsample(rows, 50) is rows


def test_the_best_is_fitted_on_all_rows_and_its_curve_ends_with_the_scores_of_the_folds() -> None:
    found = selection.compare(
        CONTEST, {"nothing": Algorithm(DummyClassifier()), "knn": KNN},
        primary="accuracy", loss="error", shares=(0.5, 1.0), plainest="nothing",
    )  # fmt: skip
    assert found.best == "knn"
    assert len(found.estimator.named_steps["model"]._fit_X) == 60
    assert found.estimator.named_steps["model"].n_neighbors == found.facts["chosen"]["knn"]["n_neighbors"]
    assert set(found.facts["curves"]) == {"knn", "nothing"}
    end = found.facts["curves"]["nothing"][-1]
    assert end["valid_accuracy"] == pytest.approx(np.mean(found.facts["scores"]["nothing"]["accuracy"]))
    assert [row["rows"] for row in found.history] == [20, 40]
