"""What a run leaves to look at in Prefect: a case's metrics and figures, its MLflow run, the report.

Views of files that the stages made, no results of their own: what is not there is not shown.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    update_progress_artifact,
)

from flows.servers import MLFLOW, REPORTS
from handbook.data import validation
from handbook.files import documents, progress
from handbook.project import Project

FIGURE_WIDTH = 560  # pixels; the page of an artifact is not much wider


def show_metrics(case: str) -> None:
    """A table: what was measured, its bounds, and what it is held against."""
    path = Project.here().reports(case) / "metrics.json"
    if path.exists():
        metrics = documents.json_object(path, f"Make it again: dvc repro --force evaluate@{case}")
        text = f"{_warning(metrics)}# {case}\n\n" + "\n".join(_table(metrics))
        create_markdown_artifact(text, key(case, "metrics"), f"{case} beside the baseline and the book")


def _table(metrics: dict[str, Any]) -> Iterator[str]:
    yield "| metric | here | 95 % interval | baseline | book |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for name, value in metrics.items():
        if isinstance(value, int | float):
            held_against = (_cell(metrics.get(side, {}).get(name)) for side in ("interval", "baseline", "book"))
            yield f"| {name} | {_cell(value)} | " + " | ".join(held_against) + " |"


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " to ".join(map(_cell, value))
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _warning(metrics: dict[str, Any]) -> str:
    return "**Made from sample data: not a result.**\n\n" if metrics.get("data") == "sample" else ""


def show_figures(case: str) -> None:
    """The case's figures, small, inside the artifact itself: both of Prefect's UIs show data URIs."""
    figures = sorted((Project.here().reports(case) / "figures").glob("*.png"))
    if figures:
        text = "\n\n".join(f"## {path.stem}\n\n![{path.stem}]({_inline(path)})" for path in figures)
        create_markdown_artifact(text, key(case, "figures"), f"{case} in pictures")


def _inline(path: Path) -> str:
    """A picture as a data URI, a tenth of its size."""
    from PIL import Image

    small = io.BytesIO()
    with Image.open(path) as picture:
        picture.thumbnail((FIGURE_WIDTH, 2 * FIGURE_WIDTH))
        picture.convert("RGB").save(small, "WEBP", quality=80)
    return "data:image/webp;base64," + base64.b64encode(small.getvalue()).decode()


def bar(step: str, case: str, kind: str) -> Callable[[str], None]:
    """What to hand lines to as they come: a bar that is as full as the step says it is, and shows the last line.

    It is made when the step first says how far it is; what an earlier run said does not count.
    """
    place, artifact, shown = progress.place(Project.here().cache, step), None, None
    place.unlink(missing_ok=True)

    def see(line: str) -> None:
        nonlocal artifact, shown
        found = progress.read(place)
        if found is None or found == shown:
            return
        shown = found
        if artifact is None:
            artifact = create_progress_artifact(found.percent, key(case, kind), line)
        else:
            update_progress_artifact(artifact, found.percent, line)

    return see


def link_docs(dataset: str) -> None:
    """The newest page of Data Docs on a dataset: on the server that shows it, else the file."""
    project = Project.here()
    site = validation.data_docs(project.gx) / "validations"
    pages = [page for suite in (dataset, f"{dataset}_sample") for page in site.glob(f"{suite}/*/*/*.html")]
    if pages:
        newest = max(pages, key=lambda page: page.parts[-2])  # the moment of the validation
        url = _address(newest, project.root / "reports")
        create_link_artifact(url, "Data Docs", key(dataset, "data-docs"), f"What was found in the {dataset} data")


def _address(page: Path, reports: Path) -> str:
    server = os.environ.get(REPORTS)
    return f"{server}/{page.relative_to(reports).as_posix()}" if server else page.as_uri()


def link_run(case: str) -> None:
    """The page of the case's run in MLflow."""
    project = Project.here()
    if (project.mlruns / "registered" / f"{case}.json").exists():
        from handbook.registry import tracking

        url = tracking.run_url(project, case, os.environ.get(MLFLOW, "http://127.0.0.1:5000"))
        if url:
            create_link_artifact(url, "MLflow run", key(case, "mlflow"), f"{case} in MLflow; `make ui` starts it")


def registration(case: str) -> str:
    """Which version of the case was registered last, and which one serves."""
    place = Project.here().mlruns / "registered" / f"{case}.json"
    way = f"Make it again: python -m handbook register {case}"
    known = documents.json_object(place, way) if place.exists() else {}
    return str(known.get("said", f"{case} is registered"))


def link_report() -> None:
    """The report: on the server that shows it, else the file."""
    page = Project.here().root / "reports" / "index.html"
    if page.exists():
        create_link_artifact(
            _address(page, page.parent), "the report", "report", "Every case beside the book, on one page"
        )


def link_service(case: str) -> None:
    """The page of a case in service: on the server that shows it, else the file."""
    reports = Project.here().root / "reports"
    page = reports / "monitor" / case / "index.html"
    if page.exists():
        said = f"{case} in service: its batches, drift, scores, and what was done"
        create_link_artifact(_address(page, reports), "in service", key(case, "service"), said)


def show_proposal(case: str) -> None:
    """What a sweep proposes, and the patch that would take it over."""
    place = Project.here().reports("sweeps") / case
    texts = [
        documents.text(path, f"Make it again: python -m handbook sweep {case}")
        for path in (place / "proposal.yaml", place / "proposal.patch")
        if path.exists()
    ]
    body = "\n".join(f"```\n{text}```\n" for text in texts) or "No trial beats params.yaml.\n"
    create_markdown_artifact(f"# {case}\n\n{body}", key(case, "proposal"), f"What the sweep of {case} proposes")


def key(case: str, kind: str) -> str:
    """Prefect's keys know lower case, digits and dashes."""
    return f"{case}-{kind}".lower().replace("_", "-")
