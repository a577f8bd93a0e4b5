"""A challenger that learns from what came in as well; the gate decides whether it is champion."""

from __future__ import annotations

from typing import Any

from prefect import State, flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed
from prefect.utilities.annotations import quote

from flows import events
from flows.case_study import Case
from handbook.errors import HandbookError
from handbook.monitoring import judgement, pages, retraining
from handbook.monitoring.retraining import TrainingData
from handbook.project import Project
from handbook.registry import connection


@flow(name="retrain", flow_run_name="{case}")
def retrain(case: Case, only_if_due: bool = False) -> State[str]:
    """Train a challenger on the pinned data and all accepted batches, judge it on the pinned test rows, register it.

    Args:
        case: A block of params.yaml.
        only_if_due: Do nothing unless enough of the last batches have drifted that no model has learnt from. For
            automations, which may hear of it twice.
    """
    project = Project.here()
    try:
        with judgement.alone(project, case):
            outlook = retraining.prospect(project, case)
            if only_if_due and not outlook.due:
                return Completed(name="Idle", message=outlook.said, data=outlook.said)
            said = _challenge(project, case)
    except Exception as error:
        events.emit(events.FAILED, case, f"retrain {case}: {judgement.fault_of(error)}")
        if isinstance(error, HandbookError):
            return Failed(message=str(error))
        raise
    return Completed(message=said, data=said)


def _challenge(project: Project, case: str) -> str:
    """The steps of a retraining, one after the other; says what became of the challenger."""
    connection.answers(project)
    training_data: Any = quote(gather(case))  # Prefect would look for states among all its rows
    train(training_data)
    evaluate(training_data)
    with events.promotions(project, case):
        said = register(training_data)
    pages.write(project, case)
    return said


@task(task_run_name="gather {case}", cache_policy=NO_CACHE)
def gather(case: str) -> TrainingData:
    """The pinned data, and all batches with answers that were accepted."""
    training_data = retraining.gather(Project.here(), case)
    get_run_logger().info(retraining.what_is_learnt(training_data))
    return training_data


@task(cache_policy=NO_CACHE, log_prints=True)
def train(training_data: TrainingData) -> None:
    """Train without touching the pipeline's model; resumes where it was interrupted."""
    retraining.train(Project.here(), training_data)


@task(cache_policy=NO_CACHE, log_prints=True)
def evaluate(training_data: TrainingData) -> None:
    """Judge it on the test rows that every model of the case is judged by."""
    retraining.evaluate(Project.here(), training_data)


# nothing changes when it is repeated: the same record is registered once
@task(cache_policy=NO_CACHE, retries=1, retry_delay_seconds=5)
def register(training_data: TrainingData) -> str:
    """Into the ledger and MLflow, and through the gate; `previous` is the champion before it."""
    said = retraining.register(Project.here(), training_data)
    key = f"{training_data.case.name}-retrained".lower().replace("_", "-")
    learnt = "\n".join(f"- {name}: sha256 `{digest}`" for name, digest in training_data.batches.items())
    create_markdown_artifact(f"# {said}\n\n{retraining.what_is_learnt(training_data)}:\n\n{learnt}\n", key, said)
    return said
