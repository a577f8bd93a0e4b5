"""Metrics: equal to independent implementations, and invariant where they must be; what a threshold costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from handbook.errors import HandbookError
from handbook.evaluation import metrics as measured
from handbook.evaluation.metrics import bootstrap, calibration, classification, expected_calibration_error, majority

CLASSES = ("a", "b", "c", "d")
SCORES = [0.81, 0.84, 0.79, 0.9, 0.86]


@pytest.fixture
def scores() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 500)
    logits = rng.normal(size=(500, 4)) + 1.5 * np.eye(4)[labels]
    return labels, torch.from_numpy(logits).softmax(dim=1).numpy()


def test_metrics_agree_with_torchmetrics(scores: tuple[Any, Any]) -> None:
    from torchmetrics.functional.classification import multiclass_accuracy, multiclass_f1_score

    labels, probabilities = scores
    metrics, _ = classification(labels, probabilities, CLASSES, np.random.default_rng(0))
    target, given_ = torch.from_numpy(labels), torch.from_numpy(probabilities)
    accuracy = multiclass_accuracy(given_, target, 4, average="micro")
    assert metrics["accuracy"] == pytest.approx(float(accuracy))
    assert metrics["f1"] == pytest.approx(float(multiclass_f1_score(given_, target, 4, average="macro")))
    assert metrics["log_loss"] == pytest.approx(float(torch.nn.functional.nll_loss(given_.log(), target)))


def test_the_calibration_error_agrees_with_torchmetrics(scores: tuple[Any, Any]) -> None:
    from torchmetrics.functional.classification import multiclass_calibration_error

    labels, probabilities = scores
    theirs = multiclass_calibration_error(torch.from_numpy(probabilities), torch.from_numpy(labels), 4, n_bins=15)
    assert expected_calibration_error(labels, probabilities) == pytest.approx(float(theirs), abs=1e-6)


def test_a_perfectly_calibrated_guess_has_no_calibration_error() -> None:
    labels = np.array([0, 0, 0, 1])
    assert expected_calibration_error(labels, np.tile([0.75, 0.25], (4, 1))) == pytest.approx(0)


@given(st.integers(2, 40), st.integers(0, 1000))
def test_calibration_bins_hold_every_prediction(samples: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(3), samples)
    confidence, accuracy, count = calibration(rng.integers(0, 3, samples), probabilities)
    assert count.sum() == samples
    assert np.average(confidence, weights=count) == pytest.approx(probabilities.max(axis=1).mean())
    assert ((accuracy >= 0) & (accuracy <= 1)).all()


def test_the_order_of_the_samples_changes_no_metric(scores: tuple[Any, Any]) -> None:
    labels, probabilities = scores
    turned = np.random.default_rng(1).permutation(len(labels))
    first, _ = classification(labels, probabilities, CLASSES, np.random.default_rng(0))
    second, _ = classification(labels[turned], probabilities[turned], CLASSES, np.random.default_rng(0))
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


def test_the_interval_of_a_mean_of_few_is_that_of_students_test() -> None:
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(0).normal(3, 2, 6)
    bounds = ttest_1samp(values, 0).confidence_interval()
    assert measured.mean_interval(values) == pytest.approx((values.mean(), bounds.low, bounds.high))


def test_the_interval_over_folds_is_students_widened_for_folds_that_overlap() -> None:
    from scipy.stats import sem, t

    low, high = measured.fold_interval(SCORES)
    plain = t.interval(0.95, len(SCORES) - 1, loc=np.mean(SCORES), scale=sem(SCORES))
    wider = np.sqrt(1 + len(SCORES) / (len(SCORES) - 1))  # 1/n + n_test/n_train, of 1/n (Nadeau and Bengio 2003)
    assert (low + high) / 2 == pytest.approx(np.mean(SCORES))
    assert high - low == pytest.approx(wider * (plain[1] - plain[0]))


def test_an_interval_over_folds_ends_where_the_metric_does_and_scales_with_its_unit() -> None:
    assert measured.fold_interval([0.9, 1.0, 0.7], 0.0, 1.0)[1] == 1.0
    assert measured.fold_interval([0.1, 0.0, 0.3], 0.0, 1.0)[0] == 0.0
    low, high = measured.fold_interval(SCORES)
    assert measured.fold_interval([3 + 2 * x for x in SCORES]) == pytest.approx((3 + 2 * low, 3 + 2 * high))


def test_intervals_over_seeds_hold_the_mean_as_often_as_they_say() -> None:
    draws = np.random.default_rng(0).normal(2.0, 1.0, (2000, 5))
    held = np.mean([low <= 2.0 <= high for _, low, high in map(measured.mean_interval, draws)])
    assert 0.935 < held < 0.965
    with pytest.raises(ValueError, match="2 seeds or more"):
        measured.mean_interval([0.5])


def test_a_class_that_is_missing_from_the_test_set_breaks_nothing() -> None:
    labels = np.array([0, 1, 1, 0])
    metrics, _ = classification(labels, np.full((4, 4), 0.25), CLASSES, np.random.default_rng(0))
    assert metrics["per_class"]["d"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}


def test_the_trivial_classifier_scores_its_share() -> None:
    train, test = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1])
    baseline = majority(test, train, 2)
    assert baseline["accuracy"] == 0.25
    assert baseline["log_loss"] == pytest.approx(-(np.log(0.75) + 3 * np.log(0.25)) / 4)


@pytest.fixture
def scored() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    labels = (rng.random(2000) < 0.2).astype(np.int64)
    scores = 1 / (1 + np.exp(-(1.5 * labels + rng.normal(size=2000) - 2)))
    return labels, np.round(scores, 2)  # rounded: ties


def test_areas_agree_with_torchmetrics(scored: tuple[Any, Any]) -> None:
    from torchmetrics.functional.classification import binary_auroc, binary_average_precision

    labels, scores = scored
    metrics, interval = measured.binary(labels, scores, np.random.default_rng(0))
    given, wanted = torch.from_numpy(scores), torch.from_numpy(labels)
    assert metrics["roc_auc"] == pytest.approx(float(binary_auroc(given, wanted)))
    assert metrics["average_precision"] == pytest.approx(float(binary_average_precision(given, wanted)))
    for name, (low, high) in interval.items():
        assert low < metrics[name] < high


def test_a_resample_of_all_rows_once_has_the_areas_of_scikit_learn(scored: tuple[Any, Any]) -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    class Once:
        def integers(self, low: int, high: int, size: int) -> Any:
            return np.arange(size)

    labels, scores = scored
    ((roc, average),) = measured._resampled_areas(labels, scores, Once(), 1)  # type: ignore[arg-type]
    assert roc == pytest.approx(roc_auc_score(labels, scores))
    assert average == pytest.approx(average_precision_score(labels, scores))


def test_no_threshold_costs_less_than_the_chosen_one(scored: tuple[Any, Any]) -> None:
    labels, scores = scored

    def cost(threshold: float) -> float:
        called = scores >= threshold
        return float(5 * ((labels == 1) & ~called).sum() + ((labels == 0) & called).sum())

    chosen = measured.threshold_by_cost(labels, scores, 5.0, 1.0)
    assert cost(chosen) == min(cost(each) for each in [*np.unique(scores), 2.0])
    assert measured.threshold_by_cost(1 - labels, scores, 1e-9, 1.0) > scores.max()
    only = np.array([0, 0, 1])  # calling it costs nothing, calling nobody costs one
    assert measured.threshold_by_cost(only, np.array([0.1, 0.2, 0.3]), 1.0, 10.0) == 0.3
    tied = np.array([0.3, 0.3, 0.1])  # whoever calls the first calls the second in vain
    assert measured.threshold_by_cost(only[::-1], tied, 1.0, 10.0) > 0.3


def test_gains_rise_from_nothing_to_all_and_chance_is_the_diagonal(scored: tuple[Any, Any]) -> None:
    labels, scores = scored
    called, found = measured.gains(labels, scores)
    assert (found[0], found[-1]) == (0, 1)
    assert (np.diff(found) >= 0).all()
    np.testing.assert_allclose(measured.gains(labels, np.zeros(len(labels)))[1], called, atol=1e-12)
    assert measured.lift(labels, labels.astype(float), labels.mean()) == pytest.approx(1 / labels.mean())


def test_the_trivial_baseline_is_what_a_constant_scores(scored: tuple[Any, Any]) -> None:
    labels, _ = scored
    same = np.full(len(labels), labels.mean())
    metrics, _ = measured.binary(labels, same, np.random.default_rng(0), resamples=2)
    base = measured.prevalence(labels, labels)
    assert {name: metrics[name] for name in base} == pytest.approx(base)


def test_one_class_cannot_be_judged() -> None:
    with pytest.raises(HandbookError, match=r"expected labels of both classes, 0 and 1, found \[1\]"):
        measured.binary(np.ones(5, np.int64), np.linspace(0, 1, 5), np.random.default_rng(0))


def test_scores_that_are_no_probabilities_get_no_log_loss(scored: tuple[Any, Any]) -> None:
    labels, scores = scored
    metrics, _ = measured.binary(labels, 10 * scores, np.random.default_rng(0))
    assert "log_loss" not in metrics
    assert metrics["roc_auc"] > 0.5
