"""Rows of two classes as numbers, what a threshold costs, and metrics against independent implementations."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from handbook import binary, evaluation, gate, ledger, storage
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.tables import Table
from tests.conftest import ROOT

CALLS = pd.DataFrame(
    {
        "age": [30, 40, 50, 60],
        "same": [7, 7, 7, 7],
        "month": pd.array(["may", "jan", "dec", "may"], dtype="str"),
        "day": [1, 15, 31, 2],
    }
)


@pytest.fixture
def scored() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    labels = (rng.random(2000) < 0.2).astype(np.int64)
    scores = 1 / (1 + np.exp(-(1.5 * labels + rng.normal(size=2000) - 2)))
    return labels, np.round(scores, 2)  # rounded: ties


def test_areas_agree_with_torchmetrics(scored: tuple[Any, Any]) -> None:
    from torchmetrics.functional.classification import binary_auroc, binary_average_precision

    labels, scores = scored
    metrics, interval = evaluation.binary(labels, scores, np.random.default_rng(0))
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
    ((roc, average),) = evaluation._resampled_areas(labels, scores, Once(), 1)  # type: ignore[arg-type]
    assert roc == pytest.approx(roc_auc_score(labels, scores))
    assert average == pytest.approx(average_precision_score(labels, scores))


def test_no_threshold_costs_less_than_the_chosen_one(scored: tuple[Any, Any]) -> None:
    labels, scores = scored

    def cost(threshold: float) -> float:
        called = scores >= threshold
        return float(5 * ((labels == 1) & ~called).sum() + ((labels == 0) & called).sum())

    chosen = evaluation.threshold_by_cost(labels, scores, 5.0, 1.0)
    assert cost(chosen) == min(cost(each) for each in [*np.unique(scores), 2.0])
    assert evaluation.threshold_by_cost(1 - labels, scores, 1e-9, 1.0) > scores.max()


def test_gains_rise_from_nothing_to_all_and_chance_is_the_diagonal(scored: tuple[Any, Any]) -> None:
    labels, scores = scored
    called, found = evaluation.gains(labels, scores)
    assert (found[0], found[-1]) == (0, 1)
    assert (np.diff(found) >= 0).all()
    np.testing.assert_allclose(evaluation.gains(labels, np.zeros(len(labels)))[1], called, atol=1e-12)
    assert evaluation.lift(labels, labels.astype(float), labels.mean()) == pytest.approx(1 / labels.mean())


def test_the_trivial_baseline_is_what_a_constant_scores(scored: tuple[Any, Any]) -> None:
    labels, _ = scored
    same = np.full(len(labels), labels.mean())
    metrics, _ = evaluation.binary(labels, same, np.random.default_rng(0), resamples=2)
    base = evaluation.prevalence(labels, labels)
    assert {name: metrics[name] for name in base} == pytest.approx(base)


def test_one_class_cannot_be_judged() -> None:
    with pytest.raises(HandbookError, match=r"expected labels of both classes, 0 and 1, found \[1\]"):
        evaluation.binary(np.ones(5, np.int64), np.linspace(0, 1, 5), np.random.default_rng(0))


def test_scores_that_are_no_chances_get_no_log_loss(scored: tuple[Any, Any]) -> None:
    labels, scores = scored
    metrics, _ = evaluation.binary(labels, 10 * scores, np.random.default_rng(0))
    assert "log_loss" not in metrics
    assert metrics["roc_auc"] > 0.5


def test_an_encoding_survives_json_and_the_order_of_columns() -> None:
    rows = binary.dated(CALLS)
    for how in (binary.scales(rows, {"age": 2.0}, 0.5), binary.codes(rows)):
        kept = json.loads(json.dumps(how, sort_keys=True))
        turned = rows[list(rows)[::-1]]
        np.testing.assert_array_equal(binary.encoded(rows, how), binary.encoded(turned, kept))


def test_a_constant_column_becomes_nought_and_a_weight_is_a_deviation() -> None:
    rows = pd.DataFrame({"x": np.random.default_rng(0).lognormal(size=5000), "same": 7})
    same, x = binary.encoded(rows, binary.scales(rows, {"x": 2.0})).T
    assert (same == 0).all()
    assert (x.mean(), x.std()) == pytest.approx((0, 2), abs=1e-9)
    assert (np.argsort(x[:50], kind="stable") == np.argsort(rows["x"][:50], kind="stable")).mean() > 0.9


def test_an_unknown_word_is_none_of_the_known_or_the_middle() -> None:
    strange = CALLS.assign(month=pd.array(["no such"] * 4, dtype="str"))
    onehot = binary.encoded(strange, binary.scales(CALLS[["month"]], {}))
    assert (onehot == 0).all()
    assert (binary.encoded(strange, binary.codes(CALLS[["month"]])) == 0).all()
    assert np.isnan(binary.numbered(strange, {"month": ["dec", "jan", "may"]})).all()
    assert binary.dated(strange)["day_of_year"].notna().all()


def test_the_book_codes_words_by_the_alphabet_and_standardises() -> None:
    from sklearn.preprocessing import LabelEncoder, StandardScaler

    table = CALLS.assign(month=LabelEncoder().fit_transform(CALLS["month"]))
    theirs = StandardScaler().fit_transform(table[sorted(table)])
    np.testing.assert_allclose(binary.encoded(CALLS, binary.codes(CALLS)), theirs, atol=1e-12)


def test_a_row_is_learnt_from_or_chosen_by_or_judged_by() -> None:
    task = Project(ROOT).case("boosting").params
    rows = pd.DataFrame({"duration": np.arange(300), "age": 1})
    part = binary.parts(Table(rows, np.arange(300) % 2, ("no", "yes")), task)
    assert part.choose is not None
    used = [set(each.features["duration"]) for each in (part.learn, part.choose, part.test)]
    assert sum(map(len, used)) == len(set.union(*used)) == 300
    assert len(part.test) == 99
    with pytest.raises(ValueError, match="no column 'no such'"):
        binary.parts(Table(rows, np.arange(300) % 2, ("no", "yes")), dataclasses.replace(task, leave_out=("no such",)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_share": 1.0}, "shares must be"),
        ({"validation_share": 0.0}, "threshold: null is chosen"),
        ({"false_negative": 0.0}, "costs must be above 0"),
    ],
)
def test_a_task_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(Project(ROOT).case("rbf").params, **change)


def test_an_example_of_rows_is_kept_with_its_types() -> None:
    kept = json.loads(json.dumps(ledger.plain_of(CALLS), sort_keys=True))
    pd.testing.assert_frame_equal(ledger.frame_of(kept), CALLS)
    pictures = np.zeros((2, 3), np.uint8)
    assert ledger.frame_of(ledger.plain_of(pictures)).dtype == np.uint8


def test_an_estimator_of_a_type_that_nobody_reviewed_is_not_loaded(tmp_path: Any) -> None:
    import types

    from sklearn.preprocessing import FunctionTransformer

    page = types.SimpleNamespace(__name__="page", TRUSTED=("functools.partial",))
    storage.save(storage.Fitted(FunctionTransformer(print), None, {}), tmp_path / "bad")
    with pytest.raises(HandbookError, match=r"types that nobody has reviewed: builtins\.print"):
        storage.load(page, None, tmp_path / "bad")  # type: ignore[arg-type]


def test_of_an_error_the_lower_is_the_better() -> None:
    import types

    case = types.SimpleNamespace(page=types.SimpleNamespace(LOWER_IS_BETTER=True))
    assert gate.better(case, 1.0, 2.0)  # type: ignore[arg-type]
    case.page.LOWER_IS_BETTER = False
    assert gate.better(case, 2.0, 1.0)  # type: ignore[arg-type]
