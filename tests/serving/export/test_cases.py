"""A case becomes a graph that takes what its users have, or is refused with why, and with what answers instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook import datasets
from handbook.errors import HandbookError
from handbook.serving.export import agreement, cases
from tests.serving import toys as serving
from tests.serving.export import toys

BANK = datasets.page("bank_marketing")
BRIEF: dict[str, dict[str, Any]] = {
    "boosting": {"max_iter": 25}, "mlp_before_call": {"hidden": (8,), "pieces": 12},
    "rbf": {"n_components": 30}, "rbf_book": {},
}  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # unknown words are meant


@pytest.mark.parametrize("name", BRIEF)
def test_rows_are_answered_as_the_page_answers_them_words_that_it_never_saw_included(
    name: str, samples: Callable[[str], Path]
) -> None:
    case, data = toys.with_params(name, **BRIEF[name]), BANK.load(samples("bank_marketing"))
    split = case.split(data)
    model = case.page.fit(split, case.params)
    chosen = toys.chosen(name, model, case.example(split))
    content = cases.graph_of(chosen).model("toy", {}).SerializeToString()
    rows = data.features.sample(500, random_state=0).reset_index(drop=True)
    rows.loc[::7, "job"], rows.loc[::11, "month"] = "astronaut", "thermidor"
    session = agreement.session(content)
    found = agreement.answers(session, rows)
    assert not agreement.difference(case.page.predict(model, rows), found)
    np.testing.assert_allclose(found["probabilities"].sum(axis=1), 1, atol=1e-12)
    kinds = {each.name: each.type for each in session.get_inputs()}
    assert (kinds["age"], kinds["job"]) == ("tensor(int64)", "tensor(string)")
    assert set(kinds) == set(model.facts["columns"])


@pytest.mark.parametrize(("kind", "why"), [("prompts", "draws nothing"), ("latents", "random numbers")])
def test_what_draws_is_refused(kind: str, why: str) -> None:
    case, model, example = serving.MAKERS[kind]()
    with pytest.raises(HandbookError, match=rf"version 1 cannot be exported: .*{why}(.|\n)*handbook serve {case.name}"):
        cases.graph_of(toys.chosen(case.name, model, example))


def test_a_map_is_refused() -> None:
    model = SimpleNamespace(facts={"like": {"age": None}})
    with pytest.raises(HandbookError, match="no graph is known for models of the page self_organising_map"):
        cases.graph_of(toys.chosen("som_applications", model, pd.DataFrame({"age": [1.0]})))


def test_a_network_that_names_no_classes_is_refused() -> None:
    model = SimpleNamespace(facts={"width": 3})
    with pytest.raises(HandbookError, match=r"names no classes \(`classes` or `dex`\); it knows width"):
        cases.graph_of(toys.chosen("lenet", model, np.zeros((1, 28, 28), np.uint8)))
