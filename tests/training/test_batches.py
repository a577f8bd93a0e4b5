"""Batches: each sample once, in an order that seed and epoch decide."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from handbook.data.images import Pictures
from handbook.data.tables import Table
from handbook.training import batches
from handbook.training.batches import Batches


@pytest.mark.parametrize("size", [1, 7, 50, 64])
def test_an_epoch_shows_each_sample_once(size: int) -> None:
    shown = Batches(torch.arange(50), torch.arange(50) * 2, size=size, seed=3)
    seen = [torch.cat(part) for part in zip(*shown, strict=True)]
    assert sorted(seen[0].tolist()) == list(range(50))
    assert torch.equal(seen[1], seen[0] * 2)
    assert len(list(shown)) == len(shown)


def test_an_epoch_depends_on_seed_and_number_alone() -> None:
    def order(seed: int, epoch: int, before: int = 0) -> list[int]:
        shown = Batches(torch.arange(50), size=8, seed=seed)
        for earlier in range(before):
            shown.set_epoch(earlier)
            list(shown)
        shown.set_epoch(epoch)
        torch.rand(epoch)  # whatever was drawn elsewhere does not matter
        return [int(x) for (batch,) in shown for x in batch]

    assert order(1, 4) == order(1, 4, before=4)
    assert order(1, 4) != order(1, 5)
    assert order(1, 4) != order(2, 4)


def test_without_a_seed_the_order_is_kept() -> None:
    assert torch.equal(torch.cat([b for (b,) in Batches(torch.arange(9), size=4)]), torch.arange(9))


@pytest.mark.parametrize(("share", "held_out"), [(0.0, 0), (0.25, 25), (0.999, 100)])
def test_a_split_shares_out_every_sample(share: float, held_out: int) -> None:
    kept, out = batches.split(100, share, seed=1)
    assert len(out) == held_out
    assert sorted([*kept.tolist(), *out.tolist()]) == list(range(100))


def test_what_prepares_a_batch_is_handed_the_epoch_and_changes_the_first_tensor_alone() -> None:
    shown = Batches(torch.zeros(6), torch.arange(6), size=4, seed=0, prepare=lambda first, epoch: first + epoch)
    shown.set_epoch(3)
    first, second = (torch.cat(part) for part in zip(*shown, strict=True))
    assert first.tolist() == [3.0] * 6
    assert sorted(second.tolist()) == list(range(6))


def test_pictures_and_labels_keep_their_order_and_their_values() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)
    images.flags.writeable = False  # as a file that is mapped
    labels = np.array([3, 1, 4, 1, 5], np.uint8)
    shown, numbers = batches.tensors(Pictures(images, labels, tuple("abcdef")))
    assert np.array_equal(shown.cpu().numpy(), images)
    assert (numbers.tolist(), numbers.dtype) == ([3, 1, 4, 1, 5], torch.int64)


def test_nothing_is_held_out_where_the_share_holds_no_row() -> None:
    table = Table(pd.DataFrame({"x": range(10)}), np.arange(10), ())
    kept, watched = batches.held_out(table, 0.3, seed=1)
    assert watched is not None
    assert sorted([*kept.features["x"], *watched.features["x"]]) == list(range(10))
    assert len(watched) == 3
    assert batches.held_out(table, 0.04, seed=1)[1] is None
