"""Monitoring: what comes in after training is validated, compared with the training data, scored, reported, archived.

A batch is judged once, whatever it is called. What is said of it is written before it is moved, so a kill in between
costs nothing: the next run finds the record of those bytes, completes what is missing, and judges nothing again.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from handbook import datasets
from handbook.errors import HandbookError, unknown
from handbook.files import locks
from handbook.monitoring import archive, champions, findings, inbox, pages
from handbook.monitoring.inbox import Batch
from handbook.monitoring.journal import REFUSED, Record, sentence
from handbook.monitoring.reference import Watch, limits, scratch, watch
from handbook.project import Project
from handbook.serving import differences


def incoming(project: Project, name: str) -> Path:
    """Where the batches of a case are looked for, unless another folder is named."""
    return project.root / "incoming" / name


@contextlib.contextmanager
def alone(project: Project, name: str) -> Iterator[None]:
    """One who watches a case at a time: the next one waits, and finds what the first has left.

    HandbookError for what is no case, before a file is opened by its name.
    """
    if name not in project.cases():
        raise unknown("case", name, project.cases())
    with locks.alone(project.cache / "monitor" / f"{name}.lock"):
        archive.tidy(project, name)
        yield


def judge(watch: Watch, batch: Batch) -> tuple[Record, bool]:
    """What is to be said of a batch, written down, and whether it is new: no bytes are judged twice."""
    from handbook.registry import tracking

    before = archive.records(watch.project, watch.name)
    known = [each for each in before if each["sha256"] == batch.sha256]
    if known:
        record = known[0]
    else:
        with scratch(watch.project) as place:
            record = findings.judged(watch, batch, place)
    if any(each["batch"] == record["batch"] and each["sha256"] != record["sha256"] for each in before):
        record["batch"] = f"{record['batch']}-{record['sha256']}"  # another batch's name, to the first eight digits
    page = archive.write(watch.project, watch.name, record)
    tracking.log_batch(watch.project, watch.champion.case, record, page)
    return record, not known


def put_away(batch: Batch, record: Record) -> Path:
    """Keep a batch that was judged: in `done/NAME`, or, if it was refused, in `refused/NAME`."""
    return inbox.put_away(batch, record["outcome"] == REFUSED, record["batch"], record["files"])


def arrived(project: Project, name: str, folder: Path | None = None) -> tuple[list[Batch], list[inbox.Waiting]]:
    """The batches of a case that have come in, and the files that are left alone; the champion is not loaded."""
    place, page = folder or incoming(project, name), datasets.page(champions.dataset(project, name))
    inbox.finish_moves(place)
    return inbox.find(place, page, limits(project).settle)


def monitor(
    project: Project, name: str, folder: Path | None = None, say: Callable[[str], None] = print
) -> list[Record]:
    """Judge every batch that has come in and put it away; returns what was said of each.

    Raises HandbookError where nothing can be judged: an unknown case, no champion, no folder or an empty one, an
    MLflow server that does not answer; and at the end, if a batch could not be judged for a reason not its own.
    """
    said, faults = judge_all(project, name, folder, say)
    refuse_unjudged(name, said, faults)
    return said


def judge_all(
    project: Project, name: str, folder: Path | None, say: Callable[[str], None]
) -> tuple[list[Record], list[str]]:
    """What was said of each batch, and why others could not be judged: none stops those behind it."""
    from handbook.registry import connection

    with alone(project, name):
        watcher = watch(project, name)
        connection.answers(project)
        try:
            found, waiting = arrived(project, name, folder)
        except inbox.NothingCameError:
            # there may be something to show all the same: of a shadow, or of batches behind which a run was cut off
            if differences.home(project, name).is_dir() or archive.folder(project, name).is_dir():
                pages.write(project, name)
            raise
        for each in waiting:
            say(each.said())
        said, faults = [], [each.said() for each in waiting if each.ours]
        for batch in found:
            try:
                record, new = judge(watcher, batch)
                place = put_away(batch, record)
            except Exception as error:  # the batches behind it are owed a judgement
                faults.append(left(batch, error))
                say(faults[-1])
            else:
                said.append(record)
                say(sentence(record, new) + f" -> {place}")
        pages.write(project, name)
    return said, faults


def refuse_unjudged(name: str, said: list[Record], faults: list[str]) -> None:
    """HandbookError if any batch could not be judged."""
    if faults:
        raise HandbookError(
            f"{len(faults)} of {len(said) + len(faults)} batches of {name} could not be judged, for a reason that is"
            " not\ntheir own; they stay, and are judged next time:\n  " + "\n  ".join(faults)
        )


def left(batch: Batch, error: Exception) -> str:
    """Let go of a batch that could not be judged: its files stay, our copies go; returns a sentence on why."""
    inbox.forget(*{copy.parent for copy in batch.held})
    return f"{batch.name}: not judged, and left where it is: {fault_of(error)}"


def fault_of(error: Exception) -> str:
    """What went wrong, in a sentence; of an error that nobody foresaw, where."""
    if isinstance(error, HandbookError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}{f', {error.filename}' if error.filename else ''}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno})"
