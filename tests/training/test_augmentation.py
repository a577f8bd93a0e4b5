"""Varied pictures: mirrored, moved or with a black square, and otherwise as they were."""

from __future__ import annotations

import torch

from handbook.training import augmentation

IMAGES = torch.randint(1, 256, (400, 28, 28), generator=torch.Generator().manual_seed(0)).float()


def test_half_of_the_pictures_are_mirrored_and_the_others_as_they_were() -> None:
    torch.manual_seed(0)
    varied = augmentation.mirrored(IMAGES)
    same = (varied == IMAGES).flatten(1).all(dim=1)
    turned = (varied == IMAGES.flip(2)).flatten(1).all(dim=1)
    assert (same ^ turned).all()
    assert 150 < int(turned.sum()) < 250


def test_a_picture_is_moved_by_no_more_than_was_asked_for_and_by_every_distance() -> None:
    torch.manual_seed(0)
    point = torch.zeros(400, 28, 28)
    point[:, 14, 14] = 1
    moved = augmentation.shifted(point, 2)
    assert (moved.flatten(1).sum(dim=1) == 1).all()
    places = moved.nonzero()[:, 1:] - 14
    assert {tuple(each) for each in places.tolist()} == {(a, b) for a in range(-2, 3) for b in range(-2, 3)}
    assert torch.equal(augmentation.shifted(IMAGES, 0), IMAGES)


def test_what_comes_in_is_black() -> None:
    torch.manual_seed(0)
    moved = augmentation.shifted(torch.ones(400, 28, 28), 3)
    assert set(moved.unique().tolist()) == {0.0, 1.0}
    assert moved[:, 3:-3, 3:-3].min() == 1


def test_an_erased_square_is_black_and_whole_unless_it_reaches_over_an_edge() -> None:
    torch.manual_seed(0)
    black = augmentation.erased(IMAGES, 6) == 0
    counts = black.flatten(1).sum(dim=1)
    assert counts.max() == 36
    assert counts.min() >= 9  # its middle is on the picture
    rows, columns = black.any(dim=2).sum(dim=1), black.any(dim=1).sum(dim=1)
    assert torch.equal(rows * columns, counts)
