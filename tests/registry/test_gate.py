"""The gate: who may take the champion's place."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from handbook import datasets
from handbook.data.provenance import forms
from handbook.registry import gate

WHOLE, SUBSET = forms(datasets.page("credit_card_transactions"))  # the better first


def case(lower: bool = False, dataset: str = "fashion_mnist") -> Any:
    page = SimpleNamespace(PRIMARY="score", LOWER_IS_BETTER=lower)
    return SimpleNamespace(name="toy", page=page, dataset=dataset)


def judged(score: float, data: str = "real", baseline: float = 0.5, **more: str) -> dict[str, Any]:
    return {"score": score, "data": data, "baseline": {"score": baseline}, **more}


def test_a_challenger_must_beat_the_baseline_and_may_equal_the_champion() -> None:
    assert gate.verdict(case(), judged(0.51), None).passed
    refused = gate.verdict(case(), judged(0.5), None)
    assert not refused.passed
    assert refused.text == "does not pass the gate: score 0.5000, the trivial baseline has 0.5000"
    assert gate.verdict(case(), judged(0.7), judged(0.7)).passed
    worse = gate.verdict(case(), judged(0.69), judged(0.7))
    assert (worse.passed, worse.text) == (False, "does not pass the gate: score 0.6900, the champion has 0.7000")


@pytest.mark.parametrize("lower", [False, True])
def test_an_error_is_judged_as_the_score_that_is_its_negative(lower: bool) -> None:
    sign = -1.0 if lower else 1.0
    for one in (-0.4, 0.2, 0.6):
        for other in (-0.4, 0.2, 0.6):
            found = gate.verdict(case(lower), judged(sign * one, baseline=sign * 0.0), judged(sign * other))
            assert found.passed == (one > 0 and one >= other)


def test_what_was_made_from_samples_never_takes_the_place_of_real_and_gives_way_to_it_whatever_its_score() -> None:
    refused = gate.verdict(case(), judged(0.99, "sample"), judged(0.6, "real"))
    assert refused.text == "does not pass the gate: it was made from sample data, the champion from real data"
    assert gate.verdict(case(), judged(0.6, "real"), judged(0.99, "sample")).passed
    assert not gate.verdict(case(), judged(0.6, "sample"), judged(0.99, "sample")).passed


def test_of_an_error_the_lower_is_the_better() -> None:
    assert gate.better(case(lower=True), 1.0, 2.0)
    assert gate.better(case(lower=False), 2.0, 1.0)
    assert not gate.better(case(lower=True), 1.0, 1.0)


@pytest.mark.parametrize(
    ("champion", "challenger", "passed"),
    [
        ({"form": WHOLE}, {"form": SUBSET}, False),  # whatever its score
        ({"form": SUBSET}, {"form": WHOLE}, True),  # by other rows: no score compares
        ({"form": SUBSET}, {"form": SUBSET}, True),
        ({"form": WHOLE}, {"form": WHOLE}, True),
        ({}, {"form": SUBSET}, True),
        ({"form": WHOLE}, {}, True),
        ({"form": "nobody's"}, {"form": SUBSET}, True),
        ({"form": WHOLE}, {"form": "nobody's"}, True),
    ],
)
def test_a_better_score_on_a_worse_form_of_the_data_takes_no_place(
    champion: dict[str, str], challenger: dict[str, str], passed: bool
) -> None:
    found = gate.verdict(case(dataset="credit_card_transactions"), judged(0.9, **challenger), judged(0.6, **champion))
    assert found.passed == passed
    if not passed:
        assert found.text == (
            f"does not pass the gate: of the data it was made from the {SUBSET}, the champion from the {WHOLE}"
        )


@pytest.mark.parametrize(
    ("champion", "challenger", "compared"),
    [
        ({"form": WHOLE}, {"form": WHOLE}, True),
        ({"form": SUBSET}, {"form": WHOLE}, False),
        ({}, {"form": WHOLE}, True),  # of an older handbook, which did not write it down
        ({"form": SUBSET}, {}, True),
        ({}, {}, True),
    ],
)
def test_scores_are_compared_where_both_were_judged_by_the_same_form_as_far_as_is_known(
    champion: dict[str, str], challenger: dict[str, str], compared: bool
) -> None:
    found = gate.verdict(case(dataset="credit_card_transactions"), judged(0.6, **challenger), judged(0.9, **champion))
    assert found.passed != compared
