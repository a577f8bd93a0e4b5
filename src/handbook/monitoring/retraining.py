"""Retraining: a challenger that learns from the batches that came in as well, judged on the same test rows as ever.

The pinned dataset stays as it is, and so does what DVC made of it. A challenger is trained beside it by the project's
own steps: the training rows are the pinned ones and those of every labelled batch that was accepted, the test rows are
the pinned ones. What it learnt from is kept with it in the ledger, byte for byte, and its entry names every batch; the
same batches make the same content. The gate is the ledger's: it becomes champion if it beats the champion, which stays
known as `previous`.
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from handbook import datasets
from handbook.contract import Split
from handbook.data import provenance
from handbook.errors import HandbookError, unknown
from handbook.files import documents
from handbook.monitoring import archive, inbox, judgement, pages, reading, reference
from handbook.monitoring.journal import DRIFTED, REFUSED, Record
from handbook.project import Apart, Case, Project
from handbook.registry import ledger, standings
from handbook.steps.evaluate import evaluate as judge
from handbook.steps.train import fit, training_key


def set_apart(project: Project, name: str) -> Project:
    """The project, but that what is made of a case lies in a folder of its own: DVC's stays as it is."""
    return replace(project, apart=Apart(name, project.cache / "retrain" / name))


@dataclass(frozen=True)
class TrainingData:
    """What a challenger is to learn: the pinned rows and the batches' among the training rows, and where from."""

    case: Case
    split: Split[Any]
    origin: dict[str, Any]  # the provenance of the pinned files, and the sha256 of the batches' beside them
    batches: dict[str, str]  # sha256 by name
    places: dict[str, Path]
    rows: int  # that the batches add
    known: int  # rows of the batches that are rows of the pinned data, which are not learnt again


def gather(project: Project, name: str) -> TrainingData:
    """The pinned data of a case and all labelled batches that were accepted.

    A row that the pinned data hold already is left out: a test row must not be learnt.
    Raises HandbookError for an unknown case, no such batch, a batch that is gone or changed, and for batches that hold
    nothing new.
    """
    if name not in project.cases():
        raise unknown("case", name, project.cases())
    case = project.case(name)
    page, directory = datasets.page(case.dataset), project.data(case.dataset)
    origin = provenance.verify(page, directory)
    accepted = [each for each in archive.records(project, name) if _teaches(each, str(origin["kind"]))]
    if not accepted:
        raise HandbookError(
            f"no batch of {name} can be learnt from: none with answers has been accepted.\n"
            f"Put batches into incoming/{name}, then: python -m handbook monitor {name}"
        )
    places = {record["batch"]: _kept(project, record) for record in accepted}
    files_of = {
        record["batch"]: tuple(places[record["batch"]] / name for name in record["files"]) for record in accepted
    }
    arrivals = [_read(project, page, directory, files) for files in files_of.values()]
    pinned, came = page.load(directory), functools.reduce(lambda one, other: one.join(other), arrivals)
    before = case.split(pinned)
    split = with_new_rows(before, pinned, came)
    rows = len(split.train) - len(before.train)
    known = len(came) - rows
    if not rows:
        raise HandbookError(
            f"the {known:,} rows of {len(arrivals)} batches of {name} are all in the pinned data: nothing new"
        )
    digests = {record["batch"]: str(record["sha256"]) for record in accepted}
    files = origin["files"] | {f"batches/{batch}": {"sha256": digest} for batch, digest in digests.items()}
    return TrainingData(case, split, origin | {"files": files}, digests, places, rows, known)


def _teaches(record: Record, kind: str) -> bool:
    return bool(record["outcome"] != REFUSED and record["labelled"] and record["data"] == kind)


def _kept(project: Project, record: Record) -> Path:
    """Where a batch was put away, its bytes checked."""
    place = project.root / str(record["folder"]) / inbox.DONE / str(record["batch"])
    files = [place / name for name in record["files"]]
    missing = [path for path in files if path.is_symlink() or not path.is_file()]
    if missing:
        raise HandbookError(
            f"{missing[0]} is missing, a batch that was accepted on {record['judged']}. Put it back, or, to learn"
            f" without it, delete {archive.folder(project, record['case']) / record['batch']}.json"
        )
    if inbox.digest_of(files) != record["sha256"]:
        raise HandbookError(f"{place} was changed since it was accepted: expected sha256 {record['sha256']}")
    return place


def _read(project: Project, page: Any, directory: Path, files: tuple[Path, ...]) -> Any:
    with reference.scratch(project) as scratch:
        return reading.read(page, directory, files, scratch).loaded


def with_new_rows(split: Split[Any], pinned: Any, came: Any) -> Split[Any]:
    """The split of the pinned data with those of the rows that came which are not in these data to learn from too."""
    new_rows = came.take(reading.whole(pinned).unknown(came))
    return replace(split, train=split.train.join(new_rows))


def train(project: Project, training_data: TrainingData) -> None:
    """Train a challenger beside the pipeline's model; one that was cut off goes on where its checkpoint is."""
    own_project = set_apart(project, training_data.case.name)
    shutil.rmtree(own_project.reports(training_data.case.name), ignore_errors=True)
    fit(
        own_project,
        training_data.case,
        training_data.split,
        training_key(project, training_data.case, training_data.origin),
    )


