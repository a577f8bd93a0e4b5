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
    """What a lab's functions are called with, the data of each dataset that it names, and of which kind they are.

    One that is drawn makes all of it a sample: what is learnt from one and judged by another comes of both.
    """
    names = contract.lab(page).datasets
    kinds = {str(provenance.verify(datasets.page(name), project.data(name))["kind"]) for name in names}
    given = tuple(datasets.page(name).load(project.data(name)) for name in names)
    return given, "sample" if "sample" in kinds else "".join(kinds)
