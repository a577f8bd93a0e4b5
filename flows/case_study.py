"""One case from its data to the registry: validate, train, evaluate, register."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import State, flow
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import AfterValidator, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from flows.machine import machine
from flows.runners import Despite, submit
from flows.tasks import evaluate, register, registered, sources, train, validate
from flows.verdict import Futures, Row, verdict
from handbook.errors import unknown
from handbook.project import Project


class Offered:
    """Makes Prefect's form offer the cases of params.yaml as a list."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"enum": Project.here().cases()}


def known(case: str) -> str:
    """The case's name, if params.yaml has it."""
    cases = Project.here().cases()
    if case not in cases:
        raise unknown("case", case, cases)
    return case


Case = Annotated[str, AfterValidator(known), Offered]


@flow(name="case-study", flow_run_name="{case}", task_runner=ThreadPoolTaskRunner())  # type: ignore[arg-type]
def case_study(case: Case) -> State[list[Row]]:
    """Bring one case up to date: validate its data, train, evaluate, register.

    Args:
        case: A block of params.yaml.
    """
    with machine():
        judge = Project.here().judge(case)
        gates = dict.fromkeys(map(dataset_of, filter(None, (judge, case))))
        known = submit(sources)
        checked = {name: submit(validate, name, after=[known]) for name in gates}
        stages: Futures = {"sources": known} | {f"validate@{name}": gate for name, gate in checked.items()}
        if judge:
            stages[f"train@{judge}"] = submit(train, judge, after=[checked[dataset_of(judge)]])
        stages |= chain(case, checked[dataset_of(case)], stages)
        return verdict(stages | enter([case], stages))


def dataset_of(case: str) -> str:
    return str(Project.here().numbers()["cases"][case]["dataset"])


def chain(case: str, checked: PrefectFuture[Any], before: Futures) -> Futures:
    """A case's training and evaluation, behind the gate of its dataset and the training of its judge, if any."""
    judge = Project.here().judge(case)
    trained = submit(train, case, after=[checked])
    judged = submit(evaluate, case, after=[trained, *([before[f"train@{judge}"]] if judge else [])])
    return {f"train@{case}": trained, f"evaluate@{case}": judged}


def enter(cases: list[str], before: Futures) -> Futures:
    """All that was evaluated into the registry at once, and what became of each case; one that failed stays out."""
    judged = {case: before[f"evaluate@{case}"] for case in cases}
    entered = submit(register, after=[Despite(each) for each in judged.values()])
    each = {f"register@{case}": submit(registered, case, after=[judged[case], entered]) for case in cases}
    return {"register": entered, **each}
