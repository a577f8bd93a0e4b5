"""What is served by ONNX Runtime is what the page answers; what it cannot answer the page does."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook.serving import quick, service
from handbook.serving.export import agreement
from tests.serving import toys
from tests.serving.export.toys import chosen

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def test_answers_are_the_pages_in_the_same_order_of_columns() -> None:
    case, model, pictures = toys.drawn()
    found = service.plain(quick.answering(chosen("lenet", model, pictures))(pictures))
    expected = service.plain(case.page.predict(model, pictures))
    assert [list(each) for each in found] == [list(each) for each in expected]
    for one, other in zip(found, expected, strict=True):
        assert (one["label"], one["name"]) == (other["label"], other["name"])
        assert one["probability"] == pytest.approx(other["probability"], abs=1e-6)


def test_what_is_no_graph_or_answers_otherwise_is_answered_by_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    _, model, prompts = toys.written()
    known = chosen("char_lstm", model, prompts)
    assert isinstance(quick.answering(known)(pd.DataFrame({"prompt": ["a"], "length": [3]})), pd.DataFrame)
    _case, model, pictures = toys.drawn()
    known = chosen("lenet", model, pictures)
    with monkeypatch.context() as wrong:
        wrong.setattr(agreement, "difference", lambda *_: "for input 1")
        assert isinstance(quick.answering(known)(pictures), pd.DataFrame)
    with monkeypatch.context() as missing:
        missing.setitem(sys.modules, "onnx", None)
        assert isinstance(quick.answering(known)(pictures), pd.DataFrame)
    ask = quick.answering(known)
    assert isinstance(ask(pictures), dict)
    with pytest.raises(ValueError, match="expected pictures of shape"):
        ask(np.zeros((1, 3, 3), np.uint8))


def test_a_part_of_the_answers_is_a_request_s_own() -> None:
    values: dict[str, Any] = {"label": np.arange(5), "name": np.array(list("abcde"), dtype=object)}
    part = service.plain(values)[1:3]
    assert len(part) == 2
    assert part == [{"label": 1, "name": "b"}, {"label": 2, "name": "c"}]
