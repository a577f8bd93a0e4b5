"""The laws of the lab `few_labels`: draws are fair, losses are what their papers say, and few labels teach."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from handbook import datasets
from handbook.labs.few_labels import network, noisy_labels, pictures, semi_supervised, transfer
from handbook.labs.few_labels.pictures import Found, Given


@pytest.fixture(scope="module")
def digits(samples: Callable[[str], Path]) -> Given:
    return Given.of(datasets.page("mnist").load(samples("mnist")))


def test_a_draw_has_as_many_of_every_class_none_twice_and_a_smaller_one_is_in_it() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 500)
    rows = pictures.drawn(labels, 20, np.random.default_rng(1))
    assert rows.shape == (10, 20)
    assert len(np.unique(rows)) == 200
    assert (labels[rows] == np.arange(10)[:, None]).all()
    assert not np.array_equal(rows, pictures.drawn(labels, 20, np.random.default_rng(2)))


def test_pictures_are_standardised_by_those_to_learn_from_alone(digits: Given) -> None:
    x, y, new, answers = digits.arrays()
    assert (x.shape[1], len(x), len(new)) == (784, len(y), len(answers))
    assert x.mean() == pytest.approx(0, abs=1e-4)
    assert x.std() == pytest.approx(1, abs=1e-4)
    other = Given(digits.pictures, digits.labels, bytes(len(digits.new)), digits.answers).arrays()
    np.testing.assert_array_equal(other[0], x)
    assert np.ptp(other[2]) == 0


@pytest.mark.parametrize("draws", [3, 5])
def test_the_interval_over_draws_is_students(draws: int) -> None:
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(0).normal(size=(4, draws))
    mean, half = pictures.mean_and_half(values)
    low, high = ttest_1samp(values, 0, axis=1).confidence_interval()
    np.testing.assert_allclose((mean - half, mean + half), (low, high))


def test_a_gain_is_paired_and_only_what_is_beyond_its_interval_is_sure() -> None:
    luck = np.array([-0.3, 0.0, 0.3])  # of the draws, which both methods share
    found = Found((10, 100), {"a": 0.5 + np.stack([luck, luck]), "b": 0.5 + np.stack([luck - 0.01, -luck])})
    assert found.surely("a", "b") == [10]
    assert found.surely("b", "a", -1) == [10]
    assert found.facts("b")["10 labels, a over b"] == pytest.approx(0.01)


def test_a_network_that_starts_from_another_has_its_features_and_a_head_of_its_own(digits: Given) -> None:
    x = digits.arrays()[0][:50]
    first, own = network.start(1), network.start(2)
    moved, half = network.start(2, first), network.start(2, first, kernels_alone=True)
    for k, equal in ((0, True), (1, False)):
        np.testing.assert_array_equal(moved.features(x)[k], first.features(x)[k])
        assert np.array_equal(half.features(x)[k], first.features(x)[k]) is equal
    assert torch.equal(moved.head.weight, own.head.weight)
    before = first.features(x)[1]
    network.train(moved, x, np.arange(50) % 10, F.cross_entropy, steps=3, rate=0.01, seed=0)
    np.testing.assert_array_equal(first.features(x)[1], before)  # the source stays as it was
    assert not np.array_equal(moved.features(x)[1], before)


def test_training_is_the_same_twice_and_leaves_the_global_stream_alone(digits: Given) -> None:
    x, y = digits.arrays()[0][:80], digits.arrays()[1][:80]
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    runs = [network.train(network.start(3), x, y, F.cross_entropy, steps=4, rate=0.01, seed=7) for _ in range(2)]
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(*pair) for pair in zip(*(each.parameters() for each in runs), strict=True))


@pytest.mark.parametrize(("rows", "steps"), [(10, 7), (64, 3), (150, 9)])
def test_batches_pass_over_all_rows_before_any_comes_again(rows: int, steps: int) -> None:
    parts = list(network.batches(rows, steps, np.random.default_rng(0)))
    seen = torch.cat(parts).numpy()
    assert len(parts) == steps
    assert {len(each) for each in parts} == {min(rows, network.BATCH)}
    for start in range(0, len(seen) - rows + 1, rows):
        assert len(set(seen[start : start + rows])) == rows


def scores() -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    return torch.tensor(3 * rng.normal(size=(40, 10)), requires_grad=True), torch.from_numpy(rng.integers(0, 10, 40))


def test_generalised_cross_entropy_lies_between_cross_entropy_and_the_probability_that_is_missing() -> None:
    logits, labels = scores()
    p = logits.softmax(dim=1).gather(1, labels[:, None])
    at = {q: noisy_labels.generalised_cross_entropy(logits, labels, q) for q in (1e-7, 0.7, 1.0)}
    torch.testing.assert_close(at[1e-7], F.cross_entropy(logits, labels), rtol=1e-5, atol=0)
    torch.testing.assert_close(at[1.0], (1 - p).mean())
    torch.testing.assert_close(at[0.7], ((1 - p**0.7) / 0.7).mean())


def test_its_gradient_is_that_of_cross_entropy_weighted_by_the_power_of_the_probability() -> None:
    logits, labels = scores()
    weight = logits.softmax(dim=1).gather(1, labels[:, None]).detach() ** noisy_labels.Q
    (ours,) = torch.autograd.grad(noisy_labels.generalised_cross_entropy(logits, labels), logits)
    (plain,) = torch.autograd.grad(F.cross_entropy(logits, labels), logits)
    torch.testing.assert_close(ours, weight * plain)


@pytest.mark.parametrize("share", noisy_labels.NOISE)
def test_exactly_the_share_is_wrong_and_every_other_class_is_as_likely(share: float) -> None:
    labels = np.random.default_rng(1).integers(0, 10, 9_000)
    changed = noisy_labels.noisy(labels, share, np.random.default_rng(2))
    wrong = changed != labels
    assert wrong.sum() == round(share * 9_000)
    if share:
        moved = np.bincount((changed - labels)[wrong] % 10, minlength=10)
        assert moved[0] == 0
        assert np.abs(moved[1:] / wrong.sum() - 1 / 9).max() < 0.03


def test_more_noise_keeps_the_wrong_labels_of_less() -> None:
    labels = np.zeros(100, np.int64)
    some, more = (noisy_labels.noisy(labels, share, np.random.default_rng(0)) for share in (0.2, 0.4))
    assert set(np.flatnonzero(some)) < set(np.flatnonzero(more))


def rings() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two rings, one label on each, and points between those of the rings: what a straight line cannot part."""
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x, partly = np.concatenate([ring, 3 * ring]), np.full(120, -1)
    partly[[0, 60]] = 0, 1
    turn = 0.02 + angle
    new = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return x, partly, np.concatenate([new, 3 * new])


