"""A plain processor is enough: AVX2, no instructions for 16 bits. Newer ones are made to behave so."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from handbook.project import Project
from handbook.training.loop import _precision
from handbook.training.networks import on_one_thread
from tests.conftest import ROOT
from tests.plain_processor import names

PLAIN = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "OMP_NUM_THREADS": "1"}
PROJECT = Project(ROOT)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these switches are for x86-64")
def test_every_case_trains_and_answers_on_a_plain_processor(samples: Callable[[str], Path]) -> None:
    for name in PROJECT.datasets():
        home = samples(name).parent
    command = [sys.executable, "-m", "tests.plain_processor", str(home)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | PLAIN, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:-1] == ["processor AVX2", *(f"{name} True" for name in names())]


def test_products_of_16_bits_are_for_accelerators_alone() -> None:
    assert _precision() == ("bf16-mixed" if torch.cuda.is_available() else "32-true")
    chosen = {key for block in PROJECT.numbers()["cases"].values() for key in (*block, *block.get("gpu", {}))}
    assert not chosen & {"bf16", "precision", "threads"}


def test_training_takes_one_thread_and_gives_the_others_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    with on_one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3
    torch.set_num_threads(before)


@pytest.mark.parametrize(("requested", "threads"), [(None, 1), ("2", 2), ("auto", 1), ("0", 1)])
def test_a_stage_works_on_one_thread_unless_somebody_asks_for_more(
    requested: str | None, threads: int, project: Project
) -> None:
    env = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    env |= {"OMP_NUM_THREADS": requested} if requested else {}
    script = "from handbook.__main__ import main; main(); import torch; print(torch.get_num_threads())"
    command = [sys.executable, "-c", script, "where"]
    done = subprocess.run(command, cwd=project.root, env=env, capture_output=True, text=True, check=True)
    assert int(done.stdout.splitlines()[-1]) == threads
