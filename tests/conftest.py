"""Toy projects: a folder of its own with sample data, so that no test touches the checkout."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from handbook import datasets, fetch
from handbook.project import Case, Project

ROOT = Path(__file__).parent.parent
MIRROR = os.environ.get("HANDBOOK_MIRROR", "")
# Where algorithms or techniques are compared: for tests, not for results.
FEW: dict[str, Any] = {"n_folds": 2, "inner_folds": 2, "slow_rows": 300}
FEW |= {"threads": 1, "widths": (16, 16, 32), "ablation_epochs": 1, "ablation_samples": 256, "ablation_judges": 256}


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The sample of a dataset, drawn once for all tests; they read it and never write."""
    home = tmp_path_factory.mktemp("samples")

    def draw(name: str) -> Path:
        if not (home / name).exists():
            fetch.draw_sample(datasets.page(name), home / name, seed=0)
        return home / name

    return draw


@pytest.fixture
def project(tmp_path: Path, samples: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Project:
    """A checkout in small: the real params.yaml with one epoch a case, and sample data."""
    numbers = yaml.safe_load((ROOT / "params.yaml").read_text())
    for block in numbers["cases"].values():
        few = FEW | {"epochs": 1, "widths": list(FEW["widths"])}
        block |= {key: value for key, value in few.items() if key in block}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(numbers, sort_keys=False))
    for name in numbers["datasets"]:
        shutil.copytree(samples(name), tmp_path / "data" / name)
    shutil.copytree(ROOT / "gx", tmp_path / "gx", ignore=shutil.ignore_patterns("uncommitted", "*_sample.json"))
    (tmp_path / "README.md").write_text("# toy\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("HANDBOOK_LIVE", raising=False)
    return Project(tmp_path)


@pytest.fixture(scope="session")
def fitted(samples: Callable[[str], Path]) -> Callable[[str], tuple[Case, Any, Any]]:
    """A case of the real params.yaml, trained for eight epochs on its sample: case, data and model."""
    kept: dict[str, tuple[Case, Any, Any]] = {}

    def fit(name: str) -> tuple[Case, Any, Any]:
        if name not in kept:
            case = brief(Project(ROOT).case(name), epochs=8)
            data = datasets.page(case.dataset).load(samples(case.dataset))
            kept[name] = case, data, case.page.fit(data, case.params)
        return kept[name]

    return fit


def brief(case: Case, epochs: int) -> Case:
    """The case with fewer epochs and folds, if its page counts any."""
    fewer = {key: value for key, value in (FEW | {"epochs": epochs}).items() if hasattr(case.params, key)}
    return dataclasses.replace(case, params=dataclasses.replace(case.params, **fewer))
