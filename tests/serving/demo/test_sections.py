"""What a section answers is what its page answers; what `predict` would refuse or doubt is refused and doubted here."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from handbook.errors import HandbookError
from handbook.serving.demo import sections
from handbook.serving.demo.models import CASES, Models
from tests.serving.demo.toys import CLIENTS, toys


@pytest.fixture(scope="module")
def models(samples: Any) -> Models:
    return toys(samples)


def answer(models: Models, section: str, **body: Any) -> dict[str, Any]:
    return models.ask(section, lambda chosen: sections.answer(section, chosen, body))


def pixels(address: str) -> Any:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))


@pytest.mark.parametrize("section", CASES)
def test_what_the_page_is_given_of_a_section_is_plain_and_names_the_version_that_answers(
    models: Models, section: str
) -> None:
    found = models.ask(section, lambda chosen: sections.describe(section, chosen))
    json.dumps(found, allow_nan=False)
    assert found["title"] == models.chosen[section].title


@pytest.mark.parametrize("section", ["digit", "garment"])
def test_a_picture_is_answered_as_its_page_answers_with_an_overlay(models: Models, section: str) -> None:
    chosen = models.chosen[section]
    found = answer(models, section, pixels=chosen.example[0].tolist())
    expected = chosen.case.page.predict(chosen.model, chosen.example[:1]).iloc[0]
    assert (found["name"], found["probability"]) == (expected["name"], pytest.approx(expected["probability"]))
    assert pixels(found["overlay"]).shape == (280, 280, 3)


def test_a_picture_on_light_ground_is_doubted_and_one_that_a_cast_would_change_is_refused(models: Models) -> None:
    picture = np.full((28, 28), 255)
    picture[10:18, 10:18] = 0
    assert "ground" in answer(models, "digit", pixels=picture.tolist())["note"]
    with pytest.raises(HandbookError, match=r"whole intensities of 0 to 255, found 0\.5"):
        answer(models, "digit", pixels=(picture / 510).tolist())


@pytest.mark.parametrize("wrong", [None, "7", [], [[1, 2]], [[True] * 28] * 28, [["a"] * 28] * 28, [[300] * 28] * 28])
def test_what_is_no_picture_is_refused_in_a_sentence(models: Models, wrong: Any) -> None:
    with pytest.raises(HandbookError, match="expected"):
        answer(models, "digit", pixels=wrong)


def test_the_way_between_two_seeds_begins_and_ends_with_what_each_draws(models: Models) -> None:
    frames = answer(models, "drawing", digit=3, seed=1, other=2)["frames"]
    chosen = models.chosen["drawing"]
    ends = chosen.case.page.predict(chosen.model, pd.DataFrame({"seed": [1, 2], "label": [3, 3]}))
    for frame, end in zip((frames[0], frames[-1]), ends, strict=True):
        np.testing.assert_allclose(pixels(frame).astype(int), end.astype(int), atol=1)
    assert len(frames) == sections.FRAMES
    assert len(set(answer(models, "drawing", digit=3, seed=1, other=1)["frames"])) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"seed": -1}, {"seed": 2.5}, {"seed": None}, {"seed": 10**23}, {"other": "1"}, {"digit": 10}, {"digit": True},
     {"digit": None}, {"digit": 1.5}, {"seed": [1]}],
)  # fmt: skip
def test_a_seed_or_a_digit_that_is_none_is_refused(models: Models, wrong: dict[str, Any]) -> None:
    with pytest.raises(HandbookError, match=r"expected|missing"):
        answer(models, "drawing", **({"digit": 3, "seed": 1, "other": 2} | wrong))


def test_three_temperatures_go_on_from_one_prompt(models: Models) -> None:
    texts = answer(models, "writing", prompt="Enter Macbeth. ", seed=1)["texts"]
    assert [each["temperature"] for each in texts] == list(sections.TEMPERATURES)
    assert all(each["text"].startswith("enter macbeth. ") for each in texts)
    assert {len(each["text"]) for each in texts} == {len("enter macbeth. ") + sections.LENGTH}


@pytest.mark.parametrize("wrong", ["", "x" * 401, "Ω", None, 7, ["a"]])
def test_a_prompt_that_is_none_is_refused(models: Models, wrong: Any) -> None:
    with pytest.raises(HandbookError):
        answer(models, "writing", prompt=wrong, seed=1)


def test_a_client_gets_a_probability_whose_reasons_add_up_to_it(models: Models) -> None:
    found = answer(models, "client", values={"age": 70, "job": "retired"})
    page = models.chosen["client"].case.page
    base = page.probabilities(None, CLIENTS).mean()
    assert found["probability"] == pytest.approx(base + sum(part["effect"] for part in found["parts"]))
    assert "the 2 rows that its record keeps" in found["relative_to"]
    assert "unknown job 'pirate'" in answer(models, "client", values={"age": 70, "job": "pirate"})["note"]
    assert answer(models, "client", values={"age": 1970, "job": "retired"})["note"]


@pytest.mark.parametrize(
    "wrong",
    [None, [], {}, {"age": 70}, {"age": True, "job": "student"}, {"age": 40.5, "job": "student"},
     {"age": None, "job": "student"}, {"age": [1], "job": "student"}, {"age": 70, "job": 3}],
)  # fmt: skip
def test_what_is_no_row_is_refused_in_a_sentence(models: Models, wrong: Any) -> None:
    with pytest.raises(HandbookError, match=r"expected|lack|missing"):
        answer(models, "client", values=wrong)


def test_a_payment_is_placed_where_its_page_places_it(models: Models) -> None:
    chosen = models.chosen["transaction"]
    row = chosen.example.iloc[0]
    values = {name: value.item() if hasattr(value, "item") else value for name, value in row.items()}
    found = answer(models, "transaction", values=values)
    expected = chosen.case.page.predict(chosen.model, chosen.example.head(1)).iloc[0]
    assert (found["row"], found["column"]) == (expected["map_row"], expected["map_column"])
    assert found["score"] == pytest.approx(expected["outlier_score"])
    assert found["parts"][0]["name"] == expected["reason_1"]
