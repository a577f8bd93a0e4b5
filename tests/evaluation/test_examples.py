"""Examples: what a user would send, as plain types, and back with every type."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from handbook.evaluation import examples
from tests.toys import CALLS


def test_an_example_of_rows_is_kept_with_its_types() -> None:
    kept = json.loads(json.dumps(examples.plain_of(CALLS), sort_keys=True))
    pd.testing.assert_frame_equal(examples.frame_of(kept), CALLS)
    pictures = np.zeros((2, 3), np.uint8)
    assert examples.frame_of(examples.plain_of(pictures)).dtype == np.uint8


def test_a_gap_is_none_as_plain_types_and_a_gap_again_in_the_table() -> None:
    table = pd.DataFrame({"x": [1.5, np.nan], "w": pd.array(["a", None], dtype="str")}, columns=["x", "w"])
    kept = json.loads(json.dumps(examples.plain_of(table), sort_keys=True))
    assert kept["columns"] == {"w": ["a", None], "x": [1.5, None]}
    pd.testing.assert_frame_equal(examples.frame_of(kept), table)


def test_the_answers_are_those_to_the_inputs_as_they_are_read_back() -> None:
    def predict(model: int, inputs: Any) -> Any:
        assert inputs.dtype == np.uint8
        return pd.DataFrame({"label": inputs.sum(axis=1) + model})

    case = SimpleNamespace(page=SimpleNamespace(predict=predict), example=lambda split: split[:2])
    found = json.loads(json.dumps(examples.exemplify(case, 1, np.arange(6, dtype=np.uint8).reshape(3, 2))))
    assert examples.frame_of(found["inputs"]).tolist() == [[0, 1], [2, 3]]
    assert examples.frame_of(found["answers"])["label"].tolist() == [2, 6]


def test_of_rows_that_fill_different_columns_those_like_the_first_are_left() -> None:
    table = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": [np.nan, 2.0, 4.0], "c": [5.0, 6.0, 7.0]})
    left = examples.without_gaps(table)
    assert left.to_dict("list") == {"a": [1.0, 3.0], "c": [5.0, 7.0]}
    pictures = np.zeros((2, 3))
    assert examples.without_gaps(pictures) is pictures
