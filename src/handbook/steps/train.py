"""Train a case; model, history and cost are files at the end."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from typing import Any

from handbook.contract import Split
from handbook.files.formats import write_json, write_rows
from handbook.project import Case, Project, plain
from handbook.steps.given import data_of
from handbook.steps.sources import digest, fingerprint
from handbook.training.models import save
from handbook.training.run import FLOW_RUN, Row, Run, first


def train(project: Project, name: str) -> None:
    """Train a case; a run that was cut off goes on where its last checkpoint is.

    Under torchrun its processes train one model together, and the first of them writes it.
    """
    case = project.case(name)
    data, origin = data_of(project, case)
    key = training_key(project, case, origin)
    fit(project, case, case.split(data), key, _listener(project, case, key))


def fit(project: Project, case: Case, split: Split[Any], key: str, tell: Callable[[Row], None] | None = None) -> None:
    """Train a case on the rows that are there to learn from; model, history and what it cost are files at the end."""
    name = case.name
    checkpoint = project.cache / "checkpoints" / name / f"{key}.ckpt"
    model = case.page.fit(split, case.params, Run(checkpoint, tell))
    if not first():
        return
    save(model, project.models(name))
    write_rows(project.reports(name) / "history.csv", model.history_)
    flow_run = {"flow_run": os.environ[FLOW_RUN]} if os.environ.get(FLOW_RUN) else {}
    write_json(project.reports(name) / "training.json", {"key": key, **model.training_, **flow_run})
    shutil.rmtree(checkpoint.parent, ignore_errors=True)
    print(
        f"{name}: {model.training_['seconds']:.0f} s, {model.training_['samples_per_second']:,} samples/s"
        f" on {model.training_['device']}"
    )


def _listener(project: Project, case: Case, key: str) -> Callable[[Row], None] | None:
    """Who is notified of each epoch as it ends: a log where no progress bar is shown, and MLflow where that is set."""
    if not first():
        return None
    listeners: list[Callable[[Row], None]] = []
    if not sys.stderr.isatty():
        of = f"/{case.params.epochs}" if hasattr(case.params, "epochs") else ""
        listeners.append(lambda row: print(f"epoch {row['epoch']:.0f}{of}: {_scores(row)}", flush=True))
    if os.environ.get("HANDBOOK_LIVE"):
        from handbook.registry import tracking

        listeners.append(tracking.live(project, case, key))

    def tell(row: Row) -> None:
        for listener in listeners:
            listener(row)

    return tell


def _scores(row: Row) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in row.items() if name.startswith(("train_", "valid_")))


def training_key(project: Project, case: Case, origin: dict[str, Any]) -> str:
    """What a training is determined by: code, parameters and data. Names its checkpoint, and tells trainings apart."""
    files = {file: facts["sha256"] for file, facts in origin["files"].items()}
    return digest([fingerprint(project, "train", case.name, parameters=False), plain(case.params), files])
