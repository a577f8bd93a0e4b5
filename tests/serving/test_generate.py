"""Generating: what a case of another kind, or a page, refuses is an error without a traceback."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.serving import generate
from tests.conftest import ROOT


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A checkout whose one text model repeats its prompt in capitals, and knows no digits."""

    def predict(model: str, rows: pd.DataFrame) -> pd.DataFrame:
        if rows["prompt"].str.contains(r"\d").any():
            raise ValueError("the prompt holds '1', which is no character of the training text")
        return pd.DataFrame({"text": [rows["prompt"].iloc[0].upper() + model * int(rows["length"].iloc[0])]})

    case = SimpleNamespace(page=SimpleNamespace(INPUT="prompts", predict=predict))
    monkeypatch.setattr(generate, "trained_model", lambda project, case: "!")
    monkeypatch.setattr(generate.trained, "check", lambda project, name: None)
    return SimpleNamespace(case=lambda name: case)


def test_the_text_is_printed_and_the_settings_reach_the_page(echo: Any, capsys: pytest.CaptureFixture[str]) -> None:
    generate.generate(echo, "toy", {"prompt": "out, out", "length": 3})
    assert capsys.readouterr().out == "OUT, OUT!!!\n"


def test_what_the_page_refuses_is_the_error(echo: Any) -> None:
    with pytest.raises(HandbookError, match=r"^the prompt holds '1', which is no character of the training text$"):
        generate.generate(echo, "toy", {"prompt": "1", "length": 3})


def test_a_setting_that_is_no_number_is_not_left_to_its_default(echo: Any) -> None:
    with pytest.raises(HandbookError, match=r"^temperature must be a number, found nan$"):
        generate.generate(echo, "toy", {"prompt": "Out", "length": 3, "temperature": float("nan")})


def test_a_case_that_writes_no_text_is_refused_before_its_model_is_looked_for() -> None:
    with pytest.raises(HandbookError, match=r"^digits writes no text: generate needs a case of the page char_lstm$"):
        generate.generate(Project(ROOT), "digits", {"prompt": "Out"})
