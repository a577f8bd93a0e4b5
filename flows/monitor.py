"""What came in since training: judged batch by batch, and learnt from where it has drifted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import State, flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed
from prefect.utilities.annotations import quote

from flows.case_study import Case
from flows.retrain import retrain
from flows.verdict import Row
from handbook.errors import HandbookError
from handbook.monitoring import inbox, journal, judgement, retraining
from handbook.monitoring.inbox import Batch
from handbook.monitoring.journal import DRIFTED, Record
from handbook.monitoring.judgement import Watch
from handbook.project import Project
from handbook.registry import tracking


@flow(name="monitor")
def monitor(case: Case | None = None, folder: str | None = None, retrain_on_drift: bool = True) -> State[list[Row]]:
    """Judge the batches that have come in, and retrain where one has drifted.

    Args:
        case: A block of params.yaml; none: every case that has a folder incoming/CASE.
        folder: Where its batches lie, as seen from the project; none: incoming/CASE.
        retrain_on_drift: Start `retrain` for a case of which a batch with answers has drifted.
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
            watch, found = look(case, folder)
            held_against: Any = quote(watch)  # Prefect would look for states among all its rows
            records = []
            for batch in found:
                records.append(judge(held_against, batch))
                put_away(batch, records[-1])
    except HandbookError as error:
        return [Row(case, "Failed", None, str(error))]
    rows = [Row(record["batch"], record["outcome"].capitalize(), None) for record in records]
    if retrain_on_drift and retraining.has_new_rows(project, case):
        state: Any = retrain(case, return_state=True)
        rows.append(Row(f"retrain {case}", state.name, None, state.message if state.is_failed() else ""))
    return rows


@task(task_run_name="look {case}", cache_policy=NO_CACHE)
def look(case: str, folder: str | None) -> tuple[Watch | None, list[Batch]]:
    """Find what has come in, say what is left alone, and load what batches are held against if there are any."""
    project = Project.here()
    tracking.answers(project)
    try:
        found, waiting = judgement.arrived(project, case, project.root / Path(folder) if folder else None)
    except inbox.NothingCameError as nothing:  # every hour but few, and no fault
        get_run_logger().info(str(nothing))
        return None, []
    for each in waiting:
        get_run_logger().warning("%s is left alone: %s", each.path.name, each.why)
    return (judgement.watch(project, case) if found else None), found


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
