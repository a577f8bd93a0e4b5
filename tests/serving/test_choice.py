"""Which model answers, and what it takes: by its page, its example and its dataset."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.serving import choice
from tests.serving.test_prediction import ROWS, toy


def test_a_version_that_is_not_there_is_an_error_that_names_those_that_are(
    entered: Callable[..., str], project: Project
) -> None:
    entered(ROWS)
    for version in ("2", "0", "newest"):
        with pytest.raises(
            HandbookError, match=rf"no version '{version}' .* versions 1 to 1: challenger 1, champion 1"
        ):
            choice.choose(project, ROWS, version)
    with pytest.raises(HandbookError, match="has no previous"):
        choice.choose(project, ROWS, "previous")


def test_a_page_may_say_what_it_takes() -> None:
    assert choice.kind_of(toy(np.zeros((2, 28, 28)), lambda *_: None)) == "pictures"
    assert choice.kind_of(toy(None, lambda *_: None, INPUT="latents")) == "latents"
    assert choice.kind_of(toy(pd.DataFrame({"age": [1]}), lambda *_: None)) == "rows"


def test_beside_a_prompt_or_seed_stands_what_the_models_example_shows() -> None:
    prompts = pd.DataFrame({"prompt": ["Out"], "temperature": [0.8]})
    assert list(choice.settings_of(toy(prompts, lambda *_: None))) == ["temperature"]
    assert not choice.settings_of(toy(np.arange(4), lambda *_: None)).keys() & {"temperature", "length"}
    assert "label" in choice.settings_of(toy(pd.DataFrame({"seed": [0], "label": [1]}), lambda *_: None))


def test_a_picture_must_have_the_shape_of_those_that_the_example_holds() -> None:
    assert choice.form_of(toy(np.zeros((2, 8, 9, 3)), lambda *_: None)).shape == (8, 9, 3)
    assert choice.form_of(toy(None, lambda *_: None)).shape == (28, 28)
