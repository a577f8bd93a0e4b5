"""Compared algorithms: intervals that agree with SciPy's and scikit-learn's, and end where their metric does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook.data.tables import Table
from handbook.evaluation import comparison


def test_the_ranking_begins_with_the_best_and_names_how_many_come_within_its_reach() -> None:
    facts = {
        "best": "svc_rbf",
        "scores": {
            "knn": {"accuracy": [0.85, 0.88]}, "svc_rbf": {"accuracy": [0.9, 0.91]},
            "dummy": {"accuracy": [0.5, 0.51]},
        },
        "rows": {"knn": 40, "svc_rbf": 40, "dummy": 40}, "chosen": {},
        "tried": {"svc_rbf": [
            {"C": 10.0, "gamma": "scale", "score": 0.9}, {"C": 1.0, "gamma": "scale", "score": 0.8},
            {"C": 0.1, "gamma": "auto", "score": 0.6}, {"C": 1.0, "gamma": "auto", "score": 0.7},
        ]},
        "curves": {"svc_rbf": [
            {"rows": 20, "train_log_loss": 0.1, "valid_log_loss": 0.4},
            {"rows": 40, "train_log_loss": 0.2, "valid_log_loss": 0.3},
        ]},
    }  # fmt: skip
    found = comparison.pictures(
        facts, primary="accuracy", loss="log_loss", bounds={"accuracy": (0.0, 1.0)}, label="accuracy", loss_label="loss"
    )
    ranking = found["ranking"].axes[0]
    names = [each.get_text() for each in ranking.get_yticklabels()]
    assert {names[0], names[-1]} == {"SVC RBF (40 rows)", "dummy (40 rows)"}
    assert "SVC RBF is best; 1 more come within their intervals of it" in found["ranking"].get_suptitle()
    assert "0.200 in training, 0.300 held out" in found["learning_curves"].get_suptitle()
    searched = found["validation_curves"].axes[0]
    assert searched.get_xlabel() == "C"
    lines = {line.get_label(): line.get_xydata().tolist() for line in searched.lines}
    assert lines["gamma scale"] == [[1.0, 0.8], [10.0, 0.9]]
    assert lines["gamma auto"] == [[0.1, 0.6], [1.0, 0.7]]


def test_each_algorithm_has_the_mean_of_its_own_folds() -> None:
    facts = {
        "scores": {"knn": {"accuracy": [0.5, 0.7]}, "svc": {"accuracy": [0.9, 0.9]}},
        "rows": {"knn": 10, "svc": 5}, "chosen": {"svc": {"C": 1.0}},
    }  # fmt: skip
    found = comparison.compared(facts, {"accuracy": (0.0, 1.0)})
    assert found["knn"]["accuracy"] == pytest.approx(0.6)
    assert found["knn"]["chosen"] == {}
    assert (found["svc"]["rows"], found["svc"]["chosen"]) == (5, {"C": 1.0})
    assert found["svc"]["interval"]["accuracy"] == pytest.approx([0.9, 0.9])


def test_strata_keep_the_number_of_each_class_in_every_resample() -> None:
    target = np.repeat([0, 1, 2], [50, 30, 3])

    def shares(labels: Any, _: Any) -> dict[str, float]:
        return {f"class {k}": float((labels == k).mean()) for k in range(3)}

    found = comparison.resampled(target, target, shares, True, 0)
    assert found["class 2"] == pytest.approx((3 / 83, 3 / 83))
    low, high = comparison.resampled(target, target, shares, False, 0)["class 2"]
    assert low < 3 / 83 < high


def test_the_resampled_interval_of_a_mean_is_the_normal_one() -> None:
    values = np.random.default_rng(0).normal(5, 2, 400)
    low, high = comparison.resampled(values, values, lambda y, _: {"mean": float(y.mean())}, False, 1)["mean"]
    half = 1.96 * values.std() / np.sqrt(400)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.25 * half)


def test_what_the_target_is_made_of_is_most_important_and_noise_is_worth_nothing() -> None:
    from sklearn.linear_model import LinearRegression

    rng = np.random.default_rng(0)
    features = pd.DataFrame({"noise": rng.normal(size=300), "much": rng.normal(size=300), "some": rng.normal(size=300)})
    table = Table(features, (3 * features["much"] + features["some"]).to_numpy(), ())
    model = LinearRegression().fit(features, table.target)
    names, gain, spread = comparison.importances(model, table, "r2", 0)
    assert names == ["much", "some", "noise"]
    # what a column of variance v and weight w explains is lost twice over when it is shuffled: 2 w^2 v / var(y)
    assert gain[:2] == pytest.approx([1.8, 0.2], rel=0.2)
    assert gain[2] == pytest.approx(0, abs=1e-6)
    assert (spread >= 0).all()


def test_names_are_written_as_people_write_them() -> None:
    assert comparison.display_name("svc_rbf") == "SVC RBF"
    assert comparison.capital("kNN is best") == "KNN is best"


def test_the_pruned_tree_is_drawn_in_the_attributes_own_units() -> None:
    from sklearn.tree import DecisionTreeClassifier

    from handbook.training.selection import Algorithm

    rows = pd.DataFrame({"age": np.arange(40) + 20, "job": pd.array(["a", "b"] * 20, dtype="str")})
    table = Table(rows, (rows["age"] > 45).to_numpy(np.int64), ("young", "old"))
    algorithm = Algorithm(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2]})
    figure = comparison.drawn_tree(table, algorithm, {"max_depth": 1})
    words = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert "age <= 45.5" in words
    assert "asks for age first, and has 2 leaves" in figure.axes[0].get_title()
