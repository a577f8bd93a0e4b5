"""How a flow ended: one row for each stage, and a state that names what failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prefect import State
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed

from flows.stages import Done

Futures = dict[str, PrefectFuture[Any]]  # a stage's name, and the run of its task


@dataclass(frozen=True)
class Row:
    """A stage, the name of the state it ended in, and how long DVC took, if it got that far."""

    stage: str
    state: str
    seconds: float | None
    error: str = ""


def verdict(futures: Futures) -> State[list[Row]]:
    """Wait for every stage; Failed, naming those that failed, unless all are up to date."""
    rows = [_row(stage, future) for stage, future in futures.items()]
    failed = [row for row in rows if row.error]
    if failed:
        names = ", ".join(row.stage for row in failed)
        message = "\n".join(row.error for row in failed)
        return Failed(message=f"{len(failed)} of {len(rows)} stages failed: {names}\n{message}", data=rows)
    stages = [row.state for row in rows if row.seconds is not None]  # what became of a case in the registry is none
    message = f"{len(stages)} stages up to date, {stages.count('Cached')} of them already"
    return Completed(message=message, data=rows)


def _row(stage: str, future: PrefectFuture[Any]) -> Row:
    future.wait()
    state = future.state
    done = state.result() if state.is_completed() else None
    seconds = done.seconds if isinstance(done, Done) else None
    error = state.message or "" if state.is_failed() or state.is_crashed() else ""
    return Row(stage, state.name or "", seconds, error)


def table(rows: list[Row]) -> str:
    """A line a stage, for a terminal."""
    width = max(len(row.stage) for row in rows)
    lines = [f"{row.stage:{width}}  {row.state:10}  {_seconds(row):>7}".rstrip() for row in rows]
    return "\n".join([f"{'stage':{width}}  {'state':10}  {'seconds':>7}", *lines])


def _seconds(row: Row) -> str:
    return "" if row.seconds is None else f"{row.seconds:.1f}"
