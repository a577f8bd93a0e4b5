"""Ranges: what is wrong is named, and a suggestion is what is tried."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.sweeps import ranges
from tests.conftest import ROOT
from tests.sweeps.toys import RANGES, asking

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


@pytest.mark.parametrize(
    ("block", "reported"),
    [
        ({"learning_rat": [0.1, 0.2]}, r"no parameter 'learning_rat'; .*did you mean learning_rate"),
        ({"dropout": [0.6, 0.1]}, r"sweeps.mlp.dropout: low must be below high, found 0.6 and 0.1"),
        ({"dropout": {"low": 0.0, "high": 0.5, "log": True}}, "a logarithmic range begins above 0, found 0.0"),
        ({"dropout": [0.4, 0.5]}, "0.1 is today's value, and not between 0.4 and 0.5"),
        ({"dropout": [0.1]}, r"expected \[low, high\]"),
        ({"dropout": {"low": 0.1, "high": 0.5, "lgo": True}}, "no key 'lgo'; choose from high, log, low"),
        ({"dropout": {"low": "a little", "high": 0.5}}, "expected float, found 'a little'"),
        ({"batch_size": [64, 1000.5]}, "sweeps.mlp.batch_size.high: expected int, found 1000.5"),
        ({"batch_size": {"choices": [512, "many"]}}, "expected int, found 'many'"),
        ({"batch_size": {"choices": [512]}}, "expected two choices or more"),
        ({"hidden": [1, 2]}, "hidden is no number; list what may be tried"),
        ({"seed": [0, 100]}, "seed decides which rows train and which judge"),
        ({"trials": 0, "dropout": [0.0, 0.5]}, "sweeps.mlp.trials: expected a number of trials from 1 up, found 0"),
        ({"trials": 3}, "expected `PARAMETER: "),
        (None, "expected `PARAMETER: "),
    ],
)
def test_a_range_that_is_wrong_is_named_with_what_was_expected(bare: Project, block: Any, reported: str) -> None:
    with pytest.raises(HandbookError, match=reported):
        ranges.plan(asking(bare, "mlp", block), bare.case("mlp"))


def test_a_case_without_ranges_is_shown_how_to_write_them(bare: Project) -> None:
    with pytest.raises(HandbookError, match=r"sweeps.boosting: no ranges(.|\n)*PARAMETER: \[low, high\]"):
        ranges.plan(asking(bare, "mlp", RANGES), bare.case("boosting"))


def test_the_ranges_of_params_yaml_fit_their_pages() -> None:
    here = Project(ROOT)
    for name in here.numbers()["sweeps"]:
        assert ranges.plan(here, here.case(name)).ranges


@given(st.floats(1e-6, 10), st.floats(1.001, 100), st.floats(0, 1))
def test_what_is_tried_stays_within_its_bounds_and_near_what_was_suggested(low: float, times: float, at: float) -> None:
    tried = ranges.Range("rate", low, low * times, log=True, whole=False)
    suggested = low * times**at
    value = tried.value(suggested)
    assert tried.low <= value <= tried.high
    assert value == pytest.approx(suggested, rel=0.005)


def test_todays_value_is_suggested_as_itself_and_one_out_of_bounds_is_refused() -> None:
    number = ranges.Range("depth", 1, 8, log=False, whole=True)
    assert number.value(number.suggestion(3)) == 3
    with pytest.raises(HandbookError, match=r"^9 is today's value, and not between 1 and 8$"):
        number.suggestion(9)
    lists = ranges.Choices("hidden", ((128, 64), (32,)))
    assert lists.value(lists.suggestion((32,))) == (32,)
    with pytest.raises(HandbookError, match=r"^\(64,\) is today's value, and not among the choices$"):
        lists.suggestion((64,))


def test_optuna_suggests_nothing_out_of_the_ranges() -> None:
    import optuna

    plan = ranges.Plan(9, (ranges.Range("rate", 0.001, 0.1, True, False), ranges.Range("n", 2, 4, False, True)))
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    found = [plan.suggest(study.ask()) for _ in range(50)]
    assert all(0.001 <= each["rate"] <= 0.1 for each in found)
    assert {each["n"] for each in found} == {2, 3, 4}
    assert sum(each["rate"] < 0.01 for each in found) in range(15, 36)  # half of a logarithmic range
