"""One model trained by two processes: the same metrics as by one, within what the order of sums moves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

from handbook.files.formats import read_rows
from handbook.training import run
from handbook.training.batches import Batches
from tests.conftest import ROOT


@pytest.mark.parametrize("size", [1, 7, 8, 50])
def test_the_shares_of_two_processes_together_are_the_batches_of_one(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shift(batch: torch.Tensor, epoch: int) -> torch.Tensor:
        return batch + torch.randint(0, 1000, batch.shape)  # an augmentation, which draws from torch's generator

    def seen() -> list[list[int]]:
        batches = Batches(torch.arange(51), size=size, seed=3, prepare=shift)
        return [batch.tolist() for (batch,) in batches]

    whole = seen()
    monkeypatch.setenv("WORLD_SIZE", "2")
    parts = []
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        parts.append(seen())
    for batch, one, other in zip(whole, *parts, strict=True):
        assert set(one) | set(other) == set(batch)
        assert len(batch) == 1 or len(one) + len(other) == len(batch)


def test_rows_to_judge_by_are_not_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert len(next(iter(Batches(torch.arange(9), size=9)))[0]) == 9
    assert run.processes() == 2


@pytest.mark.slow
def test_two_processes_train_the_model_that_one_trains(samples: Callable[[str], Path], tmp_path: Path) -> None:
    numbers = yaml.safe_load((ROOT / "params.yaml").read_text())
    calm = {"epochs": 6, "learning_rate": 0.02, "validation_share": 0.25}  # far from where rounding decides
    numbers["cases"]["lenet"] |= calm
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(numbers))
    shutil.copytree(samples("fashion_mnist"), tmp_path / "data" / "fashion_mnist")
    env = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1"}
    two = ["torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    rows, metrics = [], []
    for launcher in ([], [*two, "-m"]):
        for verb in ("train", "evaluate"):
            start = launcher if verb == "train" else []
            command = [sys.executable, "-m", *start, "handbook", verb, "lenet"]
            done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        reports = tmp_path / "reports" / "lenet"
        rows.append(read_rows(reports / "history.csv"))
        metrics.append(json.loads((reports / "metrics.json").read_text()))
        assert json.loads((reports / "training.json").read_text()).get("processes", 1) == len(rows)
    for one, other in zip(*rows, strict=True):
        assert one == pytest.approx(other, rel=0.01, abs=0.01)
    assert metrics[0]["accuracy"] == pytest.approx(metrics[1]["accuracy"], abs=0.01)
    assert metrics[0]["log_loss"] == pytest.approx(metrics[1]["log_loss"], rel=0.02)
