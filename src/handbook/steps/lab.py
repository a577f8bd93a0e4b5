"""Work a chapter through: its checks and figures as files."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from handbook import contract, datasets, labs
from handbook.data import provenance
from handbook.files.formats import write_json
from handbook.project import Project
from handbook.steps.given import rounded, write_figures


def lab(project: Project, name: str) -> None:
    """Work a chapter through: checks.json and figures, marked if they show sample data."""
    page, home = labs.page(name), project.reports("labs") / name
    given, kind = _given(project, page)
    checks = rounded(page.checks(*given))
    write_figures(page.figures(*given), home / "figures", kind == "sample")
    animations = contract.lab(page).animations
    for title, write in (animations(*given) if animations else {}).items():
        write(home / "figures" / f"{title}.gif")
    write_json(home / "checks.json", checks | ({"data": kind} if kind else {}))
    print(f"{name}: {len(checks)} checks, {len(list((home / 'figures').iterdir()))} figures in reports/labs/{name}")


def _given(project: Project, page: ModuleType) -> tuple[tuple[Any, ...], str]:
    """What a lab's functions are called with, its dataset or nothing, and of which kind those data are."""
    dataset = contract.lab(page).dataset
    if dataset is None:
        return (), ""
    origin = provenance.verify(datasets.page(dataset), project.data(dataset))
    return (datasets.page(dataset).load(project.data(dataset)),), str(origin["kind"])
