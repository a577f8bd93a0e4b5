"""Metrics: equal to independent implementations, and invariant where they must be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from handbook.evaluation import bootstrap, calibration, classification, expected_calibration_error, majority

CLASSES = ("a", "b", "c", "d")


@pytest.fixture
def scores() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 500)
    logits = rng.normal(size=(500, 4)) + 1.5 * np.eye(4)[labels]
    return labels, torch.from_numpy(logits).softmax(dim=1).numpy()


def test_metrics_agree_with_torchmetrics(scores: tuple[Any, Any]) -> None:
    from torchmetrics.functional.classification import multiclass_accuracy, multiclass_f1_score

    labels, chances = scores
    metrics, _ = classification(labels, chances, CLASSES, np.random.default_rng(0))
    target, given_ = torch.from_numpy(labels), torch.from_numpy(chances)
    accuracy = multiclass_accuracy(given_, target, 4, average="micro")
    assert metrics["accuracy"] == pytest.approx(float(accuracy))
    assert metrics["f1"] == pytest.approx(float(multiclass_f1_score(given_, target, 4, average="macro")))
    assert metrics["log_loss"] == pytest.approx(float(torch.nn.functional.nll_loss(given_.log(), target)))


def test_the_calibration_error_agrees_with_torchmetrics(scores: tuple[Any, Any]) -> None:
    from torchmetrics.functional.classification import multiclass_calibration_error

    labels, chances = scores
    theirs = multiclass_calibration_error(torch.from_numpy(chances), torch.from_numpy(labels), 4, n_bins=15)
    assert expected_calibration_error(labels, chances) == pytest.approx(float(theirs), abs=1e-6)


def test_a_perfectly_calibrated_guess_has_no_calibration_error() -> None:
    labels = np.array([0, 0, 0, 1])
    assert expected_calibration_error(labels, np.tile([0.75, 0.25], (4, 1))) == pytest.approx(0)


@given(st.integers(2, 40), st.integers(0, 1000))
def test_calibration_bins_hold_every_prediction(samples: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(3), samples)
    confidence, accuracy, count = calibration(rng.integers(0, 3, samples), chances)
    assert count.sum() == samples
    assert np.average(confidence, weights=count) == pytest.approx(chances.max(axis=1).mean())
    assert ((accuracy >= 0) & (accuracy <= 1)).all()


def test_the_order_of_the_samples_changes_no_metric(scores: tuple[Any, Any]) -> None:
    labels, chances = scores
    turned = np.random.default_rng(1).permutation(len(labels))
    first, _ = classification(labels, chances, CLASSES, np.random.default_rng(0))
    second, _ = classification(labels[turned], chances[turned], CLASSES, np.random.default_rng(0))
    assert first["per_class"] == second["per_class"]
    assert first["log_loss"] == pytest.approx(second["log_loss"])


def test_the_interval_of_a_share_is_the_binomial_one() -> None:
    hits = np.arange(1000) < 900
    low, high = bootstrap(hits, np.random.default_rng(0))
    spread = 1.96 * np.sqrt(0.9 * 0.1 / 1000)
    assert low == pytest.approx(0.9 - spread, abs=0.003)
    assert high == pytest.approx(0.9 + spread, abs=0.003)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = sum(low <= 0.7 <= high for low, high in (bootstrap(rng.random(200) < 0.7, rng, 400) for _ in range(200)))
    assert 178 <= covered <= 199  # 95 % of 200, with three standard deviations of play


def test_a_class_that_is_missing_from_the_test_set_breaks_nothing() -> None:
    labels = np.array([0, 1, 1, 0])
    metrics, _ = classification(labels, np.full((4, 4), 0.25), CLASSES, np.random.default_rng(0))
    assert metrics["per_class"]["d"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}


def test_the_trivial_classifier_scores_its_share() -> None:
    train, test = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1])
    baseline = majority(test, train, 2)
    assert baseline["accuracy"] == 0.25
    assert baseline["log_loss"] == pytest.approx(-(np.log(0.75) + 3 * np.log(0.25)) / 4)
