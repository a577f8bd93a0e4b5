"""Batch prediction: a case's champion over pictures, rows, prompts or seeds that lie on this machine."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import State, flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed
from pydantic import Field

from flows.case_study import Case
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.serving import answers, prediction
from handbook.serving.answers import Outcome
from handbook.serving.inputs import is_there


@flow(name="predict", flow_run_name="{case}")
def predict(
    case: Case,
    inputs: Annotated[list[str], Field(min_length=1)],
    output: str,
    version: str = "",
    batch_size: Annotated[int, Field(ge=1)] | None = None,
) -> State[None]:
    """Predict what lies in files, and write the answers as CSV; what fails is listed in OUTPUT.errors.csv.

    Args:
        case: A block of params.yaml.
        inputs: PNG or JPEG files, folders of them, or one CSV file; prompts or seeds for what generates. Paths are
            absolute, or start from the checkout.
        output: The CSV file to write; for generated pictures a folder.
        version: A number, champion, challenger or previous; empty for the champion.
        batch_size: How many lie in memory at a time; empty for the kind's own.
    """
    ended: Any = answer(case, inputs, output, version, batch_size, return_state=True)
    state = Completed if ended.is_completed() else Failed
    return state(message=ended.message)  # returned as it is, Prefect would only count it: 1/1 states failed


# what writes its files in one step at the end may be tried again
@task(task_run_name="predict {case}", cache_policy=NO_CACHE)
def answer(case: str, inputs: list[str], output: str, version: str, batch_size: int | None) -> State[Outcome]:
    """Predict; Failed, with the good answers written, if any input could not be read."""
    project = Project.here()
    paths = [str(path) if each and is_there(str(path := project.root / each)) else each for each in inputs]
    try:
        place = project.root / output
        outcome = prediction.predict(project, case, paths, place, version=version, batch_size=batch_size)
    except HandbookError as error:
        return Failed(message=str(error))
    show(case, outcome)
    try:
        message = answers.summary(outcome)
    except HandbookError as error:
        return Failed(message=str(error), data=outcome)
    get_run_logger().info(message)
    return Completed(message=message, data=outcome)


def show(case: str, outcome: Outcome) -> None:
    """A table in Prefect: how many were answered, how many failed, and where both lie."""
    rows = {
        "model": outcome.title,
        "answered": f"{outcome.answered:,}, of them doubtful {outcome.doubtful:,}",
        "answers": outcome.output,
        "failed": f"{outcome.failed:,}",
        "listed in": outcome.errors or "",
    }
    text = "\n".join(["| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in rows.items())])
    create_markdown_artifact(text, f"{case}-predictions".replace("_", "-"), f"What {outcome.title} was asked")
