"""Batches, history, and resuming to the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from handbook import datasets
from handbook.cases import lenet
from handbook.project import Project
from handbook.training import loop
from handbook.training.batches import Batches
from handbook.training.loop import _means
from handbook.training.run import Run
from tests.conftest import ROOT, brief


def test_means_are_over_samples_not_over_batches() -> None:
    parts = [(3, {"loss": torch.tensor(1.0)}), (1, {"loss": torch.tensor(5.0)})]
    assert _means("train", parts) == {"train_loss": 2.0}


class _Line(nn.Module):
    """What a `Learner` needs where nothing is held out: one weight, whose gradient is long."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.slope.weight)

    def training_step(self, batch: list[Tensor]) -> Tensor:
        return self.slope(batch[0]).float().mean()  # type: ignore[no-any-return]

    def recipe(self, steps: int) -> tuple[torch.optim.Optimizer, None]:
        return torch.optim.SGD(self.parameters(), 1.0, fused=True), None


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize(("clip", "step"), [(0.0, 100.0), (0.5, 0.5)])
def test_a_gradient_is_clipped_in_32_bits_and_in_an_accelerators_16(
    precision: str, clip: float, step: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_precision", lambda: precision)
    model, batches = _Line(), Batches(torch.full((4, 1), 100.0), size=4, seed=0)
    loop.fit(model, batches, None, epochs=1, run=Run(), clip=clip, patience=0)
    assert -model.slope.weight.item() == pytest.approx(step, rel=1e-3)


class KilledError(Exception):
    """What a test raises in the middle of a training."""


def test_a_run_that_was_killed_resumes_to_the_numbers_of_an_unbroken_one(
    samples: Callable[[str], Path], tmp_path: Path
) -> None:
    case = brief(Project(ROOT).case("lenet"), epochs=4)
    split = case.split(datasets.page(case.dataset).load(samples(case.dataset)))
    unbroken = lenet.fit(split, case.params)

    def die_at_two(row: dict[str, float]) -> None:
        if row["epoch"] == 3:
            raise KilledError

    checkpoint = tmp_path / "a.ckpt"
    with pytest.raises(KilledError):
        lenet.fit(split, case.params, Run(checkpoint, die_at_two))
    reported: list[float] = []
    resumed = lenet.fit(split, case.params, Run(checkpoint, lambda row: reported.append(row["epoch"])))
    assert reported == [3, 4]
    assert resumed.history_ == unbroken.history_
    for name, tensor in unbroken.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_a_finished_checkpoint_trains_nothing_more(samples: Callable[[str], Path], tmp_path: Path) -> None:
    case = brief(Project(ROOT).case("lenet"), epochs=1)
    split = case.split(datasets.page(case.dataset).load(samples(case.dataset)))
    first = lenet.fit(split, case.params, Run(tmp_path / "a.ckpt"))
    reported: list[Any] = []
    again = lenet.fit(split, case.params, Run(tmp_path / "a.ckpt", reported.append))
    assert not reported
    assert again.history_ == first.history_
