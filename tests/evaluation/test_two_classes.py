"""Two classes: what mistakes cost, and a threshold that costs least on rows that were not learnt from."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook.contract import Split
from handbook.data.partition import Task
from handbook.data.tables import Table
from handbook.evaluation import two_classes

TASK = Task(
    seed=0, split_seed=4, test_share=0.3, validation_share=0.2, leave_out=(), threshold=None, false_negative=5.0,
    false_positive=1.0,
)  # fmt: skip


def table(n: int, seed: int) -> Table:
    """Rows with a score x; the higher it is, the likelier the second class."""
    rng = np.random.default_rng(seed)
    x = rng.random(n)
    return Table(pd.DataFrame({"x": x}), (rng.random(n) < x).astype(np.int64), ("no", "yes"))


def probabilities(features: pd.DataFrame) -> Any:
    return features["x"].to_numpy()


@pytest.fixture(scope="module")
def report() -> Any:
    test = table(400, 1)
    model = SimpleNamespace(params=TASK, facts={"threshold": 0.25}, history_=[{"epoch": 1, "train_loss": 0.5}])
    return two_classes.judge(model, probabilities(test.features), Split(table(300, 2), None, test))


def test_the_threshold_is_the_given_one_or_where_mistakes_cost_least() -> None:
    valid = table(4000, 0)
    assert two_classes.threshold(dataclasses.replace(TASK, threshold=0.7), valid, probabilities) == 0.7
    assert two_classes.threshold(TASK, None, probabilities) == 0.5
    # calling costs (1 - p), not calling 5 p: calling is the cheaper from p = 1/6 on (Elkan 2001)
    assert two_classes.threshold(TASK, valid, probabilities) == pytest.approx(1 / 6, abs=0.08)


def test_accuracy_lies_within_its_interval_which_is_that_of_so_many_rows(report: Any) -> None:
    low, high = report.interval["accuracy"]
    share = report.metrics["accuracy"]
    assert low < share < high
    assert high - low == pytest.approx(2 * 1.96 * (share * (1 - share) / 400) ** 0.5, rel=0.15)


def test_the_costs_are_those_counted_by_hand(report: Any) -> None:
    test = table(400, 1)
    called = probabilities(test.features) >= 0.25
    cost = sum(5.0 * (y and not c) + 1.0 * (c and not y) for y, c in zip(test.target, called, strict=True)) / 400
    assert report.metrics["cost_per_row"] == pytest.approx(cost)
    nobody, all_of_them = 5 * test.target.mean(), (1 - test.target).mean()
    assert report.baseline["cost_per_row"] == pytest.approx(min(nobody, all_of_them))


def test_the_table_of_confusions_counts_what_the_metrics_say(report: Any) -> None:
    rows = pd.DataFrame(report.tables["confusion"])
    hits = ((rows["actual"] == "yes") & (rows["predicted"] == "yes")).sum()
    assert hits / (rows["actual"] == "yes").sum() == pytest.approx(report.metrics["recall"])
    assert hits / (rows["predicted"] == "yes").sum() == pytest.approx(report.metrics["precision"])
    assert f"finds {report.metrics['recall']:.1%} of the buyers" in report.finding


def test_who_calls_everybody_finds_everybody_and_is_no_better_than_chance(report: Any) -> None:
    shares = [row["share_found"] for row in report.tables["gain"]]
    assert shares == sorted(shares)
    assert report.tables["gain"][-1] == {"share_called": 1.0, "share_found": 1.0, "lift": 1.0}
    assert report.tables["gain"][0]["lift"] > 1.2


def test_an_ensemble_is_judged_by_its_mean_and_says_what_a_member_alone_is_worth() -> None:
    from sklearn.metrics import roc_auc_score

    test, rng = table(400, 1), np.random.default_rng(0)
    members = np.clip(test.features["x"].to_numpy() + rng.normal(0, 0.4, (5, 400)), 0, 1)
    model = SimpleNamespace(params=TASK, facts={"threshold": 0.25}, history_=[{"epoch": 1, "train_loss": 0.5}])
    found = two_classes.judge_members(model, members, Split(table(300, 2), None, test))
    alone = float(np.mean([roc_auc_score(test.target, each) for each in members]))
    assert found.metrics["member_roc_auc"] == pytest.approx(alone)
    assert found.metrics["roc_auc"] == pytest.approx(roc_auc_score(test.target, members.mean(axis=0)))
    assert found.metrics["roc_auc"] > alone
    assert f"a member alone {alone:.4f}" in found.finding


def test_an_answer_is_a_label_its_name_and_a_chance() -> None:
    found = two_classes.predictions(np.array([0.2, 0.5, 0.9]), 0.5, ["no", "yes"])
    assert found["label"].tolist() == [0, 1, 1]
    assert found["name"].tolist() == ["no", "yes", "yes"]
    assert found["probability"].tolist() == [0.2, 0.5, 0.9]
