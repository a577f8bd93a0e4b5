"""Monitoring: what comes in after training is validated, compared with the training data, scored, reported, archived.

A batch is judged once, whatever it is called. What is said of it is written before it is moved, so a kill in between
costs nothing: the next run finds the record of those bytes, completes what is missing, and judges nothing again.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from handbook import contract, datasets
from handbook.contract import Split
from handbook.data import provenance, validation
from handbook.errors import HandbookError, unknown
from handbook.files import locks
from handbook.files.formats import write_json, write_text
from handbook.monitoring import champions, drift, inbox, reading, suites
from handbook.monitoring.champions import Champion
from handbook.monitoring.inbox import Batch
from handbook.monitoring.journal import DRIFTED, REFUSED, STEADY, Record, page_of, sentence
from handbook.monitoring.reading import Content
from handbook.project import Project, parse
from handbook.steps.evaluate import judges

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Watch:
    """All that batches of a case are held against."""

    project: Project
    name: str
    champion: Champion
    model: Any  # the champion's
    page: ModuleType  # the dataset's
    kind: str  # of the dataset: real or sample
    split: Split[Any]  # the dataset, as the champion's page splits it
    reference: pd.DataFrame  # what the champion learnt from, the columns that are compared
    params: drift.Params


def watch(project: Project, name: str) -> Watch:
    """Load the champion of a case and what it learnt from.

    Raises HandbookError for an unknown case, no champion, no block `monitor` in params.yaml, data that are not those
    that the champion was made from, and a dataset that is neither a table nor labelled pictures.
    """
    if name not in project.cases():
        raise unknown("case", name, project.cases())
    params = limits(project)
    champion = champions.champion(project, name)
    page, directory = datasets.page(champion.case.dataset), project.data(champion.case.dataset)
    inbox.is_table(page)
    origin = provenance.verify(page, directory)
    kind, form = str(origin["kind"]), origin.get("form")
    if "form" in champion.entry and kind == champion.entry["data"] and form != champion.entry["form"]:
        raise HandbookError(
            f"the champion of {name} was made from the {champion.entry['form']} of {champion.case.dataset}, and "
            f"{directory} holds the {form}.\nMake a champion of these: handbook register {name}"
        )
    if kind != champion.entry["data"]:
        raise HandbookError(
            f"the champion of {name} was made from {champion.entry['data']} data, and {directory} holds {kind} ones.\n"
            f"Bring the data that it was made from (make data), or make a champion of these: handbook register {name}"
        )
    data = page.load(directory)
    split = champion.case.split(data)
    learnt = [champions.learnt(split, data, page.facts(directory))]
    for files in champion.batches():
        with scratch(project) as place:
            learnt.append(reading.read(page, directory, files, place).facts)
    import pandas as pd

    reference = reading.compared(page, pd.concat(learnt, ignore_index=True))
    return Watch(project, name, champion, champion.model(), page, kind, split, reference, params)


def limits(project: Project) -> drift.Params:
    """The block `monitor` of params.yaml."""
    block = project.numbers().get("monitor")
    if not isinstance(block, dict):
        raise HandbookError("params.yaml has no block `monitor:` with the limits of drift")
    return parse(drift.Params, block, "params.yaml, monitor")  # type: ignore[no-any-return]


def incoming(project: Project, name: str) -> Path:
    """Where the batches of a case are looked for, unless another folder is named."""
    return project.root / "incoming" / name


def records_folder(project: Project, name: str) -> Path:
    """Where the records and pages of a case's batches lie."""
    return project.root / "reports" / "monitor" / name


@contextlib.contextmanager
def scratch(project: Project) -> Iterator[Path]:
    """An empty folder that is gone at the end."""
    (project.cache / "monitor").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=project.cache / "monitor") as place:
        yield Path(place)


@contextlib.contextmanager
def alone(project: Project, name: str) -> Iterator[None]:
    """One who watches a case at a time: the next one waits, and finds what the first has left."""
    with locks.alone(project.cache / "monitor" / f"{name}.lock"):
        yield


def records(project: Project, name: str) -> list[Record]:
    """What was said of every batch of a case so far, by name."""
    return [json.loads(path.read_text()) for path in sorted(records_folder(project, name).glob("*.json"))]


def judge(watch: Watch, batch: Batch) -> tuple[Record, bool]:
    """What is to be said of a batch, written down, and whether it is new: no bytes are judged twice."""
    from handbook.registry import tracking

    known = [each for each in records(watch.project, watch.name) if each["sha256"] == batch.sha256]
    record = known[0] if known else _judged(watch, batch)
    place = records_folder(watch.project, watch.name) / record["batch"]
    write_text(place.with_suffix(".md"), page_of(record))
    write_json(place.with_suffix(".json"), record)
    tracking.log_batch(watch.project, watch.champion.case, record, place.with_suffix(".md"))
    return record, not known


def _within(root: Path, folder: Path) -> str:
    """The folder as seen from the project, if it lies there."""
    return str(folder.relative_to(root) if folder.is_relative_to(root) else folder)


