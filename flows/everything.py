"""The whole handbook: every case and lab, as many at once as the machine allows, then the report."""

from __future__ import annotations

from typing import Annotated

from prefect import State, flow
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from flows import runners
from flows.case_study import chain, dataset_of, enter
from flows.machine import machine, room_for
from flows.runners import Despite, submit
from flows.tasks import lab, report, sources, validate
from flows.verdict import Futures, Row, verdict
from handbook.project import Project


@flow(name="handbook", task_runner=ThreadPoolTaskRunner())  # type: ignore[arg-type]
def everything(
    at_once: Annotated[int, Field(ge=1)] | None = None, runner: runners.Name = "threads", cluster: str | None = None
) -> State[list[Row]]:
    """Bring every case up to date, and the report; a case that fails does not stop the others.

    Args:
        at_once: How many train or evaluate at a time; they share the cores. Empty: as many as the machine has room for.
        runner: Where they run: threads here, or the workers of a Dask or Ray cluster.
        cluster: The address of a cluster that runs already; empty, one is started on this machine.
    """
    project, at_once = Project.here(), at_once or room_for()
    with machine(at_once), runners.using(runner, at_once, cluster):
        known = submit(sources)
        checked = {name: submit(validate, name, after=[known]) for name in project.datasets()}
        stages: Futures = {"sources": known} | {f"validate@{name}": gate for name, gate in checked.items()}
        for case in sorted(project.cases(), key=lambda name: project.judge(name) is not None):  # judges first
            stages.update(chain(case, checked[dataset_of(case)], stages))
        stages |= {f"lab@{name}": submit(lab, name, after=[known]) for name in project.labs()}
        stages |= enter(project.cases(), stages)
        ended = [Despite(stage) for stage in stages.values()]
        stages["report"] = submit(report, after=ended)
        return verdict(stages)
