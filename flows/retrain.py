"""A challenger that learns from what came in as well; the gate decides whether it is champion."""

from __future__ import annotations

from typing import Any

from prefect import State, flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed
from prefect.utilities.annotations import quote

from flows.case_study import Case
from handbook import monitoring, retraining, tracking
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.retraining import Lesson


@flow(name="retrain", flow_run_name="{case}")
def retrain(case: Case) -> State[str]:
    """Train a challenger on the pinned data and all accepted batches, judge it on the pinned test rows, register it.

    Args:
        case: A block of params.yaml.
    """
    project = Project.here()
    try:
        with monitoring.alone(project, case):
            tracking.answers(project)
            lesson: Any = quote(gather(case))  # Prefect would look for states among all its rows
            train(lesson)
            evaluate(lesson)
            said = register(lesson)
    except HandbookError as error:
        return Failed(message=str(error))
    return Completed(message=said, data=said)


@task(task_run_name="gather {case}", cache_policy=NO_CACHE)
def gather(case: str) -> Lesson:
    """The pinned data, and all batches with answers that were accepted."""
    lesson = retraining.gather(Project.here(), case)
    get_run_logger().info(retraining.what_is_learnt(lesson))
    return lesson


@task(cache_policy=NO_CACHE, log_prints=True)
def train(lesson: Lesson) -> None:
    """Train beside the pipeline's model; goes on where it was cut off."""
    retraining.train(Project.here(), lesson)


@task(cache_policy=NO_CACHE, log_prints=True)
def evaluate(lesson: Lesson) -> None:
    """Judge it on the test rows that every model of the case is judged by."""
    retraining.evaluate(Project.here(), lesson)


# nothing changes when it is repeated: the same content is registered once
@task(cache_policy=NO_CACHE, retries=1, retry_delay_seconds=5)
def register(lesson: Lesson) -> str:
    """Into the ledger and MLflow, and through the gate; `previous` is the champion before it."""
    said = retraining.register(Project.here(), lesson)
    key = f"{lesson.case.name}-retrained".lower().replace("_", "-")
    learnt = "\n".join(f"- {name}: sha256 `{digest}`" for name, digest in lesson.batches.items())
    create_markdown_artifact(f"# {said}\n\n{retraining.what_is_learnt(lesson)}:\n\n{learnt}\n", key, said)
    return said