def test_labels_flow_along_rings_that_labels_alone_cannot_part() -> None:
    x, partly, new = rings()
    found = semi_supervised.guesses(x, partly, new)
    right = {name: (guess == np.repeat([0, 1], 60)).mean() for name, guess in found.items()}
    assert right["label propagation"] == right["label spreading"] == 1
    assert max(right["logistic regression"], right["nearest neighbour"], right["self-training"]) < 0.8


def test_those_that_have_labels_alone_look_at_no_other_row() -> None:
    x, partly, new = rings()
    moved = np.where(partly[:, None] >= 0, x, -x[::-1])
    one, other = (semi_supervised.guesses(each, partly, new) for each in (x, moved))
    assert all(np.array_equal(one[name], other[name]) for name in semi_supervised.ALONE)


def test_a_hundred_labels_beat_ten_and_chance_by_every_method(digits: Given) -> None:
    found = semi_supervised.measured(digits)
    assert found.labels == (10, 100)
    assert all(values[0].mean() < values[1].mean() for values in found.accuracy.values())
    assert all(values[0].mean() > 0.3 for values in found.accuracy.values())
    assert found.accuracy["label spreading"].shape == (2, semi_supervised.PART[1])


def test_what_was_learnt_elsewhere_beats_chance_here(digits: Given) -> None:
    plan = transfer.Plan((10, 100), 2, 20, 60)
    source = transfer.learnt(digits, plan)
    found = transfer.few(source, source, digits, plan)  # its own task, so that its features must serve
    assert found.accuracy["features, frozen"].mean() > found.accuracy["from scratch"].mean()
    assert found.ceiling > 0.5
    assert found.most == len(digits.labels)
