"""Laws of the judge of sprites."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from handbook.cases import sprites
from handbook.errors import HandbookError
from handbook.project import Project
from tests.conftest import ROOT


def test_no_picture_that_is_judged_on_was_trained_on(fitted: Any) -> None:
    case, data, _ = fitted("sprites")
    split = case.split(data)
    rest = data.game != case.params.held_out_game
    assert len(split.test) > 40
    assert set(split.test.game) == {case.params.held_out_game}
    assert not set(split.test.digest) & set(data.digest[rest])
    assert set(split.test.dex) <= set(split.development.dex)


def test_the_judge_knows_pokemon_that_the_generator_is_not_shown(fitted: Any) -> None:
    _, data, model = fitted("sprites")
    assert set(data.dex[data.part == "held out"]) <= set(model.facts["dex"])


def test_probabilities_follow_from_the_features_by_the_head_alone(fitted: Any) -> None:
    _, data, model = fitted("sprites")
    images = np.array(data.images[:20])
    features = sprites.features(model, images)
    assert features.shape == (20, model.params.n_features)
    with torch.inference_mode():
        logits = model.head(torch.from_numpy(features).float()).double()
    probabilities = (logits / model.facts["temperature"]).softmax(dim=1)
    np.testing.assert_allclose(probabilities, sprites.probabilities(model, images), atol=1e-6)


def test_a_prediction_does_not_depend_on_its_neighbours(fitted: Any) -> None:
    _, data, model = fitted("sprites")
    images = np.array(data.images[:6])
    together = sprites.probabilities(model, images)
    alone = np.concatenate([sprites.probabilities(model, images[k : k + 1]) for k in range(6)])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_augmented_sprites_are_moved_whole_and_stay_on_white() -> None:
    params = dataclasses.replace(Project(ROOT).case("sprites").params, shift=3)
    torch.manual_seed(0)
    images = torch.full((200, 64, 64, 3), 255, dtype=torch.uint8)
    images[:, 30, 20] = 0
    out = sprites._augmentation(params)(images, 0)
    assert ((out == 0).all(dim=3).sum(dim=(1, 2)) == 1).all()
    place = (out[..., 0] == 0).flatten(1).float().argmax(dim=1)
    down, right = place // 64 - 30, place % 64
    assert set(down.tolist()) == set(range(-3, 4))
    assert set(right.tolist()) == set(range(17, 24)) | set(range(40, 47))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((2, 64, 64), np.uint8), r"expected pictures of shape \(N, 64, 64, 3\), found \(2, 64, 64\)"),
        (np.zeros((2, 3, 64, 64), np.uint8), r"found \(2, 3, 64, 64\)"),
        (np.full((1, 64, 64, 3), 300), "expected intensities 0 to 255, found 300 to 300"),
        (np.full((1, 64, 64, 3), np.nan), "found nan"),
    ],
)
def test_a_picture_that_is_none_is_refused(inputs: Any, message: str, fitted: Any) -> None:
    _, _, model = fitted("sprites")
    with pytest.raises(ValueError, match=message):
        sprites.predict(model, inputs)


def test_no_picture_gives_no_prediction(fitted: Any) -> None:
    _, _, model = fitted("sprites")
    assert len(sprites.predict(model, np.zeros((0, 64, 64, 3), np.uint8))) == 0


def test_a_game_that_is_not_there_is_named(fitted: Any) -> None:
    case, data, _ = fitted("sprites")
    params = dataclasses.replace(case.params, held_out_game="x-y")
    with pytest.raises(HandbookError, match="no sprite of 'x-y' to be judged by; choose from black-white, "):
        sprites.split(data, params)


@pytest.mark.parametrize("change", [{"epochs": 0}, {"width": 0}, {"validation_share": 1.0}, {"shift": 64}])
def test_a_parameter_out_of_range_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        dataclasses.replace(Project(ROOT).case("sprites").params, **change)
