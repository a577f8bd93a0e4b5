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

from handbook import datasets, fetch, steps
from handbook.project import Case, Project

ROOT = Path(__file__).parent.parent
MIRROR = os.environ.get("HANDBOOK_MIRROR", "")
FEW = {"n_folds": 2, "inner_folds": 2, "slow_rows": 300}  # where algorithms are compared: for tests, not for results


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
        block |= {key: value for key, value in (FEW | {"epochs": 1}).items() if key in block}
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


@pytest.fixture(scope="session")
def champion_of(tmp_path_factory: pytest.TempPathFactory, samples: Callable[[str], Path]) -> Callable[[str], Path]:
    """A checkout in small with a registered champion, made once for all tests; they work on copies."""
    kept: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in kept:
            kept[name] = root = tmp_path_factory.mktemp("watched") / "project"
            root.mkdir()
            small(root, name)
            project = Project(root)
            dataset = project.case(name).dataset
            shutil.copytree(samples(dataset), project.data(dataset))
            with pytest.MonkeyPatch.context() as patch:
                patch.delenv("MLFLOW_TRACKING_URI", raising=False)
                registered(project, name)
        return kept[name]

    return make


def small(root: Path, name: str) -> None:
    """params.yaml with this case alone, quick to train, and Great Expectations' configuration."""
    numbers = yaml.safe_load((ROOT / "params.yaml").read_text())
    block = numbers["cases"][name]
    block |= {key: value for key, value in {"epochs": 1, "max_iter": 60}.items() if key in block}
    numbers |= {"cases": {name: block}, "labs": {}}
    numbers["monitor"]["settle"] = 0.0
    (root / "params.yaml").write_text(yaml.safe_dump(numbers, sort_keys=False))
    (root / "gx").mkdir()
    shutil.copy(ROOT / "gx" / "great_expectations.yml", root / "gx")


def registered(project: Project, name: str) -> None:
    for step in (steps.train, steps.evaluate, steps.register):
        step(project, name)
