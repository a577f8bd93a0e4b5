"""Laws of the sliced Wasserstein distance, against SciPy and by what it must see."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from handbook.evaluation import sliced


def pictures(n: int, seed: int = 0, side: int = 64) -> np.ndarray:
    """Smooth random pictures (n, side, side, 3)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (n, side // 8, side // 8, 3)).astype(np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


def test_a_set_is_at_no_distance_from_itself() -> None:
    mine = sliced.Slices(pictures(20), seed=0)
    assert sliced.distance(mine, sliced.Slices(pictures(20), seed=0)) == [0, 0, 0]


@given(shift=st.floats(-50, 50), n=st.integers(2, 60))
@settings(max_examples=30, deadline=None)
def test_in_one_dimension_a_shifted_set_lies_as_far_as_it_was_shifted(shift: float, n: int) -> None:
    values = np.random.default_rng(n).standard_normal((n, 1))
    found = sliced.sliced_wasserstein(values, values + shift, np.ones((1, 1)))
    assert found == pytest.approx(abs(shift), abs=1e-9)


def test_along_each_direction_it_is_scipys_distance() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((200, 5)), rng.exponential(size=(200, 5))
    directions = rng.standard_normal((12, 5))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    each = [wasserstein_distance(one @ along, other @ along) for along in directions]
    for along, expected in zip(directions, each, strict=True):
        assert sliced.sliced_wasserstein(one, other, along[None]) == pytest.approx(expected)
    assert sliced.sliced_wasserstein(one, other, directions) == pytest.approx(np.mean(each))


def test_it_is_symmetric_and_asks_for_sets_of_as_many() -> None:
    one, other = (sliced.Slices(pictures(12, seed), seed=0) for seed in (1, 2))
    assert sliced.distance(one, other) == sliced.distance(other, one)
    assert min(sliced.distance(one, other)) > 0
    with pytest.raises(ValueError, match="found 12 and 5"):
        sliced.distance(one, sliced.Slices(pictures(5), seed=0))


def test_blur_and_noise_are_seen_and_more_of_them_more() -> None:
    images = pictures(60)
    real = sliced.Slices(pictures(60, seed=7), seed=0)
    rng = np.random.default_rng(0)
    far = [
        np.mean(sliced.distance(sliced.Slices(np.clip(images + spread * noise, 0, 255).astype(np.uint8), 0), real))
        for noise in [rng.standard_normal(images.shape)]
        for spread in (0, 20, 60)
    ]
    assert far[0] < far[1] < far[2]


def test_a_grey_ground_is_forgiven_on_its_own_scale_and_not_on_that_of_the_other() -> None:
    images = pictures(40)
    grey = (images * 0.5 + 20).astype(np.uint8)
    real = sliced.Slices(images, seed=0)
    assert np.mean(sliced.distance(sliced.Slices(grey, 0), real)) < 0.02
    assert np.mean(sliced.distance(sliced.Slices(grey, 0, scale_of=real), real)) > 0.2


def test_the_levels_of_a_pyramid_add_up_to_the_picture() -> None:
    images = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    levels = sliced.pyramid(images)
    assert [level.shape[-1] for level in levels] == [64, 32, 16]
    whole = levels[-1]
    for level in levels[-2::-1]:
        whole = sliced.expanded(whole) + level
    torch.testing.assert_close(whole, images)


def test_a_flat_picture_has_no_detail() -> None:
    *details, rest = sliced.pyramid(torch.full((1, 3, 64, 64), 7.0))
    assert all(detail[:, :, 4:-4, 4:-4].abs().max() < 1e-5 for detail in details)
    torch.testing.assert_close(rest[:, :, 2:-2, 2:-2], torch.full((1, 3, 12, 12), 7.0))


def test_the_interval_lies_around_the_distance() -> None:
    one, other = (sliced.Slices(pictures(50, seed), seed=0) for seed in (1, 2))
    low, high = sliced.interval(one, other, np.random.default_rng(0))
    assert low < np.mean(sliced.distance(one, other)) < high
