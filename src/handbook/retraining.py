"""Retraining: a challenger that learns from the batches that came in as well, judged on the same test rows as ever.

The pinned dataset stays as it is, and so does what DVC made of it. A challenger is trained beside it by the house's own
steps: the training rows are the pinned ones and those of every labelled batch that was accepted, the test rows are the
pinned ones. What it learnt from is kept with it in the ledger, byte for byte, and its entry names every batch; the same
batches make the same content. The gate is the ledger's: it becomes champion if it beats the champion, which stays known
as `previous`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handbook import batches, champions, contents, datasets, fetch, ledger, monitoring, standings, steps
from handbook.bulletins import DRIFTED, REFUSED, Record
from handbook.errors import HandbookError, unknown
from handbook.images import LabelledImages
from handbook.project import Case, Project
from handbook.tables import Table


@dataclass(frozen=True)
class Beside(Project):
    """The project, but that a case's model, reports and checkpoints lie in a folder of their own: DVC's stay."""

    case_name: str

    @property
    def place(self) -> Path:
        return self.root / ".cache" / "retrain" / self.case_name

    def models(self, case: str) -> Path:
        return self.place / "model" if case == self.case_name else super().models(case)

    def reports(self, name: str) -> Path:
        return self.place / "report" if name == self.case_name else super().reports(name)

    @property
    def cache(self) -> Path:
        return self.place / "cache"


@dataclass(frozen=True)
class Lesson:
    """What a challenger is to learn: the pinned data with the batches' rows, and where all of it comes from."""

    case: Case
    data: Any
    origin: dict[str, Any]  # the provenance of the pinned files, and the sha256 of the batches' beside them
    batches: dict[str, str]  # sha256 by name
    places: dict[str, Path]
    rows: int  # that the batches add
    known: int  # rows of the batches that are rows of the pinned data, which are not learnt again


def gather(project: Project, name: str) -> Lesson:
    """The pinned data of a case and all labelled batches that were accepted.

    A row that the pinned data hold already is left out: a test row must not be learnt.
    Raises HandbookError for an unknown case, no such batch, a batch that is gone or changed, and for batches that hold
    nothing new.
    """
    if name not in project.cases():
        raise unknown("case", name, project.cases())
    case = project.case(name)
    page, directory = datasets.page(case.dataset), project.data(case.dataset)
    origin = fetch.verify(page, directory)
    accepted = [each for each in monitoring.records(project, name) if _teaches(each, str(origin["kind"]))]
    if not accepted:
        raise HandbookError(
            f"no batch of {name} can be learnt from: none with answers has been accepted.\n"
            f"Put batches into incoming/{name}, then: python -m handbook monitor {name}"
        )
    places = {record["batch"]: _kept(project, record) for record in accepted}
    arrivals = [_read(project, page, directory, tuple(sorted(place.iterdir()))) for place in places.values()]
    data, rows, known = _joined(case, page.load(directory), arrivals)
    if not rows:
        raise HandbookError(
            f"the {known:,} rows of {len(arrivals)} batches of {name} are all in the pinned data: nothing new"
        )
    digests = {record["batch"]: str(record["sha256"]) for record in accepted}
    files = origin["files"] | {f"batches/{batch}": {"sha256": digest} for batch, digest in digests.items()}
    return Lesson(case, data, origin | {"files": files}, digests, places, rows, known)


def _teaches(record: Record, kind: str) -> bool:
    return bool(record["outcome"] != REFUSED and record["labelled"] and record["data"] == kind)


def _kept(project: Project, record: Record) -> Path:
    """Where a batch was put away, its bytes checked."""
    place = project.root / str(record["folder"]) / batches.DONE / str(record["batch"])
    files = [place / name for name in record["files"]]
    missing = [path for path in files if not path.exists()]
    if missing:
        raise HandbookError(
            f"{missing[0]} is missing, a batch that was accepted on {record['judged']}. Put it back, or, to learn"
            f" without it, delete {monitoring.told(project, record['case']) / record['batch']}.json"
        )
    if batches.digest_of(files) != record["sha256"]:
        raise HandbookError(f"{place} was changed since it was accepted: expected sha256 {record['sha256']}")
    return place


