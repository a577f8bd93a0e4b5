"""Batches, history, and resuming to the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from handbook import datasets
from handbook.cases import lenet
from handbook.project import Project
from handbook.runs import Run
from handbook.training import Batches, split
from handbook.training.loop import _means
from tests.conftest import ROOT, brief


@pytest.mark.parametrize("size", [1, 7, 50, 64])
def test_an_epoch_shows_each_sample_once(size: int) -> None:
    batches = Batches(torch.arange(50), torch.arange(50) * 2, size=size, seed=3)
    seen = [torch.cat(part) for part in zip(*batches, strict=True)]
    assert sorted(seen[0].tolist()) == list(range(50))
    assert torch.equal(seen[1], seen[0] * 2)
    assert len(list(batches)) == len(batches)


def test_an_epoch_depends_on_seed_and_number_alone() -> None:
    def order(seed: int, epoch: int, before: int = 0) -> list[int]:
        batches = Batches(torch.arange(50), size=8, seed=seed)
        for earlier in range(before):
            batches.set_epoch(earlier)
            list(batches)
        batches.set_epoch(epoch)
        torch.rand(epoch)  # whatever was drawn elsewhere does not matter
        return [int(x) for (batch,) in batches for x in batch]

    assert order(1, 4) == order(1, 4, before=4)
    assert order(1, 4) != order(1, 5)
    assert order(1, 4) != order(2, 4)


def test_without_a_seed_the_order_is_kept() -> None:
    assert torch.equal(torch.cat([b for (b,) in Batches(torch.arange(9), size=4)]), torch.arange(9))


def test_means_are_over_samples_not_over_batches() -> None:
    parts = [(3, {"loss": torch.tensor(1.0)}), (1, {"loss": torch.tensor(5.0)})]
    assert _means("train", parts) == {"train_loss": 2.0}


@pytest.mark.parametrize(("share", "held_out"), [(0.0, 0), (0.25, 25), (0.999, 100)])
def test_a_split_shares_out_every_sample(share: float, held_out: int) -> None:
    kept, out = split(100, share, seed=1)
    assert len(out) == held_out
    assert sorted([*kept.tolist(), *out.tolist()]) == list(range(100))


class KilledError(Exception):
    """What a test raises in the middle of a training."""


def test_a_run_that_was_killed_resumes_to_the_numbers_of_an_unbroken_one(
    samples: Callable[[str], Path], tmp_path: Path
) -> None:
    case = brief(Project(ROOT).case("lenet"), epochs=4)
    data = datasets.page(case.dataset).load(samples(case.dataset))
    unbroken = lenet.fit(data, case.params)

    def die_at_two(row: dict[str, float]) -> None:
        if row["epoch"] == 3:
            raise KilledError

    checkpoint = tmp_path / "a.ckpt"
    with pytest.raises(KilledError):
        lenet.fit(data, case.params, Run(checkpoint, die_at_two))
    told: list[float] = []
    resumed = lenet.fit(data, case.params, Run(checkpoint, lambda row: told.append(row["epoch"])))
    assert told == [3, 4]
    assert resumed.history_ == unbroken.history_
    for name, tensor in unbroken.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_a_finished_checkpoint_trains_nothing_more(samples: Callable[[str], Path], tmp_path: Path) -> None:
    case = brief(Project(ROOT).case("lenet"), epochs=1)
    data = datasets.page(case.dataset).load(samples(case.dataset))
    first = lenet.fit(data, case.params, Run(tmp_path / "a.ckpt"))
    told: list[Any] = []
    again = lenet.fit(data, case.params, Run(tmp_path / "a.ckpt", told.append))
    assert not told
    assert again.history_ == first.history_