def evaluate(project: Project, training_data: TrainingData) -> None:
    """Judge it on the pinned test rows, and lay what it learnt from beside its report."""
    own_project = set_apart(project, training_data.case.name)
    judge(own_project, training_data.case.name)
    for name, place in training_data.places.items():
        shutil.copytree(place, own_project.reports(training_data.case.name) / "batches" / name)


def register(project: Project, training_data: TrainingData) -> str:
    """Bring it into the ledger and MLflow as challenger, and through the gate; says what became of it."""
    from handbook.registry import tracking

    own_project = set_apart(project, training_data.case.name)
    entry = ledger.entry(own_project, training_data.case)
    inputs = {path: md5 for path, md5 in entry["dvc"].items() if not path.startswith(("models/", "reports/"))}
    said = tracking.enter(
        own_project,
        training_data.case,
        entry | {"dvc": inputs, "batches": training_data.batches, "batch_rows": training_data.rows},
    )
    shutil.rmtree(own_project.cache.parent, ignore_errors=True)
    return said


def retrain(project: Project, name: str, say: Callable[[str], None] = print) -> str:
    """Train a challenger with all accepted batches; returns what became of it. Raises as `gather` does."""
    from handbook.registry import connection

    with judgement.alone(project, name):
        connection.answers(project)
        training_data = gather(project, name)
        say(what_is_learnt(training_data))
        train(project, training_data)
        evaluate(project, training_data)
        said = register(project, training_data)
        pages.write(project, name)
        return said


def what_is_learnt(training_data: TrainingData) -> str:
    """A sentence on where the rows come from."""
    known = f" ({training_data.known:,} others are rows of the pinned data)" if training_data.known else ""
    return (
        f"{training_data.case.name}: {training_data.rows:,} new rows of {len(training_data.batches)} batches{known}, "
        f"beside the pinned ones"
    )


def learnable(project: Project, name: str) -> list[Record]:
    """The accepted batches with answers, and with rows that are new, that no registered model has learnt from."""
    records = archive.records(project, name)
    kind = max(records, key=lambda each: each["judged"])["data"] if records else ""
    learnt = _learnt(project, name)
    return [
        each
        for each in records
        if _teaches(each, kind) and each["sha256"] not in learnt and each.get("new_rows", each["rows"])
    ]


def _learnt(project: Project, name: str) -> set[str]:
    """The sha256 of every batch that a registered model has learnt from."""
    store = ledger.store(project, name)
    state = standings.opened(store) or standings.blank()
    way = f"See what became of it: python -m handbook verify {name}"
    places = [store / version / "entry.json" for version in state["versions"]]
    entries = [documents.json_object(place, way) for place in places if place.exists()]
    return {digest for entry in entries for digest in entry.get("batches", {}).values()}


@dataclass(frozen=True)
class Prospect:
    """Whether a case is to be retrained, and what is to be said of it."""

    due: bool  # k of the last n batches have drifted, and there is something to learn
    said: str


def prospect(project: Project, name: str) -> Prospect:
    """Look at the last batches that were accepted: retraining waits for k of n of them, not for one.

    A batch that has drifted counts until a model has learnt from it. A kill forgets none.
    """
    few, last = reference.limits(project).drifted_of
    accepted = [each for each in archive.records(project, name) if each["outcome"] != REFUSED]
    learnt, recent = _learnt(project, name), sorted(accepted, key=lambda each: each["judged"])[-last:]
    drifted = sum(each["outcome"] == DRIFTED and each["sha256"] not in learnt for each in recent)
    there = f"{drifted} of the last {len(recent)} batches of {name} have drifted"
    way = f"To retrain: python -m handbook retrain {name}"
    if not learnable(project, name):
        return Prospect(False, f"{there}. No batch can be learnt from: {_why_not(accepted, learnt)}")
    if drifted < few:
        return Prospect(False, f"{there}; retraining waits for {few} of the last {last}. {way}")
    return Prospect(True, f"{there}. {way}")


def _why_not(accepted: list[Record], learnt: set[str]) -> str:
    """Why there is nothing to learn."""
    labelled = [each for each in accepted if each["labelled"]]
    if not labelled:
        return "none has answers. Bring some with the target's column"
    if all(each["sha256"] in learnt for each in labelled):
        return "a registered model has learnt from each that has answers"
    return "their rows are all in the pinned data"


def has_new_rows(project: Project, name: str) -> bool:
    """Whether retraining would learn anything that no registered model has learnt."""
    return bool(learnable(project, name))


def watch_over(project: Project, name: str, folder: Path | None, retrain_at_once: bool) -> None:
    """The verb `monitor`: judge what has come in, say so, and retrain if k of the last n have drifted and it is asked.

    What is advised can be done. Raises HandbookError as `judgement.monitor` does, after all that.
    """
    records, faults = judgement.judge_all(project, name, folder, print)
    if any(each["outcome"] == DRIFTED for each in records):
        outlook = prospect(project, name)
        print(retrain(project, name) if retrain_at_once and outlook.due else outlook.said)
    judgement.refuse_unjudged(name, records, faults)
