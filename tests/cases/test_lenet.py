"""LeNet's own laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from handbook.cases import lenet
from handbook.project import Project
from tests.conftest import ROOT


def test_the_network_is_the_one_that_the_book_draws() -> None:
    model = lenet.Model(Project(ROOT).case("lenet_book").params, list("abcdefghij"))
    shapes = [tuple(each.shape) for each in model.parameters() if each.ndim > 1]
    assert shapes == [(6, 1, 5, 5), (16, 6, 5, 5), (120, 256), (84, 120), (10, 84)]
    assert sum(each.numel() for each in model.parameters()) == 44_426


def test_the_book_has_intensities_from_zero_to_one_and_ours_have_mean_zero_and_deviation_one() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (50, 28, 28)).astype(np.uint8)
    pictures[0, 0, :2] = 0, 255
    book, ours = (
        (pictures - centre) / spread
        for centre, spread in (
            lenet.scale(pictures, Project(ROOT).case(name).params) for name in ("lenet_book", "lenet")
        )
    )
    assert (book.min(), book.max()) == (0, 1)
    assert (ours.mean(), ours.std()) == pytest.approx((0, 1))


def test_pooling_before_relu_is_pooling_after_relu() -> None:
    x = torch.randn(4, 6, 24, 24, generator=torch.Generator().manual_seed(0))
    before = functional.relu(functional.max_pool2d(x, 2))
    after = functional.max_pool2d(functional.relu(x), 2)
    assert torch.equal(before, after)


def test_a_mirrored_picture_is_itself_or_its_mirror() -> None:
    torch.manual_seed(0)
    images = torch.randint(0, 256, (64, 28, 28), dtype=torch.uint8)
    out = lenet.mirrored(images)
    same = (out == images).all(dim=(1, 2))
    flipped = (out == images.flip(2)).all(dim=(1, 2))
    assert (same | flipped).all()
    assert 0 < same.sum() < 64


def test_a_shifted_picture_moves_whole_and_by_no_more_than_asked() -> None:
    torch.manual_seed(0)
    images = torch.zeros(200, 28, 28, dtype=torch.uint8)
    images[:, 14, 14] = 255
    place = lenet.shifted(images, 2).flatten(1).argmax(dim=1)
    down, right = place // 28 - 14, place % 28 - 14
    assert set(down.tolist()) == set(right.tolist()) == {-2, -1, 0, 1, 2}
    assert len(set(zip(down.tolist(), right.tolist(), strict=True))) == 25


def test_the_last_epochs_see_pictures_as_they_are() -> None:
    params = Project(ROOT).case("lenet").params
    prepare = lenet.augmentation(params)
    images = torch.randint(0, 256, (64, 28, 28), dtype=torch.uint8)
    assert not torch.equal(prepare(images, 0), images)
    assert torch.equal(prepare(images, params.epochs - params.plain_epochs), images)


def test_a_prediction_does_not_depend_on_its_neighbours(fitted: Any) -> None:
    _, data, model = fitted("lenet")
    together = lenet.probabilities(model, data.test_images[:8])
    alone = np.concatenate([lenet.probabilities(model, data.test_images[i : i + 1]) for i in range(8)])
    np.testing.assert_allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((2, 27, 28), np.uint8), r"expected pictures of shape \(N, 28, 28\), found \(2, 27, 28\)"),
        (np.zeros((28, 28), np.uint8), r"found \(28, 28\)"),
        (np.full((1, 28, 28), 300), "expected intensities 0 to 255, found 300 to 300"),
        (np.full((1, 28, 28), -1), "found -1 to -1"),
        (np.full((1, 28, 28), np.nan), "found nan"),
    ],
)
def test_a_picture_that_is_none_is_refused(inputs: Any, message: str, fitted: Any) -> None:
    _, _, model = fitted("lenet")
    with pytest.raises(ValueError, match=message):
        lenet.predict(model, inputs)


def test_no_picture_gives_no_prediction(fitted: Any) -> None:
    _, _, model = fitted("lenet")
    assert len(lenet.predict(model, np.zeros((0, 28, 28), np.uint8))) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [({"epochs": 0}, "epochs"), ({"validation_share": 1.0}, "validation_share"), ({"shift": 28}, "shift")],
)
def test_a_parameter_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    import dataclasses

    with pytest.raises(ValueError, match=message):
        dataclasses.replace(Project(ROOT).case("lenet").params, **change)


def test_probabilities_follow_from_the_features_by_the_head_alone(fitted: Any) -> None:
    _, data, model = fitted("digits")
    features = lenet.features(model, data.test_images[:50])
    assert features.shape == (50, 84)
    with torch.inference_mode():
        logits = model.head(torch.from_numpy(features).float()).double()
    probabilities = (logits / model.facts["temperature"]).softmax(dim=1)
    np.testing.assert_allclose(probabilities, lenet.probabilities(model, data.test_images[:50]), atol=1e-6)
