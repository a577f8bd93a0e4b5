"""What pixels add to an answer: all of it, nothing where there is nothing, and drawn so that anybody can read it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from handbook.serving.reasons.gradients import AGAINST, FOR, integrated, log_odds, overlay

CLASSES, SIDE = 3, 6


@pytest.fixture
def network() -> nn.Module:
    """A small convolutional network, pictures (N, 6, 6) in."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Unflatten(1, (1, SIDE)), nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, CLASSES)
    ).eval()


@pytest.fixture
def pictures() -> Any:
    return np.random.default_rng(0).integers(0, 4, (5, SIDE, SIDE)).astype(np.uint8)


@pytest.mark.parametrize("ground", [0, 3])
def test_the_parts_are_the_log_odds_less_those_of_an_empty_picture(network: Any, pictures: Any, ground: int) -> None:
    parts, base = integrated(network, pictures, ground)
    logits = network(torch.from_numpy(pictures.astype(np.float32))).detach().double()
    expected = log_odds(logits, logits.argmax(dim=1)).numpy()
    np.testing.assert_allclose(base + parts.sum(axis=(1, 2)), expected, atol=0.02 * np.abs(expected - base).max())


def test_of_a_linear_network_of_two_classes_each_pixel_gets_its_weight_times_its_light(pictures: Any) -> None:
    weights = torch.linspace(-0.1, 0.1, SIDE * SIDE).reshape(1, -1)
    linear = nn.Linear(SIDE * SIDE, 2, bias=False)
    linear.weight.data = torch.cat([weights, -weights])
    parts, base = integrated(nn.Sequential(nn.Flatten(), linear), pictures, 0)
    sign = np.where((pictures.reshape(5, -1) @ weights[0].double().numpy()) >= 0, 1, -1)
    expected = 2 * sign[:, None] * weights.double().numpy() * pictures.reshape(5, -1)
    np.testing.assert_allclose(parts.reshape(5, -1), expected, atol=1e-5)
    np.testing.assert_allclose(base, 0, atol=1e-6)


def test_where_a_picture_shows_its_ground_nothing_is_credited(network: Any, pictures: Any) -> None:
    parts, _ = integrated(network, pictures, 2)
    assert (parts[pictures == 2] == 0).all()
    assert (parts[pictures != 2] != 0).any()


def test_log_odds_are_those_of_the_probability() -> None:
    logits, answer = torch.tensor([[1.0, 2.0, -1.0], [0.0, 0.0, 0.0]]).double(), torch.tensor([1, 2])
    chance = logits.softmax(dim=1).gather(1, answer[:, None])[:, 0]
    torch.testing.assert_close(log_odds(logits, answer), (chance / (1 - chance)).log())


def test_an_overlay_fills_squares_for_the_answer_and_leaves_those_against_it_hollow() -> None:
    parts = np.zeros((28, 28))
    parts[3, 4], parts[10, 20] = 1.0, -1.0
    drawn = overlay(np.full((28, 28), 100, np.uint8), parts)
    cell = len(drawn) // 28
    positive, negative, plain = (
        drawn[r * cell : (r + 1) * cell, c * cell : (c + 1) * cell] for r, c in ((3, 4), (10, 20), (0, 0))
    )
    assert (positive == FOR).all()
    assert (negative[0] == AGAINST).all()
    assert (negative[cell // 2, cell // 2] == plain[0, 0]).all()
    assert len(np.unique(plain)) == 1


def test_an_overlay_of_a_picture_that_nothing_speaks_for_is_the_picture() -> None:
    drawn = overlay(np.full((64, 64, 3), 200, np.uint8), np.zeros((64, 64, 3)))
    assert drawn.shape == (320, 320, 3)
    assert len(np.unique(drawn)) == 1
