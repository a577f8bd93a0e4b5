"""The verbs as Prefect tasks: each brings a DVC stage up to date, and says `Cached` where nothing was stale.

Prefect's own result cache is off: it sees only a task's own lines, DVC sees everything a result depends on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from prefect import State, get_run_logger, runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from flows import artifacts, events, stages
from handbook.project import Project
from handbook.training.run import FLOW_RUN


def _up_to_date(stage: str, see: Callable[[str], None] | None = None) -> State[Any]:
    said = get_run_logger().info

    def say(line: str) -> None:
        said(line)
        if see:
            see(line)

    os.environ[FLOW_RUN] = str(runtime.flow_run.id or "")  # a process runs one flow; what a stage makes, remembers it
    try:
        done = stages.run(stage, say)
    except stages.StageError as error:
        return Failed(message=str(error))  # its message is the whole story: no traceback
    if done.outcome is stages.Outcome.CACHED:
        return Completed(name="Cached", message=f"{stage}: DVC had nothing to do", data=done)
    return Completed(message=f"{stage} ran for {done.seconds:.1f} s", data=done)


@task(task_run_name="validate@{dataset}", cache_policy=NO_CACHE)
def validate(dataset: str) -> State[Any]:
    """The gate: is the data what its page expects? Leaves a link to what was found."""
    state = _up_to_date(f"validate@{dataset}")
    artifacts.link_docs(dataset)  # of a refused one too: there it says why
    return state


@task(task_run_name="train@{case}", cache_policy=NO_CACHE)
def train(case: str) -> State[Any]:
    """Train the case's model; a bar fills as its epochs end."""
    return _up_to_date(f"train@{case}", artifacts.bar(f"train@{case}", case, "training"))


@task(task_run_name="evaluate@{case}", cache_policy=NO_CACHE)
def evaluate(case: str) -> State[Any]:
    """Judge it on data it has not seen; leaves its metrics and figures."""
    state = _up_to_date(f"evaluate@{case}")
    if state.is_completed():
        artifacts.show_metrics(case)
        artifacts.show_figures(case)
    return state


@task(task_run_name="sources", cache_policy=NO_CACHE)
def sources() -> State[Any]:
    """What every stage is made of, for DVC to tell by what is stale."""
    return _up_to_date("sources")


# the one task that writes to a server others may be writing to, and that changes nothing when repeated
@task(task_run_name="register", cache_policy=NO_CACHE, retries=1, retry_delay_seconds=5)
def register() -> State[Any]:
    """Bring all that is evaluated into the MLflow registry, in one process: most of it is the start of libraries."""
    project = Project.here()
    with events.promotions(project, *project.cases()):
        return _up_to_date("register")


@task(task_run_name="register@{case}", cache_policy=NO_CACHE)
def registered(case: str) -> State[Any]:
    """What became of a case in the registry; leaves a link to its run."""
    artifacts.link_run(case)
    return Completed(name="Registered", message=artifacts.registration(case))


@task(task_run_name="lab@{name}", cache_policy=NO_CACHE)
def lab(name: str) -> State[Any]:
    """Work a chapter through: its figures and its measured facts."""
    return _up_to_date(f"lab@{name}")


@task(task_run_name="report", cache_policy=NO_CACHE)
def report() -> State[Any]:
    """One page with every case; leaves a link to it."""
    state = _up_to_date("report")
    if state.is_completed():
        artifacts.link_report()
    return state