def _read(project: Project, page: Any, directory: Path, files: tuple[Path, ...]) -> Any:
    with monitoring.scratch(project) as scratch:
        return contents.read(page, directory, files, scratch).loaded


def _joined(case: Case, pinned: Any, arrivals: list[Any]) -> tuple[Any, int, int]:
    """The data to learn from, how many rows are new in them, and how many of the batches' were there already."""
    if isinstance(pinned, LabelledImages):
        return champions.with_pictures(pinned, arrivals)
    new = arrivals[0]
    for each in arrivals[1:]:
        new = champions.joined(new, each)
    fresh = champions.unknown_rows(pinned, new)
    news: Table = new.take(fresh)
    return (champions.to_learn(case, pinned, news) if len(news) else pinned), len(news), len(new) - len(news)


def train(project: Project, lesson: Lesson) -> None:
    """Train a challenger beside the pipeline's model; one that was cut off goes on where its checkpoint is."""
    beside = Beside(project.root, lesson.case.name)
    shutil.rmtree(beside.reports(lesson.case.name), ignore_errors=True)
    steps.fit(beside, lesson.case, lesson.data, lesson.origin)


def evaluate(project: Project, lesson: Lesson) -> None:
    """Judge it on the pinned test rows, and lay what it learnt from beside its report."""
    beside = Beside(project.root, lesson.case.name)
    steps.evaluate(beside, lesson.case.name)
    for name, place in lesson.places.items():
        shutil.copytree(place, beside.reports(lesson.case.name) / "batches" / name)


def register(project: Project, lesson: Lesson) -> str:
    """Bring it into the ledger and MLflow as challenger, and through the gate; says what became of it."""
    from handbook import tracking

    beside = Beside(project.root, lesson.case.name)
    entry = ledger.entry(beside, lesson.case)
    inputs = {path: md5 for path, md5 in entry["dvc"].items() if not path.startswith(("models/", "reports/"))}
    said = tracking.enter(
        beside, lesson.case, entry | {"dvc": inputs, "batches": lesson.batches, "batch_rows": lesson.rows}
    )
    shutil.rmtree(beside.place, ignore_errors=True)
    return said


def retrain(project: Project, name: str, say: Callable[[str], None] = print) -> str:
    """Train a challenger with all accepted batches; returns what became of it. Raises as `gather` does."""
    from handbook import tracking

    with monitoring.alone(project, name):
        tracking.answers(project)
        lesson = gather(project, name)
        say(what_is_learnt(lesson))
        train(project, lesson)
        evaluate(project, lesson)
        return register(project, lesson)


def what_is_learnt(lesson: Lesson) -> str:
    """A sentence on where the rows come from."""
    known = f" ({lesson.known:,} others are rows of the pinned data)" if lesson.known else ""
    return (
        f"{lesson.case.name}: {lesson.rows:,} new rows of {len(lesson.batches)} batches{known}, beside the pinned ones"
    )


def news(project: Project, name: str) -> bool:
    """Whether a batch with answers has drifted that no registered model has learnt from; a kill forgets none."""
    store = ledger.store(project, name)
    standing = standings.opened(store) or standings.blank()
    entries = [ledger.read(store / version / "entry.json") or {} for version in standing["versions"]]
    learnt = {digest for entry in entries for digest in entry.get("batches", {}).values()}
    return any(
        each["outcome"] == DRIFTED and each["labelled"] and each["sha256"] not in learnt
        for each in monitoring.records(project, name)
    )


def watch_over(project: Project, name: str, folder: Path | None, retrain_at_once: bool) -> None:
    """The verb `monitor`: judge what has come in, say so, and retrain if a batch has drifted and it is asked for."""
    records = monitoring.monitor(project, name, folder)
    drifted = [each["batch"] for each in records if each["outcome"] == DRIFTED]
    if not drifted:
        return
    if retrain_at_once and news(project, name):
        print(retrain(project, name))
    else:
        print(f"{len(drifted)} of {len(records)} batches have drifted. To retrain: python -m handbook retrain {name}")
