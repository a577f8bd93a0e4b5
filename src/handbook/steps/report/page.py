"""The report as HTML: what is new, then chapter by chapter its table, its cases and its labs, figures included."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

from handbook import claims, contract, datasets, labs
from handbook.claims.claim import JUDGEMENTS
from handbook.project import Case, Project, plain
from handbook.registry import results as read
from handbook.registry import trained
from handbook.steps.report import chapters, published
from handbook.steps.report.table import Notes, all_real, cited, line, metrics, row, shortened, shown, source


def build(project: Project, changes: dict[str, Any]) -> str:
    """The whole report as HTML; `changes` are those since the build before (`differences.changes`)."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("handbook.steps.report", ""),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
    )
    cases, worked = chapters.cases(project), chapters.worked(project)
    notes = Notes()
    known = {name: published.entry(name) for names in cases.values() for name in names}
    return environment.get_template("report.html.j2").render(
        chapters=[
            {
                "number": number,
                "title": chapters.title(number),
                "rows": [_row(project, name, notes) for name in cases.get(number, [])],
                "cases": [section(project, project.case(name), notes) for name in cases.get(number, [])],
                "labs": [lab(project, name) for name in worked.get(number, [])],
                "claims": number in claims.LEDGER,
            }
            for number in (*chapters.CHAPTERS, chapters.OUTSIDE)
            if number in cases or number in worked
        ],
        notes=notes.results,
        remarks=[
            {"column": published.COLUMNS.get(column, ""), "cases": names, "reason": reason}
            for column, names, reason in published.remarks(known)
        ],
        changes=changes,
        datasets=[_dataset(project, name) for name in project.datasets()],
        ledger=[_claims(project, number) for number in claims.LEDGER],
        judgements=JUDGEMENTS,
        sample=not all_real(project),
    )


def _row(project: Project, name: str, notes: Notes) -> dict[str, Any]:
    """A case's line in the table of all, with the published values as it shows them."""
    found = row(project, name)
    for each in (found, *found["more"]):
        each["cells"] = _cells(each, notes)
    return found


def _cells(figure: dict[str, Any], notes: Notes) -> list[dict[str, Any] | None]:
    return [_published(figure["published"][column], notes) for column in published.COLUMNS]


def _published(result: published.Published | None, notes: Notes) -> dict[str, Any] | None:
    """A published value as the table shows it, with the number of its source."""
    if result is None:
        return None
    return {"value": cited(result), "number": notes.number(result), "checked": result.checked}


def section(project: Project, case: Case, notes: Notes) -> dict[str, Any]:
    """All that the report says and shows of one case."""
    numbers, folder = metrics(project, case.name), project.reports(case.name)
    title, *text = (case.page.__doc__ or "").strip().split("\n\n")
    return {
        "name": case.name,
        "source": source(case),
        "title": title,
        "text": [_with_code(paragraph) for paragraph in text],
        "numbers": _numbers(numbers, published.entry(case.name), notes),
        "finding": numbers.get("finding", ""),
        "leak": published.entry(case.name).leak,
        "shortened": shortened(project, case.name),
        "form": _form_note(case.dataset, numbers.get("form", "")),
        "per_class": numbers.get("per_class", {}),
        "algorithms": _algorithms(numbers),
        "params": plain(case.params),
        "training": trained.facts(project, case.name),
        "figures": [_figure(path) for path in sorted((folder / "figures").glob("*.png"))],
        "sample": numbers["data"] != "real",
    }


def _form_note(dataset: str, form: str) -> str:
    """What its dataset's page says of that form of the data, if it publishes several."""
    notes = contract.dataset(datasets.page(dataset)).notes
    return notes.get(form, "")


def lab(project: Project, name: str) -> dict[str, Any]:
    """A worked chapter: what its page says, what it measured, and its pictures, those that move included."""
    home, checks = project.reports("labs") / name, read.checks(project, name)
    title, *text = (labs.page(name).__doc__ or "").strip().split("\n\n")
    return {
        "name": name,
        "title": title,
        "text": [_with_code(paragraph) for paragraph in text],
        "sample": checks.pop("data", "real") != "real",
        "checks": {key: _fact(value) for key, value in checks.items()},
        "figures": [_figure(path) for path in sorted((home / "figures").iterdir())],
    }


def _claims(project: Project, number: int) -> dict[str, Any]:
    """What the book prints in a chapter, beside what comes out here."""
    folder = project.root / "reports"
    rows = ((row, row.shown(folder)) for row in claims.LEDGER[number])
    return {
        "number": number,
        "counted": claims.counted(number),
        "claims": [(row.section, row.what, row.printed, ours, row.verdict, row.reason) for row, ours in rows],
    }


def _fact(value: float | bool) -> str:
    """A measured fact as it is read: yes or no, or up to six digits."""
    return ("no", "yes")[value] if isinstance(value, bool) else f"{value:.6g}"


def _with_code(paragraph: str) -> Any:
    """A docstring's paragraph for HTML, its backticks as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(paragraph))))  # noqa: S704 (escaped before)


def _numbers(numbers: dict[str, Any], known: published.Entry, notes: Notes) -> list[dict[str, Any]]:
    """Every single figure of a case, beside its interval, the book's, the published ones and the baseline's."""
    found = [line(numbers, name, known) for name, value in numbers.items() if isinstance(value, float)]
    return [each | {"metric": each["metric"].replace("_", " "), "cells": _cells(each, notes)} for each in found]


def _algorithms(numbers: dict[str, Any]) -> list[dict[str, str]]:
    """A line for each algorithm that a page compares, with all its figures but intervals and settings."""
    return [
        {"algorithm": name.replace("_", " ")}
        | {key.replace("_", " "): shown(key, value) for key, value in figures.items() if not isinstance(value, dict)}
        for name, figures in numbers.get("algorithms", {}).items()
    ]


def _figure(path: Path) -> dict[str, str]:
    picture = base64.b64encode(path.read_bytes()).decode()
    return {"name": path.stem.replace("_", " "), "source": f"data:image/{path.suffix[1:]};base64,{picture}"}


def _dataset(project: Project, name: str) -> dict[str, Any]:
    page = datasets.page(name)
    outcome = read.validation(project, name) or {"data": "not validated", "rows": 0, "expectations": []}
    return {
        "name": name,
        "title": (page.__doc__ or "").strip().split("\n\n")[0],
        "source": page.SOURCE,
        "licence": page.LICENCE,
        "kind": outcome["data"],
        "rows": f"{outcome['rows']:,}",
        "expectations": len(outcome["expectations"]),
    }
