"""What evaluation and validation left of a case or a dataset as files, read and checked for their shape."""

from __future__ import annotations

import os
from typing import Any

from handbook.errors import HandbookError
from handbook.evaluation import examples
from handbook.files import documents
from handbook.project import Case, Project

METRICS: dict[str, documents.Kind] = {"data": str, "baseline": dict, "book": dict, "interval": dict}
VALIDATION: dict[str, documents.Kind] = {"data": str, "files": dict, "rows": int, "expectations": list, "success": bool}
SEEDS: dict[str, documents.Kind] = {"key": str, "data": str, "seeds": dict, "mean": dict, "deviation": dict}
EXAMPLE: dict[str, documents.Kind] = {"inputs": (dict, list), "answers": (dict, list)}


def metrics(project: Project, case: Case) -> dict[str, Any]:
    """The numbers of a case, as its evaluation left them; HandbookError if they are not there, or not of that shape."""
    path, primary = project.reports(case.name) / "metrics.json", case.page.PRIMARY
    if not os.path.lexists(path):
        raise HandbookError(
            f"{path} is missing: {case.name} is not evaluated yet. Make it: dvc repro evaluate@{case.name}"
        )
    way = _again(path, f"evaluate@{case.name}")
    found = documents.json_object(path, way, METRICS | {primary: documents.NUMBER})
    fault = documents.misshapen(found["baseline"], {primary: documents.NUMBER}, " in `baseline`")
    fault = fault or documents.misshapen(found["interval"], {primary: list}, " in `interval`")
    bounds = found["interval"].get(primary)
    if not fault and not (len(bounds) == 2 and all(documents.is_a(each, documents.NUMBER) for each in bounds)):
        fault = f"expected two numbers as `{primary}` in `interval`, found {bounds}"
    if not fault and found["data"] not in ("real", "sample"):
        fault = f"expected real or sample as `data`, found {found['data']!r}"
    if fault:
        raise documents.damaged(path, fault, way)
    return found


def seeds(project: Project, case: Case) -> dict[str, Any] | None:
    """A case's figures over several seeds; None if it was not repeated, or not since its own figures are these."""
    path, primary = project.reports(case.name) / "seeds.json", case.page.PRIMARY
    if not os.path.lexists(path):
        return None
    way = f"Bring it back: git checkout -- {path}; or make it again: handbook repeat {case.name}"
    found = documents.json_object(path, way, SEEDS)
    rows = [*found["seeds"].values(), found["mean"], found["deviation"]]
    for row in rows:
        if not isinstance(row, dict) or (fault := documents.misshapen(row, {primary: documents.NUMBER})):
            raise documents.damaged(path, fault if isinstance(row, dict) else f"expected figures, found {row!r}", way)
    today, own = metrics(project, case), found["seeds"].get(str(case.params.seed), {})
    return found if (found["data"], own.get(primary)) == (today["data"], today[primary]) else None


def kind(project: Project, *place: str) -> str:
    """Whether a file of results below reports/ was made from real data or from samples; a lab may need no data."""
    path = project.root.joinpath("reports", *place)
    return str(documents.json_object(path, _again(path, "the stage that makes it")).get("data", "real"))


def validation(project: Project, dataset: str) -> dict[str, Any] | None:
    """What the gate found of a dataset; None if it was never asked."""
    path = project.reports(dataset) / "validation.json"
    if not os.path.lexists(path):
        return None
    return documents.json_object(path, _again(path, f"validate@{dataset}"), VALIDATION)


def checks(project: Project, lab: str) -> dict[str, Any]:
    """The facts that a lab measured; HandbookError if it has not run."""
    path = project.reports("labs") / lab / "checks.json"
    if not os.path.lexists(path):
        raise HandbookError(f"{path} is missing: the lab has not run. Make it: dvc repro lab@{lab}")
    return documents.json_object(path, _again(path, f"lab@{lab}"))


def example(project: Project, name: str) -> dict[str, Any]:
    """A few inputs of a case and the answers to them, as its evaluation left them."""
    path = project.reports(name) / "example.json"
    if not os.path.lexists(path):
        raise HandbookError(f"{name} is not evaluated yet. Make it: dvc repro evaluate@{name}")
    way = _again(path, f"evaluate@{name}")
    found = documents.json_object(path, way, EXAMPLE)
    try:
        examples.frame_of(found["inputs"])
    except Exception as error:  # numpy and pandas have many words for what is no array and no table
        raise documents.damaged(path, f"its inputs are no array and no table: {error}", way) from None
    return found


def _again(path: Any, stage: str) -> str:
    return f"Bring it back: git checkout -- {path}, or dvc checkout; or make it again: dvc repro --force {stage}"
