"""A sweep: which settings of a case do best on held-out rows. The best is proposed, never taken over."""

from __future__ import annotations

import sys
from typing import Annotated, Any

from prefect import State, flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed
from pydantic import AfterValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from flows import artifacts, stages
from flows.case_study import known
from flows.machine import current, machine
from handbook.errors import unknown
from handbook.project import Project


def swept() -> list[str]:
    """The cases that params.yaml has ranges for."""
    return [str(name) for name in Project.here().numbers().get("sweeps") or {}]


class Offered:
    """Makes Prefect's form offer the cases that can be swept as a list."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"enum": swept()}


def ranged(case: str) -> str:
    """The case's name, if it is one and has ranges."""
    if known(case) not in swept():
        raise unknown("case with ranges under `sweeps:`", case, swept())
    return case


@flow(name="sweep", flow_run_name="{case}")
def sweep(
    case: Annotated[str, AfterValidator(ranged), Offered], trials: Annotated[int, Field(ge=1)] | None = None
) -> State[Any]:
    """Bring a case's sweep to so many finished trials; one that was cut off goes on where it was.

    Args:
        case: A block of params.yaml with ranges under `sweeps:`.
        trials: Finished trials in all, those of earlier runs included; empty: the number in params.yaml.
    """
    with machine():
        ended: Any = try_settings(case, trials, return_state=True)
        state = Completed if ended.is_completed() else Failed
        return state(message=ended.message)  # returned as it is, Prefect would only count it: 1/1 states failed


# a second try goes on after the trials that are finished
@task(task_run_name="sweep@{case}", cache_policy=NO_CACHE)
def try_settings(case: str, trials: int | None) -> State[Any]:
    """Trial after trial in a process of its own, which ends with the flow; leaves the proposal to look at."""
    said = get_run_logger().info
    see = artifacts.bar(f"sweep@{case}", case, "sweep")
    command = [sys.executable, "-m", "handbook", "sweep", case, *(["--trials", str(trials)] if trials else [])]
    room, lines = current(), []
    with room.place(heavy=True), stages.started(command, Project.here().root, room) as process, room.child(process):
        for line in map(str.rstrip, process.stdout or ()):
            said(line)
            lines.append(line)
            see(line)
    if process.returncode:
        last_lines = "\n".join(f"  {line}" for line in lines[-stages.KEPT_LINES :])
        return Failed(
            message=f"the sweep of {case} ended with {process.returncode}:\n{last_lines}\nRun it again to go on"
        )
    artifacts.show_proposal(case)
    return Completed(message=f"the sweep of {case} is done; see its proposal")
