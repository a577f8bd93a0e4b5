"""A record as MLflow is given it: flat names, no metric lost, and a card that says what is a sample."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from handbook.registry import mlflow_run

METRICS = {
    "accuracy": 0.9, "per_class": {"T-shirt/top": {"f1": 0.8}}, "interval": {"accuracy": [0.85, 0.95]},
    "rivals": {"forest, 100": [0.8, 0.7, 0.9]},
    "baseline": {"accuracy": 0.1}, "book": {}, "finding": "good", "threshold": None, "algorithms": {"knn": {"f1": 1.0}},
}  # fmt: skip


def test_every_number_is_logged_once_by_a_name_that_mlflow_takes() -> None:
    found = mlflow_run.as_logged(METRICS)
    assert found == {
        "accuracy": 0.9, "per_class.T-shirt-top.f1": 0.8, "interval.accuracy.low": 0.85, "interval.accuracy.high": 0.95,
        "rivals.forest- 100.value": 0.8, "rivals.forest- 100.low": 0.7, "rivals.forest- 100.high": 0.9,
        "baseline.accuracy": 0.1,
    }  # fmt: skip
    assert all(re.fullmatch(r"[\w .\-]+", name) for name in found)


def card(data: str, **more: Any) -> str:
    case: Any = SimpleNamespace(name="toy", page=SimpleNamespace(PRIMARY="accuracy", __doc__="A toy."))
    entry = {"dataset": "iris", "data": data, "git": "none", "expectations": {"number": 3}, **more}
    return mlflow_run.model_card(case, entry, METRICS, {"epochs": 2, "seconds": 1.5, "device": "cpu"})


@pytest.mark.parametrize(("data", "warned"), [("sample", True), ("real", False)])
def test_a_card_warns_of_what_was_made_from_a_sample_and_of_nothing_else(data: str, warned: bool) -> None:
    assert ("not a result, and not for use" in card(data)) == warned
    assert "0.9000 on the test set (95 % interval 0.8500 to 0.9500); the trivial baseline has 0.1000." in card(data)


def test_the_form_is_said_where_it_is_known() -> None:
    assert "iris (real, part)" in card("real", form="part")
    assert mlflow_run.form_of({"form": None}) == mlflow_run.form_of({}) == {}
