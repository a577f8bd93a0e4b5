"""A file that does not answer as the model does is never written; what is drawn to find that out covers what comes."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from handbook import datasets
from handbook.data.schema import categories
from handbook.errors import HandbookError
from handbook.serving import export
from handbook.serving.export import agreement
from tests.serving import toys as serving
from tests.serving.export import toys


def test_a_weight_that_is_another_is_found() -> None:
    case, model, pictures = serving.drawn()
    chosen = toys.chosen(case.name, model, pictures)
    ready = agreement.session(export.written(chosen))
    assert agreement.check(chosen, ready) == len(pictures) + agreement.DRAWN["pictures"]
    with torch.no_grad():
        next(model.head.parameters()).mul_(1.01)
    with pytest.raises(HandbookError, match="cannot be exported: ONNX Runtime answers otherwise, for input "):
        agreement.check(chosen, ready)


def test_labels_are_held_to_be_equal_and_numbers_to_be_close() -> None:
    expected = pd.DataFrame({"name": ["a", "b"], "value": [1000.0, 0.1]})
    same: dict[str, Any] = {"name": np.array(["a", "b"], dtype=object), "value": np.array([1000.001, 0.1])}
    assert not agreement.difference(expected, same)
    assert "for input 2" in agreement.difference(expected, same | {"value": np.array([1000.0, 0.1001])})
    assert "'c' as `name`" in agreement.difference(expected, same | {"name": np.array(["a", "c"], dtype=object)})
    assert "nan as `value`" in agreement.difference(expected, same | {"value": np.array([np.nan, 0.1])}).replace(
        "np.float64(nan)", "nan"
    )


def test_what_is_drawn_holds_every_word_an_unknown_one_and_numbers_across_the_range(samples: Any) -> None:
    case = toys.with_params("boosting")
    data = datasets.page("bank_marketing").load(samples("bank_marketing"))
    model, example = SimpleNamespace(facts={"columns": categories(data.features)}), data.features.head(4)
    rows = agreement.drawn(toys.chosen(case.name, model, example))
    assert set(rows["job"]) == {*model.facts["columns"]["job"], agreement.UNKNOWN}
    assert rows["age"].dtype == "int64"
    assert rows["age"].max() - rows["age"].min() > 50
    pd.testing.assert_frame_equal(rows, agreement.drawn(toys.chosen(case.name, model, example)))


def test_a_signature_says_what_goes_in_and_what_comes_out() -> None:
    case, model, pictures = serving.drawn()
    said = agreement.signature(agreement.session(export.written(toys.chosen(case.name, model, pictures))))
    assert said.startswith("pictures uint8['rows', 28, 28] -> label int64['rows'], name string['rows'], probability")
    assert dataclasses.is_dataclass(case)
