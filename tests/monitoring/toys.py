"""Batches of calls: drawn as they are, or five years older."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from handbook import datasets
from handbook.data import tables
from handbook.monitoring import champions, judgement
from handbook.project import Project

CASE, PICTURES = "boosting_before_call", "digits"
BANK = datasets.page("bank_marketing")


def copied(root: Path, name: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    shutil.copytree(root, place)
    monkeypatch.chdir(place)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (place / "incoming" / name).mkdir(parents=True)
    return Project(place)


def held_out(project: Project) -> pd.DataFrame:
    """The calls that the champion is judged by."""
    directory = project.data("bank_marketing")
    test = project.case(CASE).split(BANK.load(directory)).test
    return BANK.facts(directory)[list(BANK.COLUMNS)].iloc[test.features.index]


def learnt(project: Project) -> pd.DataFrame:
    """The calls that the champion learnt from."""
    directory = project.data("bank_marketing")
    data = BANK.load(directory)
    return champions.learnt(project.case(CASE).split(data), data, BANK.facts(directory)[list(BANK.COLUMNS)])


def drawn(rows: pd.DataFrame, seed: int, n: int = 500) -> pd.DataFrame:
    """Random rows: a batch without drift, though the file is in order of time."""
    return rows.iloc[np.random.default_rng(seed).choice(len(rows), n, replace=False)]


def shifted(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The same clients five years older, three in ten of them now retired or students."""
    rng = np.random.default_rng(1000 + seed)
    changed = rng.random(len(rows)) < 0.3
    jobs = np.where(changed, rng.choice(["retired", "student"], len(rows)), rows["job"].to_numpy(dtype=object))
    return rows.assign(age=np.clip(rows["age"] + 5, 18, 95), job=pd.Series(jobs, rows.index, dtype="str"))


def put(project: Project, name: str, rows: pd.DataFrame) -> Path:
    path = judgement.incoming(project, CASE) / name
    tables.write_csv(path, rows, sep=";", quote_text=True)
    return path


def bring_new_calls(root: Path) -> None:
    """A batch of calls that the pinned data do not hold, for who watches CASE."""
    head, *rows = (root / "data" / "bank_marketing" / "bank-full.csv").read_text().splitlines()
    folder = root / "incoming" / CASE
    folder.mkdir(parents=True)
    (folder / "one.csv").write_text("\n".join([head, *(each.replace("may", "dec") for each in rows[-300:])]) + "\n")


def give_ranges(root: Path) -> None:
    """Ranges for a sweep of CASE, of two trials."""
    numbers = yaml.safe_load((root / "params.yaml").read_text())
    numbers["sweeps"][CASE] = {"trials": 2, "learning_rate": [0.05, 0.2]}
    (root / "params.yaml").write_text(yaml.safe_dump(numbers, sort_keys=False))


def outcomes(records: list[dict[str, Any]]) -> dict[str, str]:
    return {record["files"][0]: record["outcome"] for record in records}
