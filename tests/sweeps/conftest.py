"""Checkouts in small for sweeps, from the real params.yaml."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from handbook.project import Project
from tests.conftest import ROOT


@pytest.fixture
def project(bare: Project, samples: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Project:
    """The same with sample data of the bank, two epochs and two members."""
    shutil.copytree(samples("bank_marketing"), bare.data("bank_marketing"))
    numbers = yaml.safe_load((ROOT / "params.yaml").read_text())
    numbers["cases"]["mlp"] |= {"epochs": 2, "members": 2, "pieces": 12}
    (bare.root / "params.yaml").write_text(yaml.safe_dump(numbers, sort_keys=False))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return bare


@pytest.fixture
def bare(tmp_path: Path) -> Project:
    """The real params.yaml, and nothing else."""
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    return Project(tmp_path)
