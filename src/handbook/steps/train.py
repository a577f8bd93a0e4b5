"""Train a case; model, history and cost are files at the end."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from handbook import parameters
from handbook.contract import Split
from handbook.errors import HandbookError
from handbook.files import leftovers, progress
from handbook.files.formats import write_json, write_rows
from handbook.project import TRAINED, Apart, Case, Project, plain
from handbook.registry import trained
from handbook.steps.given import data_of
from handbook.steps.sources import digest, fingerprint
from handbook.training.models import save
from handbook.training.run import FLOW_RUN, Row, Run, first


def train(project: Project, name: str) -> None:
    """Train a case; a run that was cut off goes on where its last checkpoint is.

    What it makes is moved in once all of it is there, sealed: what stands in its place may be a link into DVC's cache,
    and must not be written through. Under torchrun its processes train one model together, and the first of them
    writes it.
    """
    case = project.case(name)
    data, origin = data_of(project, case)
    where = f"params.yaml, cases.{name}"
    parameters.refuse_data(case.page, case.dataset, data, where)
    split = case.split(data)
    parameters.refuse_rows(case.params, len(split.train), where)
    key = training_key(project, case, origin)
    aside = replace(project, apart=Apart(name, project.cache / "training" / name))
    model, report = aside.models(name), aside.reports(name)
    if not whole(aside, name, key):
        for folder in (model, report):
            shutil.rmtree(folder, ignore_errors=True)
        with leftovers.removed(model, report):
            fit(aside, case, split, key, _listener(project, case, key))
            if first():
                trained.seal(model, report)
    if first():
        _move_in(aside, project, name)
    if project.apart and first():  # whoever judges it must split as it did, whatever params.yaml says by then
        write_json(project.apart.folder / TRAINED, {"case": name, "params": plain(case.params), **origin})


def whole(project: Project, name: str, key: str) -> bool:
    """Whether this very training has ended there, and lies there as it was sealed."""
    with contextlib.suppress(HandbookError):
        known = trained.facts(project, name)
        return known["key"] == key and trained.is_sealed(project.models(name), project.reports(name), known)
    return False


def _move_in(aside: Project, project: Project, name: str) -> None:
    """The model, its history, and last what seals them; each in one step, so that a kill leaves what can be ended."""
    model, report = project.models(name), project.reports(name)
    for folder in (model.parent, report):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(model, ignore_errors=True)
    staged = model.with_name(f".{model.name}.new")
    shutil.rmtree(staged, ignore_errors=True)
    shutil.copytree(aside.models(name), staged)
    staged.replace(model)
    for file in ("history.csv", "training.json"):
        staged = report / f".{file}.new"
        shutil.copyfile(aside.reports(name) / file, staged)
        staged.replace(report / file)
    shutil.rmtree(aside.models(name).parent)


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
    epochs = getattr(case.params, "epochs", None)
    if epochs:
        place = progress.place(project.cache, f"train@{case.name}")
        listeners.append(lambda row: progress.write(place, _epoch(row, epochs), epochs))
    if not sys.stderr.isatty():
        of = f"/{epochs}" if epochs else ""
        listeners.append(lambda row: print(f"epoch {_epoch(row, epochs)}{of}: {_scores(row)}", flush=True))
    if os.environ.get("HANDBOOK_LIVE"):
        from handbook.registry import tracking

        listeners.append(tracking.live(project, case, key))

    def tell(row: Row) -> None:
        for listener in listeners:
            listener(row)

    return tell


def _epoch(row: Row, epochs: int | None) -> int:
    """The epoch of the fit that a row is of: a page may fit twice, as the map does, which goes on counting."""
    epoch = int(row["epoch"])
    return (epoch - 1) % epochs + 1 if epochs else epoch


def _scores(row: Row) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in row.items() if name.startswith(("train_", "valid_")))


def training_key(project: Project, case: Case, origin: dict[str, Any]) -> str:
    """What a training is determined by: code, parameters and data. Names its checkpoint, and tells trainings apart."""
    files = {file: facts["sha256"] for file, facts in origin["files"].items()}
    return digest([fingerprint(project, "train", case.name, parameters=False), plain(case.params), files])
