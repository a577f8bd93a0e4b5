"""Reasons: they add up to the answer that is given, and say what they are relative to."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook import datasets
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.serving.choice import Chosen
from handbook.serving.inputs import Batch
from handbook.serving.reasons import added, explain
from tests.conftest import ROOT

ROWS = pd.DataFrame({"age": [30, 50, 70], "job": pd.array(["student", "retired", "student"], dtype="str")})


def odds(rows: pd.DataFrame) -> Any:
    return 0.05 * (rows["age"] - 45) + 0.02 * rows["age"] * (rows["job"] == "student")


def likely(rows: pd.DataFrame) -> Any:
    return (1 / (1 + np.exp(-odds(rows)))).to_numpy()


def two_classes(rows: pd.DataFrame) -> pd.DataFrame:
    """Answers as the pages of chapter 7 give them: the probability is that of the second class."""
    return pd.DataFrame({"label": (likely(rows) > 0.5).astype(int), "probability": likely(rows)})


def any_classes(rows: pd.DataFrame) -> pd.DataFrame:
    """Answers as the page on classifiers gives them: the probability is that of the answer."""
    return pd.DataFrame({"label": (likely(rows) > 0.5).astype(int), "probability": np.abs(likely(rows) - 0.5) + 0.5})


PAGES = {
    "two classes": SimpleNamespace(
        predict=lambda _, rows: two_classes(rows), probabilities=lambda _, rows: likely(rows)
    ),
    "any classes": SimpleNamespace(
        predict=lambda _, rows: any_classes(rows),
        class_probabilities=lambda _, rows: np.stack([1 - likely(rows), likely(rows)], axis=1),
    ),
    "a value": SimpleNamespace(predict=lambda _, rows: pd.DataFrame({"value": odds(rows).to_numpy()})),
}


def toy(kind: str) -> Chosen:
    case: Any = SimpleNamespace(name="toy", page=PAGES[kind], dataset="bank_marketing")
    facts = {"columns": {"age": None, "job": ["retired", "student"]}, "classes": ["no", "yes"]}
    facts |= {"best": "a toy"} if kind == "any classes" else {}
    return Chosen(case, SimpleNamespace(facts=facts, estimator=None), "toy", ROWS)


def batch(data: Any) -> Batch:
    return Batch(list(range(len(data))), data, [""] * len(data))


@pytest.mark.parametrize("kind", PAGES)
def test_what_the_attributes_add_to_the_mean_of_the_background_is_the_number_that_is_answered(kind: str) -> None:
    chosen = toy(kind)
    answers = chosen.case.page.predict(None, ROWS)
    expected = answers["value" if "value" in answers else "probability"]
    for reason, number in zip(explain(chosen, batch(ROWS)), expected, strict=True):
        assert reason.base + sum(part.effect for part in reason.parts) == pytest.approx(number, abs=1e-9)
        effects = [abs(part.effect) for part in reason.parts]
        assert effects == sorted(effects, reverse=True)
        assert {part.name for part in reason.parts} == {"age", "job"}
        assert "the mean over the 3 rows that its record keeps" in reason.relative_to


def test_a_reason_names_the_class_whose_probability_stands_in_the_answer() -> None:
    assert {reason.number for reason in explain(toy("two classes"), batch(ROWS))} == {"the probability of 'yes'"}
    young = pd.DataFrame({"age": [20], "job": pd.array(["retired"], dtype="str")})
    (reason,) = explain(toy("any classes"), batch(young))
    assert reason.number == "the probability of 'no'"


def test_a_table_of_answers_gets_attribute_value_and_effect_of_the_first_three_and_blanks_where_there_are_fewer() -> (
    None
):
    chosen = toy("two classes")
    reasons = explain(chosen, batch(ROWS))
    table = added(chosen.case.page.predict(None, ROWS), reasons)
    assert [*table][2:] == [
        *(f"{what}_{k}" for k in (1, 2, 3) for what in ("reason", "value", "effect")), "effect_on", "relative_to",
    ]  # fmt: skip
    for k, reason in enumerate(reasons):
        assert table["reason_1"].iloc[k] == reason.parts[0].name
        assert table["value_1"].iloc[k] == ROWS[reason.parts[0].name].iloc[k]
        assert table["effect_1"].iloc[k] == reason.parts[0].effect
    assert table["reason_3"].tolist() == [""] * 3


def test_a_map_gives_its_own_reasons_and_together_they_are_its_distance(samples: Any) -> None:
    case = Project(ROOT).case("som_applications")
    params = dataclasses.replace(case.params, grid_rows=3, grid_columns=3, epochs=1)
    data = datasets.page(case.dataset).load(samples(case.dataset))
    model = case.page.fit(case.page.split(data, params), params)
    rows = data.features.head(3)
    answers = case.page.predict(model, rows)
    apart = model.examine(model.encode(rows[list(model.facts["like"])]))[3].sum(axis=1)
    reasons = explain(Chosen(case, model, "toy", rows), batch(rows))
    for k, reason in enumerate(reasons):
        assert [part.name for part in reason.parts[:3]] == [answers[f"reason_{j}"].iloc[k] for j in (1, 2, 3)]
        assert sum(part.effect for part in reason.parts) == pytest.approx(apart[k])
    named = added(answers, reasons)
    assert named["reason_1"].tolist() == answers["reason_1"].tolist()


def test_the_pixels_of_a_picture_add_up_to_the_log_odds_of_what_is_answered() -> None:
    import torch

    case = Project(ROOT).case("lenet")
    torch.manual_seed(0)
    model = case.page.Model(case.params, [str(k) for k in range(10)], temperature=1.7).eval()
    pictures = np.random.default_rng(0).integers(0, 256, (2, 28, 28)).astype(np.uint8)
    pictures[:, :3] = pictures[:, -3:] = pictures[:, :, :3] = pictures[:, :, -3:] = 0
    probability = case.page.predict(model, pictures)["probability"].to_numpy()
    for k, reason in enumerate(explain(Chosen(case, model, "toy"), batch(pictures))):
        assert reason.pixels is not None
        assert reason.relative_to == "an empty picture of intensity 0"
        expected = np.log(probability[k] / (1 - probability[k]))
        assert reason.base + reason.pixels.sum() == pytest.approx(expected, abs=0.02 * np.abs(reason.pixels).sum())
        assert (reason.pixels[pictures[k] == 0] == 0).all()


def test_a_drawing_has_no_reasons_and_that_is_said() -> None:
    case = Project(ROOT).case("gan_conditional")
    with pytest.raises(HandbookError, match="reasons are given for rows and for pictures"):
        explain(Chosen(case, None, "toy"), batch(pd.DataFrame({"seed": [1]})))


def test_of_no_inputs_there_are_no_reasons() -> None:
    assert explain(toy("a value"), batch(ROWS.head(0))) == []
