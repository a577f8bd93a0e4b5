"""Groups of pictures without labels, and how a latent vector asks for one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from handbook import datasets
from handbook.training import modes
from handbook.training.adversarial import latents

SHARES = [0.5, 0.0, 0.3, 0.15, 0.05]


@pytest.fixture(scope="module")
def digits(samples: Callable[[str], Path]) -> Any:
    return datasets.page("mnist").load(samples("mnist")).train


def test_a_group_is_nearly_one_digit_though_no_label_was_seen(digits: Any) -> None:
    found = modes.groups(digits.images, 40, seed=0)
    counts = np.zeros((found.max() + 1, 10))
    np.add.at(counts, (found, digits.labels), 1)
    assert counts.max(axis=1).sum() / len(found) > 0.8
    one = np.unique(digits.labels, return_counts=True)[1].max() / len(found)
    assert one < 0.2  # what one group of all would have


def test_the_same_pictures_make_the_same_groups_and_few_of_them_fewer(digits: Any) -> None:
    assert np.array_equal(modes.groups(digits.images, 20, seed=3), modes.groups(digits.images, 20, seed=3))
    assert modes.groups(digits.images[:90], 40, seed=0).max() == 2
    assert modes.groups(digits.images[:20], 40, seed=0).max() == 0


def test_groups_are_drawn_as_often_as_there_were_pictures_of_them_and_noise_stays_normal() -> None:
    noise = np.random.default_rng(0).standard_normal((40_000, 3)).astype(np.float32)
    taken, group = modes.requested(noise, SHARES)
    drawn = np.bincount(group, minlength=len(SHARES))
    assert drawn[1] == 0
    expected = 40_000 * np.array(SHARES)
    assert stats.chisquare(drawn[expected > 0], expected[expected > 0]).pvalue > 1e-3
    for each in np.flatnonzero(expected):
        assert stats.kstest(taken[group == each, 0], "norm").pvalue > 1e-3
    assert np.array_equal(taken[:, 1:], noise[:, 1:])


def test_nothing_of_a_latent_vector_is_lost() -> None:
    noise = latents(np.arange(2000), 2)
    taken, group = modes.requested(noise, SHARES)
    starts = np.cumsum(SHARES) - SHARES
    back = starts[group] + np.array(SHARES)[group] * ndtr(taken[:, 0].astype(np.float64))
    np.testing.assert_allclose(back, ndtr(noise[:, 0].astype(np.float64)), atol=1e-6)


def test_numbers_however_far_out_ask_for_a_group_that_is_there() -> None:
    noise = np.array([[-40.0], [-9.0], [0.0], [9.0], [40.0]], np.float32)
    taken, group = modes.requested(noise, SHARES)
    assert np.isfinite(taken).all()
    assert group.tolist() == [0, 0, 2, 4, 4]
