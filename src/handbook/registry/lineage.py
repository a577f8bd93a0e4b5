"""python -m handbook lineage: where a registered model comes from, as the ledger wrote it down."""

from __future__ import annotations

import re
from typing import Any

from handbook.errors import HandbookError, unknown
from handbook.project import Project
from handbook.registry import ledger, standings

# models:/lenet@champion and models:/lenet/3 as MLflow has them, and the same without `models:/`; lenet is its champion
NAME = re.compile(r"(?:models:/)?(?P<name>[^@/]+)(?:[@/](?P<version>[^@/]+))?")


def parsed(model: str) -> tuple[str, str]:
    """The case and the version (a number or an alias) that a model's address names."""
    found = NAME.fullmatch(model)
    if not found:
        raise HandbookError(f"{model!r} is no model. Expected models:/CASE@champion, models:/CASE/2, or CASE")
    return found["name"], found["version"] or "champion"


def lineage(project: Project, model: str) -> dict[str, Any]:
    """Everything that is written down of a registered model, as plain types; HandbookError if it is not there."""
    name, version = parsed(model)
    if name not in project.cases():
        raise unknown("case", name, project.cases())
    content, state = ledger.chosen(project, name, version), ledger.state(project, name)
    kept = ledger.sealed(project, name, content)
    entry, trained = kept.json("entry.json"), ledger.training(kept)
    number = state["versions"].index(content) + 1
    return {
        "model": f"models:/{name}/{number}",
        "aliases": [alias for alias in standings.ALIASES if state.get(alias) == content],
        "rejected": content in state.get("rejected", []),
        "content": content,
        "git": entry["git"],
        "page": entry["page"],
        "dataset": entry["dataset"],
        "data": entry["data"],
        **({"form": entry["form"]} if "form" in entry else {}),
        "sha256": entry["expectations"]["files"],
        "expectations": {key: entry["expectations"][key] for key in ("success", "number")},
        "dvc": entry["dvc"],
        "params": entry["params"],
        "training": {key: value for key, value in trained.items() if key not in ("flow_run", "algorithms", "files")},
        "prefect": {"trained": trained.get("flow_run"), "registered": entry.get("flow_run")},
        "metrics": kept.json("report/metrics.json"),
    }


def summary(known: dict[str, Any]) -> str:
    """The lineage for a person, a block a subject."""
    state = ", ".join(known["aliases"] + ["rolled back"] * known["rejected"]) or "no alias"
    kind = ", ".join(known[key] for key in ("data", "form") if key in known)
    checks, runs, metrics = known["expectations"], known["prefect"], known["metrics"]
    figures = {key: value for key, value in metrics.items() if isinstance(value, float)}
    blocks = {
        f"{known['model']} ({state})": {
            "content": known["content"],
            "git commit": known["git"],
            "page": f"src/handbook/cases/{known['page']}.py",
            "Prefect run": _run(runs),
        },
        f"data: {known['dataset']} ({kind}), sha256": known["sha256"] or {"not validated": ""},
        "expectations": {"met" if checks["success"] else "not met": checks["number"]},
        "dvc.lock, md5": known["dvc"] or {"no dvc.lock": ""},
        "parameters": known["params"],
        "training": known["training"],
        "metrics": {key: _with_references(key, value, metrics) for key, value in figures.items()},
    }
    return "\n\n".join(_block(title, lines) for title, lines in blocks.items())


def _run(runs: dict[str, str | None]) -> str:
    trained, registered = runs["trained"], runs["registered"]
    if trained == registered:
        return trained or "none: made by dvc repro or by hand"
    return f"trained in {trained or 'none'}, registered in {registered or 'none'}"


def _with_references(name: str, value: float, metrics: dict[str, Any]) -> str:
    bounds, base = metrics["interval"].get(name), metrics["baseline"].get(name)
    interval = f"  95 % {bounds[0]:g} to {bounds[1]:g}" if bounds else ""
    return f"{value:g}{interval}" + (f"  baseline {base:g}" if base is not None else "")


def _block(title: str, lines: dict[str, Any]) -> str:
    width = max((len(str(key)) for key in lines), default=0)
    return "\n".join([title, *(f"  {key:{width}}  {value}".rstrip() for key, value in lines.items())])
