"""What came in since training: judged batch by batch, and learnt from where it has drifted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import State, flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed
from prefect.utilities.annotations import quote

from flows import artifacts, automations, events
from flows.case_study import Case
from flows.retrain import retrain
from flows.verdict import Row
from handbook.errors import HandbookError
from handbook.monitoring import inbox, journal, judgement, pages, reference, retraining
from handbook.monitoring.inbox import Batch, Waiting
from handbook.monitoring.journal import DRIFTED, REFUSED, Record
from handbook.monitoring.reference import Watch
from handbook.project import Project
from handbook.registry import connection


@flow(name="monitor")
def monitor(case: Case | None = None, folder: str | None = None, retrain_on_drift: bool = True) -> State[list[Row]]:
    """Judge the batches that have come in, and retrain where one has drifted.

    Args:
        case: A block of params.yaml; none: every case that has a folder incoming/CASE.
        folder: Where its batches lie, a folder of the project as seen from there; none: incoming/CASE.
        retrain_on_drift: Retrain a case of which enough of the last batches have drifted (`monitor.drifted_of`).
    """
    project = Project.here()
    rows = [
        row for name in ([case] if case else watched(project)) for row in _one(project, name, folder, retrain_on_drift)
    ]
    faults = [row.error for row in rows if row.error]
    if faults:
        return Failed(message="\n".join(faults), data=rows)
    message = ", ".join(f"{row.stage} {row.state.lower()}" for row in rows)
    return (
        Completed(message=message, data=rows) if rows else Completed(name="Idle", message="nothing came in", data=rows)
    )


def watched(project: Project) -> list[str]:
    """The cases that have a folder for batches."""
    return [name for name in project.cases() if judgement.incoming(project, name).is_dir()]


def _one(project: Project, case: str, folder: str | None, retrain_on_drift: bool) -> list[Row]:
    """A row a batch, and one for the retraining if there was one; an error is reported in a row of its own."""
    try:
        with judgement.alone(project, case):
            watch, found, unread = look(case, folder)
            rows = [Row(inbox.shown(each.path.name), "Failed", None, each.said()) for each in unread]
            rows += [_batch(case, watch, batch) for batch in found]
            pages.write(project, case)
        artifacts.link_service(case)
        outlook = retraining.prospect(project, case)
    except HandbookError as error:
        events.emit(events.FAILED, case, f"monitor {case}: {error}")
        return [Row(case, "Failed", None, str(error))]
    if not (retrain_on_drift and outlook.due):
        return rows
    events.emit(events.DRIFTED, case, outlook.said)
    if automations.retrains():  # as a run of its own, which the event starts
        return [*rows, Row(f"retrain {case}", "Requested", None)]
    state: Any = retrain(case, return_state=True)
    return [*rows, Row(f"retrain {case}", state.name, None, state.message if state.is_failed() else "")]


def _batch(case: str, watch: Watch | None, batch: Batch) -> Row:
    """Judge a batch and put it away; whatever goes wrong is reported of it, and the next one is judged."""
    held_against: Any = quote(watch)  # Prefect would look for states among all its rows
    try:
        record = judge(held_against, batch)
        put_away(batch, record)
    except Exception as error:
        said = judgement.left(batch, error)
        events.emit(events.FAILED, case, said, batch=batch.name)
        return Row(batch.name, "Failed", None, said)
    named = {DRIFTED: events.BATCH_DRIFTED, REFUSED: events.BATCH_REFUSED}.get(record["outcome"])
    if named:
        events.emit(named, case, journal.sentence(record, new=True), batch=record["batch"])
    return Row(record["batch"], record["outcome"].capitalize(), None)


def within(project: Project, folder: str) -> Path:
    """A folder of the project; HandbookError for any other: who may start flows may not read the whole machine."""
    place = (project.root / folder).resolve()
    if not place.is_relative_to(project.root.resolve()):
        raise HandbookError(
            f"{folder} is not in the project. Batches of a flow lie below {project.root}; for another folder:"
            " python -m handbook monitor CASE FOLDER"
        )
    return place


@task(task_run_name="look {case}", cache_policy=NO_CACHE)
def look(case: str, folder: str | None) -> tuple[Watch | None, list[Batch], list[Waiting]]:
    """Find what has come in, say what is left alone, and load what batches are held against if there are any.

    What is left alone for a reason of ours comes last.
    """
    project = Project.here()
    connection.answers(project)
    try:
        found, waiting = judgement.arrived(project, case, within(project, folder) if folder else None)
    except inbox.NothingCameError as nothing:  # every hour but few, and no fault
        get_run_logger().info(str(nothing))
        return None, [], []
    for each in waiting:
        get_run_logger().warning(each.said())
    return (reference.watch(project, case) if found else None), found, [each for each in waiting if each.ours]


@task(task_run_name="judge {batch.name}", cache_policy=NO_CACHE)
def judge(watch: Watch, batch: Batch) -> Record:
    """Validate, compare, score; leaves a record, a page, a run in MLflow and an artifact."""
    record, new = judgement.judge(watch, batch)
    say = get_run_logger().warning if record["outcome"] == DRIFTED else get_run_logger().info
    say(journal.sentence(record, new))
    key = f"{record['case']}-batch".lower().replace("_", "-")
    create_markdown_artifact(journal.page_of(record), key, f"{record['batch']}: {record['outcome']}")
    return record


@task(task_run_name="put away {batch.name}", cache_policy=NO_CACHE)
def put_away(batch: Batch, record: Record) -> str:
    """Move it to done/ or refused/, now that everything is written."""
    return str(judgement.put_away(batch, record))
