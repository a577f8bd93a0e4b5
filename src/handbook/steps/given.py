"""What the verbs share: a case's data and model, figures and numbers as files."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

from handbook import contract, datasets
from handbook.data import provenance
from handbook.errors import HandbookError
from handbook.files.formats import write_rows
from handbook.project import Case, Project
from handbook.training.models import load


def data_of(project: Project, case: Case) -> tuple[Any, dict[str, Any]]:
    """A case's data, their bytes checked, and their provenance."""
    page = datasets.page(case.dataset)
    if project.apart and project.apart.file:
        return read_own(page, case, project.apart.file)
    origin = provenance.verify(page, project.data(case.dataset))
    return page.load(project.data(case.dataset)), origin


def read_own(page: ModuleType, case: Case, file: Path) -> tuple[Any, dict[str, Any]]:
    """A file of one's own, read as the case's dataset; only a page that offers `read` takes one."""
    read = contract.dataset(page).read
    if read is None:
        raise HandbookError(f"{case.name} learns from {case.dataset}, which no single file can stand in for")
    return read(file), {"kind": "own", "files": {file.name: {"sha256": provenance.sha256(file)}}}


def trained_model(project: Project, case: Case) -> Any:
    """A trained case's model."""
    place = project.models(case.name)
    if project.apart and project.apart.case == case.name and not place.exists():
        folder = project.apart.folder
        raise HandbookError(
            f"{folder} holds no model. Make it: python -m handbook train {case.name} --data FILE --to {folder}"
        )
    return load(case.page, case.params, place)


def write_figures(figures: dict[str, Any], directory: Path, sample: bool, dataset: str = "", form: str = "") -> None:
    """Write the figures, each saying whether it shows a sample, or which form of data published in several."""
    from handbook.evaluation.figures import mark_form, mark_sample

    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for title, figure in figures.items():
        if sample:
            mark_sample(figure)
        elif form:
            mark_form(figure, dataset, form)
        figure.savefig(directory / f"{title}.png", dpi=110, metadata={"Software": None})


def write_tables(tables: dict[str, list[dict[str, Any]]], report: Path) -> None:
    """Write a report's tables as CSV; that of the confusions into a folder of its own, which DVC can plot."""
    for folder in ("tables", "confusion"):
        shutil.rmtree(report / folder, ignore_errors=True)
        (report / folder).mkdir(parents=True)
    for name, rows in tables.items():
        write_rows(report / ("confusion" if name == "confusion" else "tables") / f"{name}.csv", rows)


def rounded(value: Any) -> Any:
    """Six significant digits: what differs below that is the processor's, not the model's."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
