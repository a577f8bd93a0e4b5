"""Adversarial losses, averaged weights, and distances between sets of pictures: closed forms and other libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from handbook import generation as g
from handbook.figures import mosaic, shares


def cloud(seed: int, number: int = 300, size: int = 5, shift: float = 0.0) -> Any:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((number, size)) @ rng.standard_normal((size, size)) + shift


def test_a_set_lies_at_no_distance_from_itself() -> None:
    assert g.frechet_distance(cloud(0), cloud(0)) == pytest.approx(0, abs=1e-9)


def test_the_frechet_distance_agrees_with_scipys_root_of_a_matrix() -> None:
    from scipy.linalg import sqrtm

    one, other = cloud(1), cloud(2, number=200, shift=0.5)
    c, c_ = np.cov(one.T), np.cov(other.T)
    jump = one.mean(axis=0) - other.mean(axis=0)
    expected = jump @ jump + np.trace(c + c_ - 2 * sqrtm(c @ c_).real)
    assert g.frechet_distance(one, other) == pytest.approx(expected)
    assert g.frechet_distance(other, one) == pytest.approx(expected)


def test_gaussians_with_independent_coordinates_have_the_known_distance() -> None:
    base = cloud(3, number=4000)
    white = np.linalg.solve(np.linalg.cholesky(np.cov(base.T)), (base - base.mean(axis=0)).T).T
    s, s_ = np.array([1, 2, 3, 4, 5.0]), np.array([2, 2, 1, 1, 0.5])
    assert g.frechet_distance(white * s, white * s_ + 3) == pytest.approx(5 * 9 + np.square(s - s_).sum())


def test_a_collapsed_set_has_a_distance_all_the_same() -> None:
    assert g.frechet_distance(cloud(4), np.zeros((300, 5))) > 1


@pytest.mark.parametrize("wrong", [np.zeros((1, 5)), np.zeros(5)])
def test_a_distance_of_too_little_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"expected features of shape \(N, D\) of 2 pictures or more"):
        g.frechet_distance(cloud(0), wrong)


def test_the_interval_holds_the_distance_and_shrinks_with_more_pictures() -> None:
    wide, narrow = (g.frechet_interval(cloud(5, n), cloud(5, n, shift=1), np.random.default_rng(0)) for n in (50, 5000))
    found = g.frechet_distance(cloud(5, 5000), cloud(5, 5000, shift=1))
    assert narrow[0] <= found <= narrow[1]
    assert narrow[1] - narrow[0] < (wide[1] - wide[0]) / 3
    assert narrow == g.frechet_interval(cloud(5, 5000), cloud(5, 5000, shift=1), np.random.default_rng(0))


def test_precision_and_recall_of_identical_sets_are_one_and_of_disjoint_sets_nought() -> None:
    assert g.precision_recall(cloud(6), cloud(6)) == (1, 1)
    assert g.precision_recall(cloud(6), cloud(6, shift=1e3)) == (0, 0)


def test_what_is_made_of_one_kind_only_is_precise_and_recalls_half() -> None:
    left, right = cloud(7), cloud(8, shift=1e3)
    assert g.precision_recall(np.concatenate([left, right]), left) == (1, 0.5)
    assert g.precision_recall(left, np.concatenate([left, right])) == (0.5, 1)


def test_precision_agrees_with_a_plain_loop() -> None:
    real, made = cloud(9, 40), cloud(10, 40)
    reach = [sorted(np.linalg.norm(real - each, axis=1))[3] for each in real]
    inside = [any(np.linalg.norm(x - y) <= r for y, r in zip(real, reach, strict=True)) for x in made]
    assert g.precision_recall(real, made)[0] == pytest.approx(np.mean(inside))


def test_too_few_pictures_for_neighbours_are_refused() -> None:
    with pytest.raises(ValueError, match="expected more than 3 pictures of each kind, found 300 and 3"):
        g.precision_recall(cloud(0), cloud(0, 3))


def test_the_nearest_picture_of_one_that_is_there_is_itself() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (1500, 8, 8), dtype=np.uint8)
    distance, place = g.nearest(pictures[:1200], pictures)
    assert place.tolist() == list(range(1200))
    np.testing.assert_array_equal(distance, 0)
    distance, _ = g.nearest(pictures[:3], pictures[5:6])
    expected = np.linalg.norm((pictures[:3].astype(float) - pictures[5]).reshape(3, -1), axis=1)
    np.testing.assert_allclose(distance, expected, rtol=1e-5)


def test_a_copier_memorises_and_the_held_out_share_is_what_chance_gives() -> None:
    held_out = np.random.default_rng(0).gamma(5, size=2000)
    assert g.memorised(np.zeros(100), held_out) == 1
    assert g.memorised(held_out, held_out) == pytest.approx(0.05)


def test_averaged_weights_equal_their_closed_form() -> None:
    torch.manual_seed(0)
    module, averaged = (
        nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)),
        nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)),
    )
    start = {name: value.clone() for name, value in averaged.state_dict().items()}
    seen: list[dict[str, Any]] = []
    for _ in range(7):
        with torch.no_grad():
            module[0].weight.normal_()
        module(torch.randn(4, 3))
        seen.append({name: value.clone() for name, value in module.state_dict().items()})
        g.follow(averaged, module, 0.8)
    for name, value in averaged.state_dict().items():
        if value.is_floating_point():
            trail = sum(0.2 * 0.8 ** (6 - k) * each[name] for k, each in enumerate(seen))
            torch.testing.assert_close(value, 0.8**7 * start[name] + trail)
        else:
            assert value == 7


def test_averaging_warms_up_and_without_decay_is_the_last_weights() -> None:
    module, averaged = nn.Linear(2, 2), nn.Linear(2, 2)
    start = averaged.weight.detach().clone()
    g.follow(averaged, module, 0.999, step=0)
    torch.testing.assert_close(averaged.weight, 0.1 * start + 0.9 * module.weight)
    g.follow(averaged, module, 0.0)
    torch.testing.assert_close(averaged.weight, module.weight)


def test_the_penalty_of_a_linear_critic_is_known() -> None:
    w = torch.tensor([3.0, 4.0])
    real, made = torch.randn(6, 2), torch.randn(6, 2)
    assert float(g.gradient_penalty(lambda x: x @ w, real, made)) == pytest.approx(16)
    real.requires_grad_()
    assert float(g.zero_centred_penalty(real @ w, real)) == pytest.approx(25)


def test_a_penalty_teaches_the_critic() -> None:
    w = torch.tensor([3.0, 4.0], requires_grad=True)
    g.gradient_penalty(lambda x: x @ w, torch.randn(6, 2), torch.randn(6, 2)).backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(w.grad, 2 * (5 - 1) * w.detach() / 5)


def test_the_standard_game_is_cross_entropy_with_one_sided_smoothing() -> None:
    real, made = torch.randn(8), torch.randn(8)
    game = g.standard(0.1)
    expected = F.binary_cross_entropy_with_logits(real, torch.full((8,), 0.9)) + F.binary_cross_entropy_with_logits(
        made, torch.zeros(8)
    )
    torch.testing.assert_close(game.discriminator(real, made), expected)
    torch.testing.assert_close(game.generator(made), F.binary_cross_entropy_with_logits(made, torch.ones(8)))


@pytest.mark.parametrize("name", g.GAMES)
def test_in_every_game_higher_scores_please_the_generator(name: str) -> None:
    made = torch.zeros(4, requires_grad=True)
    g.GAMES[name]().generator(made).backward()  # type: ignore[no-untyped-call]
    assert made.grad is not None
    assert (made.grad < 0).all()


def test_the_hinge_is_content_beyond_one() -> None:
    assert float(g.hinge().discriminator(torch.full((3,), 1.5), torch.full((3,), -1.5))) == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 700), st.integers(1, 20), st.integers(1, 99))
def test_draws_are_whole_batches_of_different_samples(number: int, size: int, steps: int) -> None:
    draws = g.Draws(torch.arange(number), size=size, steps=steps, seed=1)
    parts = [part for (part,) in draws]
    drawn = torch.cat(parts)
    wide = max(1, min(size, number // g.FEWEST))
    assert {len(part) for part in parts} == {wide}
    assert len(parts) == len(draws) == min(steps, number // wide)
    assert len(drawn) == draws.samples == len(drawn.unique())


def test_draws_depend_on_seed_and_epoch_alone() -> None:
    def drawn(seed: int, epoch: int) -> list[int]:
        draws = g.Draws(torch.arange(50), size=4, steps=3, seed=seed)
        draws.set_epoch(epoch)
        return [int(x) for (part,) in draws for x in part]

    assert drawn(0, 3) == drawn(0, 3)
    assert drawn(0, 3) != drawn(0, 4)
    assert drawn(0, 3) != drawn(1, 3)


def test_a_seed_gives_the_same_latent_vector_in_any_company() -> None:
    together = g.latents(np.array([3, 5, 8]), 100)
    np.testing.assert_array_equal(together[1:2], g.latents(np.array([5]), 100))
    assert g.latents(np.array([], dtype=int), 100).shape == (0, 100)
    many = g.latents(np.arange(500), 100)
    assert abs(many.mean()) < 0.02
    assert abs(many.std() - 1) < 0.02


def test_a_way_along_the_sphere_starts_and_ends_where_it_should_and_keeps_its_length() -> None:
    start, end = F.normalize(torch.randn(2, 100, dtype=torch.float64), dim=1) * 10
    way = g.great_circle(start, end, 9)
    torch.testing.assert_close(way[[0, -1]], torch.stack([start, end]))
    torch.testing.assert_close(way.norm(dim=1), torch.full((9,), 10.0, dtype=torch.float64))
    angles = F.cosine_similarity(way[1:], way[:-1], dim=1)
    torch.testing.assert_close(angles, angles[:1].expand(8))


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 5, 3)])
def test_bytes_become_pixels_and_bytes_again(shape: tuple[int, ...]) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    pixels = g.as_pixels(torch.from_numpy(pictures))
    assert pixels.shape == (3, 3 if len(shape) == 4 else 1, 4, 5)
    assert -1 <= pixels.min() < pixels.max() <= 1
    np.testing.assert_array_equal(g.as_bytes(pixels), pictures)


def test_a_pixel_gaussian_has_the_mean_and_covariance_of_its_pictures() -> None:
    pictures = np.random.default_rng(0).integers(90, 160, (500, 2, 2), dtype=np.uint8)
    pictures[:, 0, 0] = pictures[:, 0, 1]
    drawn = g.pixel_gaussian(pictures, 20_000, np.random.default_rng(1))
    flat, flat_ = pictures.reshape(500, -1).astype(float), drawn.reshape(20_000, -1).astype(float)
    np.testing.assert_allclose(flat_.mean(axis=0), flat.mean(axis=0), atol=1)
    np.testing.assert_allclose(np.cov(flat_.T), np.cov(flat.T), atol=15)


def test_pixel_by_pixel_each_pixel_has_its_own_values() -> None:
    pictures = np.array([[[0, 10]], [[1, 11]]], np.uint8)
    drawn = g.pixel_by_pixel(pictures, 400, np.random.default_rng(0))
    assert drawn.shape == (400, 1, 2)
    assert {tuple(each) for each in drawn[:, 0].tolist()} == {(0, 10), (0, 11), (1, 10), (1, 11)}


def test_collapse_is_told_for_a_constant_generator_and_not_for_an_even_one() -> None:
    told = g.collapse(np.eye(10)[3], 0.0, 0.05, 0.2)
    assert told.startswith("Mode collapse: class 0 (0.0%), 1 (0.0%)")
    assert "recall 0.00 below 0.20" in told
    assert g.collapse(np.full(10, 0.1), 0.6, 0.05, 0.2) == ""


@pytest.mark.parametrize("colour", [(), (3,)])
def test_a_mosaic_shows_every_picture_as_it_is(colour: tuple[int, ...]) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 5, 28, 28, *colour), dtype=np.uint8)
    shown = mosaic(pictures, "two rows of five", ["a", "b"], list("12345")).axes[0].images[0].get_array()
    np.testing.assert_array_equal(shown[30:58, 60:88], pictures[1, 2])


def test_shares_are_drawn_a_bar_a_class_and_group() -> None:
    figure = shares(list("abc"), {"made": np.array([0.2, 0.3, 0.5]), "real": np.full(3, 1 / 3)}, "shares", (0.1,))
    assert [round(bar.get_height()) for bar in figure.axes[0].patches] == [20, 30, 50, 33, 33, 33]