def _judged(watch: Watch, batch: Batch) -> Record:
    record: Record = {
        "batch": batch.name,
        "files": [path.name for path in batch.files],
        "folder": _within(watch.project.root, batch.files[0].parent),
        "sha256": batch.sha256,
        "case": watch.name,
        "dataset": watch.champion.case.dataset,
        "data": watch.kind,
        "champion": watch.champion.content,
        "limits": asdict(watch.params),
        "judged": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    with scratch(watch.project) as place:
        try:
            content = reading.read(watch.page, watch.project.data(record["dataset"]), batch.files, place)
            record |= {"rows": len(content.facts), "labelled": content.loaded is not None}
            record["expectations"] = _validate(watch, content)
        except HandbookError as error:
            return record | {"outcome": REFUSED, "reason": str(error)}
    return record | _compared(watch, content) | _scored(watch, content)


def _validate(watch: Watch, content: Content) -> int:
    """How many expectations of the dataset a batch has met; a HandbookError lists those that it has not."""
    sample, answers = watch.kind == "sample", "" if content.loaded is not None else reading.target(watch.page)
    expectations = suites.suite(watch.page.expectations(sample), without=answers)
    dataset = watch.champion.case.dataset
    suite = f"{dataset}_batch" + "_unlabelled" * bool(answers) + "_sample" * sample
    findings = validation.check(suite, content.facts, expectations, watch.project.gx)
    failed = [finding for finding in findings if not finding.success]
    if failed:
        sentences = "\n  ".join(finding.sentence() for finding in failed)
        raise HandbookError(
            f"{len(failed)} of the {len(findings)} expectations of a batch of {dataset} are not met\n  {sentences}"
        )
    return len(findings)


def _compared(watch: Watch, content: Content) -> Record:
    """The outcome, and how each column compares with the training rows."""
    batch = reading.compared(watch.page, content.facts)
    columns = drift.compare(watch.reference, batch, reading.words(watch.page, batch), watch.params)
    drifted = any(column.drifted for column in columns)
    least = drift.detectable(len(watch.reference), len(batch), len(columns), watch.params.alpha)
    return {
        "outcome": DRIFTED if drifted else STEADY,
        "columns": drift.plain(columns),
        "reference_rows": len(watch.reference),
        "detectable": least,
    }


def _scored(watch: Watch, content: Content) -> Record:
    """The champion's primary metric on the batch beside that on its test rows, or why there is none.

    A batch on which the champion does clearly worse has drifted, even if no column has: what follows from the columns
    has changed.
    """
    why = _no_score(watch, content)
    if why:
        return {"score": None, "no_score": why}
    assert content.loaded is not None  # else there was a reason
    case = watch.champion.case
    primary = case.page.PRIMARY
    try:
        judge = judges(watch.project, case)
        value, (low, high) = champions.score(case, watch.model, watch.split, content.loaded, *judge)
    except (HandbookError, ValueError) as error:
        return {"score": None, "no_score": f"the page cannot judge so few rows, or rows so alike: {error}"}
    before = float(watch.champion.metrics[primary])
    lower = contract.case(case.page).lower_is_better
    fell = low - before > watch.params.fall if lower else before - high > watch.params.fall
    score = {"metric": primary, "value": value, "low": low, "high": high, "before": before, "fell": fell}
    return {"score": score} | ({"outcome": DRIFTED} if fell else {})


def _no_score(watch: Watch, content: Content) -> str:
    if content.loaded is None:
        return "the batch has no answers"
    if len(content.facts) < watch.params.least_rows:
        return f"the batch has fewer than {watch.params.least_rows} rows"
    if len(set(content.loaded.answers.tolist())) < 2:  # most metrics say nothing then
        return "all rows of the batch have the same answer"
    return ""


def put_away(batch: Batch, record: Record) -> Path:
    """Move a batch that was judged: to `done/NAME`, or, if it was refused, to `refused/NAME`."""
    return inbox.put_away(batch, record["outcome"] == REFUSED)


def arrived(project: Project, name: str, folder: Path | None = None) -> tuple[list[Batch], list[inbox.Waiting]]:
    """The batches of a case that have come in, and the files that are left alone."""
    place = folder or incoming(project, name)
    page = datasets.page(champions.champion(project, name).case.dataset)
    inbox.finish_moves(place)
    return inbox.find(place, page, limits(project).settle)


def monitor(
    project: Project, name: str, folder: Path | None = None, say: Callable[[str], None] = print
) -> list[Record]:
    """Judge every batch that has come in and put it away; returns what was said of each.

    Raises HandbookError where nothing can be judged: an unknown case, no champion, no folder or an empty one, an
    MLflow server that does not answer.
    """
    from handbook.registry import tracking

    with alone(project, name):
        watcher = watch(project, name)
        tracking.answers(project)
        found, waiting = arrived(project, name, folder)
        for each in waiting:
            say(f"{each.path.name}: left alone, {each.why}")
        said = []
        for batch in found:
            record, new = judge(watcher, batch)
            place = put_away(batch, record)
            said.append(record)
            say(sentence(record, new) + f" -> {place}")
    return said
