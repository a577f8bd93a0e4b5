"""Adversarial losses, averaged weights, and distances between sets of pictures: closed forms and other libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from handbook.evaluation import likeness


def cloud(seed: int, number: int = 300, size: int = 5, shift: float = 0.0) -> Any:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((number, size)) @ rng.standard_normal((size, size)) + shift


def test_a_set_lies_at_no_distance_from_itself() -> None:
    assert likeness.frechet_distance(cloud(0), cloud(0)) == pytest.approx(0, abs=1e-9)


def test_the_frechet_distance_agrees_with_scipys_root_of_a_matrix() -> None:
    from scipy.linalg import sqrtm

    one, other = cloud(1), cloud(2, number=200, shift=0.5)
    c, c_ = np.cov(one.T), np.cov(other.T)
    jump = one.mean(axis=0) - other.mean(axis=0)
    expected = jump @ jump + np.trace(c + c_ - 2 * sqrtm(c @ c_).real)
    assert likeness.frechet_distance(one, other) == pytest.approx(expected)
    assert likeness.frechet_distance(other, one) == pytest.approx(expected)


def test_gaussians_with_independent_coordinates_have_the_known_distance() -> None:
    base = cloud(3, number=4000)
    white = np.linalg.solve(np.linalg.cholesky(np.cov(base.T)), (base - base.mean(axis=0)).T).T
    s, s_ = np.array([1, 2, 3, 4, 5.0]), np.array([2, 2, 1, 1, 0.5])
    assert likeness.frechet_distance(white * s, white * s_ + 3) == pytest.approx(5 * 9 + np.square(s - s_).sum())


def test_a_collapsed_set_has_a_distance_all_the_same() -> None:
    assert likeness.frechet_distance(cloud(4), np.zeros((300, 5))) > 1


@pytest.mark.parametrize("wrong", [np.zeros((1, 5)), np.zeros(5)])
def test_a_distance_of_too_little_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"expected features of shape \(N, D\) of 2 pictures or more"):
        likeness.frechet_distance(cloud(0), wrong)


def test_the_interval_holds_the_distance_and_shrinks_with_more_pictures() -> None:
    wide, narrow = (
        likeness.frechet_interval(cloud(5, n), cloud(5, n, shift=1), np.random.default_rng(0)) for n in (50, 5000)
    )
    found = likeness.frechet_distance(cloud(5, 5000), cloud(5, 5000, shift=1))
    assert narrow[0] <= found <= narrow[1]
    assert narrow[1] - narrow[0] < (wide[1] - wide[0]) / 3
    assert narrow == likeness.frechet_interval(cloud(5, 5000), cloud(5, 5000, shift=1), np.random.default_rng(0))


def test_precision_and_recall_of_identical_sets_are_one_and_of_disjoint_sets_zero() -> None:
    assert likeness.precision_recall(cloud(6), cloud(6)) == (1, 1)
    assert likeness.precision_recall(cloud(6), cloud(6, shift=1e3)) == (0, 0)


def test_what_is_made_of_one_kind_only_is_precise_and_recalls_half() -> None:
    left, right = cloud(7), cloud(8, shift=1e3)
    assert likeness.precision_recall(np.concatenate([left, right]), left) == (1, 0.5)
    assert likeness.precision_recall(left, np.concatenate([left, right])) == (0.5, 1)


def test_precision_agrees_with_a_plain_loop() -> None:
    real, generated = cloud(9, 40), cloud(10, 40)
    reach = [sorted(np.linalg.norm(real - each, axis=1))[3] for each in real]
    inside = [any(np.linalg.norm(x - y) <= r for y, r in zip(real, reach, strict=True)) for x in generated]
    assert likeness.precision_recall(real, generated)[0] == pytest.approx(np.mean(inside))


def test_each_figure_has_the_name_that_the_field_gives_it() -> None:
    rng = np.random.default_rng(0)
    real, drawn = rng.normal(size=(60, 4)), rng.normal(0, 0.3, (60, 4))  # of the middle alone
    found = likeness.likeness(real, drawn)
    assert found["precision"] > 0.9
    assert found["recall"] < 0.5
    assert found["frechet_distance"] == likeness.frechet_distance(real, drawn)


def test_too_few_pictures_for_neighbours_are_refused() -> None:
    with pytest.raises(ValueError, match="expected more than 3 pictures of each kind, found 300 and 3"):
        likeness.precision_recall(cloud(0), cloud(0, 3))


def test_the_nearest_picture_of_one_that_is_there_is_itself() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (1500, 8, 8), dtype=np.uint8)
    distance, place = likeness.nearest(pictures[:1200], pictures)
    assert place.tolist() == list(range(1200))
    np.testing.assert_array_equal(distance, 0)
    distance, _ = likeness.nearest(pictures[:3], pictures[5:6])
    expected = np.linalg.norm((pictures[:3].astype(float) - pictures[5]).reshape(3, -1), axis=1)
    np.testing.assert_allclose(distance, expected, rtol=1e-5)


def test_a_copier_memorises_and_the_held_out_share_is_what_chance_gives() -> None:
    held_out = np.random.default_rng(0).gamma(5, size=2000)
    assert likeness.memorised(np.zeros(100), held_out) == 1
    assert likeness.memorised(held_out, held_out) == pytest.approx(0.05)


def test_a_way_along_the_sphere_starts_and_ends_where_it_should_and_keeps_its_length() -> None:
    start, end = F.normalize(torch.randn(2, 100, dtype=torch.float64), dim=1) * 10
    way = likeness.great_circle(start, end, 9)
    torch.testing.assert_close(way[[0, -1]], torch.stack([start, end]))
    torch.testing.assert_close(way.norm(dim=1), torch.full((9,), 10.0, dtype=torch.float64))
    angles = F.cosine_similarity(way[1:], way[:-1], dim=1)
    torch.testing.assert_close(angles, angles[:1].expand(8))


def test_a_pixel_gaussian_has_the_mean_and_covariance_of_its_pictures() -> None:
    pictures = np.random.default_rng(0).integers(90, 160, (500, 2, 2), dtype=np.uint8)
    pictures[:, 0, 0] = pictures[:, 0, 1]
    drawn = likeness.pixel_gaussian(pictures, 20_000, np.random.default_rng(1))
    flat, flat_ = pictures.reshape(500, -1).astype(float), drawn.reshape(20_000, -1).astype(float)
    np.testing.assert_allclose(flat_.mean(axis=0), flat.mean(axis=0), atol=1)
    np.testing.assert_allclose(np.cov(flat_.T), np.cov(flat.T), atol=15)


def test_pixel_by_pixel_each_pixel_has_its_own_values() -> None:
    pictures = np.array([[[0, 10]], [[1, 11]]], np.uint8)
    drawn = likeness.pixel_by_pixel(pictures, 400, np.random.default_rng(0))
    assert drawn.shape == (400, 1, 2)
    assert {tuple(each) for each in drawn[:, 0].tolist()} == {(0, 10), (0, 11), (1, 10), (1, 11)}


def test_collapse_is_reported_for_a_constant_generator_and_not_for_an_even_one() -> None:
    reported = likeness.collapse(np.eye(10)[3], 0.0, 0.05, 0.2)
    assert reported.startswith("Mode collapse: class 0 (0.0%), 1 (0.0%)")
    assert "recall 0.00 below 0.20" in reported
    assert likeness.collapse(np.full(10, 0.1), 0.6, 0.05, 0.2) == ""


def test_precision_and_recall_change_places_with_their_sets_and_scale_changes_neither() -> None:
    one, other = cloud(3, 120), cloud(4, 150, shift=0.5)
    precision, recall = likeness.precision_recall(one, other)
    assert likeness.precision_recall(other, one) == (recall, precision)
    assert likeness.precision_recall(7 * one + 3, 7 * other + 3) == (precision, recall)


def test_the_frechet_distance_is_symmetric_and_grows_with_the_square_of_a_shift() -> None:
    one, other = cloud(5), cloud(6)
    found = likeness.frechet_distance(one, other)
    assert likeness.frechet_distance(other, one) == pytest.approx(found)
    shift = np.arange(5.0)
    assert likeness.frechet_distance(one, one + shift) == pytest.approx(np.square(shift).sum())


def test_the_nearest_agrees_with_scipys_tree() -> None:
    from scipy.spatial import cKDTree

    one, other = cloud(7, 90), cloud(8, 110)
    distance, place = likeness.nearest(one, other)
    theirs, index = cKDTree(other).query(one)
    np.testing.assert_allclose(distance, theirs, rtol=1e-5)
    np.testing.assert_array_equal(place, index)
