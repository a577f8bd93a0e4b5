"""The laws of the lab `bank_by_time`: nothing later is learnt from, a fall is the sum of its parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook import datasets
from handbook.data import partition, studies
from handbook.data.tables import Table
from handbook.evaluation import paired
from handbook.labs.bank_by_time import calls, fall, models
from handbook.labs.bank_by_time.calls import Calls


@pytest.fixture(scope="module")
def bank(samples: Callable[[str], Path]) -> Calls:
    return Calls.of(datasets.page("bank_marketing").load(samples("bank_marketing")))


def turning(n: int = 1_200, turned: bool = True) -> Calls:
    """Calls whose answer hangs on `x`, in the last third the other way round, and on `z` always."""
    rng = np.random.default_rng(0)
    x, z, word = rng.normal(size=n), rng.normal(size=n), rng.choice(["a", "b"], n)
    late = turned & (np.arange(n) >= 2 * n // 3)
    y = (rng.random(n) < 1 / (1 + np.exp(-1.5 * np.where(late, -x, x) - z))).astype(np.int64)
    rows = pd.DataFrame({"x": x, "z": z, "word": pd.array(word, dtype="str"), "era": np.arange(n) // 100})
    rows["duration"] = rng.normal(size=n)
    return Calls.of(Table(rows.assign(day=1, month="may").astype({"month": "str"}), y, ("no", "yes")))


def test_the_last_rows_judge_and_the_random_ones_are_the_books_as_many(bank: Calls) -> None:
    parts, n = bank.parts(), len(bank.table)
    for learn, judge in parts.values():
        assert sorted([*learn, *judge]) == list(range(n))
    assert len({len(judge) for _, judge in parts.values()}) == 1
    learn, judge = parts["last"]
    assert learn.max() < judge.min()
    book = partition.rows(bank.table, studies.TASK).test
    assert sorted(book.features.index) == parts["random"][1].tolist()


@pytest.mark.parametrize("name", models.MODELS)
def test_a_model_learns_what_can_be_learnt_takes_unknown_words_and_is_the_same_twice(name: str) -> None:
    still = turning(600, turned=False)
    rows, answers = still.table.features, still.table.target
    said = models.MODELS[name](rows[:400], answers[:400])(rows[400:])
    assert paired.areas(answers[400:], {"": said}, np.random.default_rng(0), 1)[""][0] > 0.7
    assert ((said > 0) & (said < 1)).all()
    again = models.MODELS[name](rows[:400], answers[:400])
    np.testing.assert_array_equal(said, again(rows[400:]))
    assert np.isfinite(again(rows[400:].assign(word="never heard"))).all()


def test_the_length_of_the_call_is_left_out_where_it_is_not_known() -> None:
    page = datasets.page("bank_marketing")
    assert set(calls.ATTRIBUTES["before the call"]) == set(page.KNOWN_AFTER_THE_CALL)
    assert models.DAY not in models.dated(pd.DataFrame({"age": [1]}))
    dated = models.dated(pd.DataFrame({"day": [5, 5], "month": ["jan", "mar"]}))
    assert dated[models.DAY].tolist() == [5, 66]


@pytest.fixture(scope="module")
def measured() -> tuple[Calls, fall.Measured]:
    found = turning()
    kept, models_kept = dict(calls.ATTRIBUTES), dict(models.MODELS)
    calls.ATTRIBUTES.pop("before the call, no date")
    for name in ("perceptrons", "LightGBM", "XGBoost"):
        models.MODELS.pop(name)
    try:
        return found, fall.measured(found)
    finally:
        calls.ATTRIBUTES.update(kept)
        models.MODELS.clear()
        models.MODELS.update(models_kept)


def test_what_turns_with_time_is_felt_by_the_last_rows_alone(measured: tuple[Calls, fall.Measured]) -> None:
    _, found = measured
    for attributes in ("all", "before the call"):
        key = attributes, "boosting"
        assert found.areas[key]["random"][0] > 0.7
        assert found.areas[key]["last"][0] < 0.5  # what it learnt is the other way round
        assert found.fall(key)[1] > 0.2
        assert found.fall(key, *fall.SPLITS[1:])[1] > 0.2  # trees that have seen the era tell by it which way to turn
        assert abs(found.fall(key, *fall.SPLITS[:2])[0]) < 0.1  # and the rows themselves are no harder


def test_a_fall_is_the_sum_of_its_parts(measured: tuple[Calls, fall.Measured]) -> None:
    facts = fall.facts(*measured)
    for model, attributes in (("boosting", "all"), ("RBF network", "before the call")):
        name = f"{model}, {attributes}"
        parts = facts[f"{name}: fall by harder calls"] + facts[f"{name}: fall by a time not seen"]
        assert facts[f"{name}: fall"] == pytest.approx(parts)
        assert facts[f"{name}: fall, at least"] < facts[f"{name}: fall"] < facts[f"{name}: fall, at most"]


def test_a_model_is_no_better_than_itself_and_a_lead_is_the_difference_of_both_areas(
    measured: tuple[Calls, fall.Measured],
) -> None:
    _, found = measured
    assert found.lead(("all", "boosting"), "last") == (0, 0, 0)
    areas = {name: found.areas["all", name]["last"][0] for name in models.MODELS if ("all", name) in found.areas}
    lead, low, high = found.lead(("all", "RBF network"), "last")
    assert lead == pytest.approx(areas["RBF network"] - areas["boosting"])
    assert low <= lead <= high


def test_a_shift_of_log_odds_sets_the_mean_right_keeps_the_order_and_lowers_no_other_loss() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(size=4_000)
    answers = (rng.random(4_000) < 1 / (1 + np.exp(-odds))).astype(int)
    low = 1 / (1 + np.exp(2 - odds))  # right but for a constant
    right = fall.shifted(low, float(answers.mean()))
    assert right.mean() == pytest.approx(answers.mean(), abs=1e-9)
    np.testing.assert_array_equal(np.argsort(right), np.argsort(low))
    best = fall.log_loss(answers, right)
    assert best < fall.log_loss(answers, low)
    assert best == pytest.approx(fall.log_loss(answers, 1 / (1 + np.exp(-odds))), abs=0.002)
    assert fall.log_loss(np.ones(3), 0.5) == pytest.approx(np.log(2))


def test_equal_calls_are_known_again(bank: Calls) -> None:
    again: Any = Calls.of(bank.table)
    assert again == bank
    assert hash(again) == hash(bank)
    assert Calls.of(bank.table.take(np.arange(10))) != bank
