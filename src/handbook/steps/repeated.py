"""A case's figures over several seeds, and whether they are of the code, the parameters and the data of today."""

from __future__ import annotations

import os
from typing import Any

from handbook.project import Case, Project, plain
from handbook.registry import results
from handbook.steps.sources import digest, fingerprint


def key(project: Project, case: Case, files: dict[str, str]) -> str:
    """What a repetition is determined by besides its seed: code, the other parameters, SHA-256 of each file of data."""
    fixed = {name: value for name, value in plain(case.params).items() if name != "seed"}
    code = [fingerprint(project, verb, case.name, parameters=False) for verb in ("train", "evaluate")]
    return digest({"fixed": fixed, "files": files, "code": code})


def shown(project: Project, case: Case) -> tuple[dict[str, Any] | None, bool]:
    """The figures that stand beside a case's own, None if there are none, and whether today's key made them."""
    found = results.seeds(project, case)
    if found is None:
        return None, False
    gate = results.validation(project, case.dataset) or {"files": {}}
    return found, found["key"] == key(project, case, gate["files"])


def stale(project: Project, name: str) -> bool | None:
    """Whether a case's seeds are of earlier code, parameters or data; None if it was never repeated or evaluated."""
    report = project.reports(name)
    if not all(os.path.lexists(report / file) for file in ("seeds.json", "metrics.json")):
        return None
    return not shown(project, project.case(name))[1]
