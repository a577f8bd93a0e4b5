"""Shapley values, held against their definition and their axioms."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook.serving.reasons.shapley import orders, shapley

NAMES = ["a", "b", "c", "d"]


def rows(seed: int, number: int) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(number, len(NAMES))), columns=NAMES)


def pairs(frame: pd.DataFrame) -> Any:
    """Two attributes that act together, two that act alone, one of them bent."""
    return 2 * frame["a"] * frame["b"] + np.exp(frame["c"]) - frame["d"] + frame["b"]


def triples(frame: pd.DataFrame) -> Any:
    return np.tanh(frame["a"] * frame["b"] * frame["c"]) + frame["d"] * frame["a"]


def enumerated(number: Any, row: pd.DataFrame, background: pd.DataFrame) -> np.ndarray:
    """By the definition: every order, from every background row."""
    found, ways = np.zeros(len(NAMES)), list(permutations(range(len(NAMES))))
    for order in ways:
        walked = background.copy()
        before = number(walked).mean()
        for k in order:
            walked[NAMES[k]] = row[NAMES[k]].iloc[0]
            after = number(walked).mean()
            found[k] += (after - before) / len(ways)
            before = after
    return found


def test_what_two_attributes_do_together_is_split_as_the_definition_says_to_rounding() -> None:
    row, background = rows(1, 1), rows(2, 7)
    found, base = shapley(pairs, row, background)
    np.testing.assert_allclose(found, enumerated(pairs, row, background), atol=1e-12)
    assert base == pytest.approx(pairs(background).mean())


def test_what_three_do_together_is_estimated_nearer_and_nearer_with_more_background() -> None:
    row, background = rows(3, 1), rows(4, 16)
    expected = enumerated(triples, row, background)
    often = pd.concat([background] * 256, ignore_index=True)
    few, many = (np.abs(shapley(triples, row, each)[0] - expected).max() for each in (background, often))
    assert many < 0.03
    assert many < few


@pytest.mark.parametrize("seed", range(5))
def test_the_parts_are_the_number_less_its_mean_over_the_background_whichever_orders_were_drawn(seed: int) -> None:
    row, background = rows(seed, 1), rows(seed + 100, 9)
    found, base = shapley(triples, row, background, seed)
    assert base + found.sum() == pytest.approx(float(triples(row).iloc[0]), abs=1e-12)


def test_attributes_that_play_the_same_role_get_the_same_and_one_without_a_role_gets_nothing() -> None:
    row, background = rows(5, 1).assign(a=1.5, b=1.5), rows(6, 8)
    background["b"] = background["a"]

    def number(frame: pd.DataFrame) -> Any:
        return 3 * frame["a"] * frame["b"] + frame["c"]

    found, _ = shapley(number, row, background)
    assert found[0] == pytest.approx(found[1], abs=1e-12)
    assert found[3] == 0


def test_words_and_whole_numbers_reach_the_model_as_what_they_are() -> None:
    background = pd.DataFrame({"job": pd.array(["a", "b"], dtype="str"), "age": [30, 40]})
    row = pd.DataFrame({"age": [50], "job": pd.array(["c"], dtype="str")})
    kinds: list[Any] = []

    def number(frame: pd.DataFrame) -> Any:
        kinds.append(frame.dtypes.to_dict())
        return frame["age"] + 100 * (frame["job"] == "c")

    found, base = shapley(number, row, background)
    assert kinds == [background.dtypes.to_dict()]
    assert (found.tolist(), base) == ([100.0, 15.0], 35.0)


def test_every_order_is_walked_backwards_too() -> None:
    place = orders(6, 20, np.random.default_rng(0))
    assert (np.sort(place, axis=1) == np.arange(6)).all()
    assert (place[:20] + place[20:] == 5).all()
