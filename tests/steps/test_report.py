"""The report as a stage: the page, what is remembered of it, and the README where everything is real."""

from __future__ import annotations

import json

import pytest
import yaml

from handbook.files.formats import write_json
from handbook.project import Project
from handbook.steps import report
from handbook.steps.report import differences, readme
from handbook.steps.report.table import shown
from tests.conftest import ROOT
from tests.toys import TRAINED


@pytest.fixture
def one(project: Project) -> Project:
    """A checkout with a single case as evaluated on real data."""
    numbers = project.numbers()
    numbers["cases"], numbers["labs"] = {"lenet": numbers["cases"]["lenet"]}, []
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers, sort_keys=False))
    metrics = json.loads((ROOT / "reports" / "lenet" / "metrics.json").read_text(encoding="utf-8"))
    write_json(project.reports("lenet") / "metrics.json", metrics)
    write_json(project.reports("lenet") / "training.json", TRAINED)
    (project.root / "README.md").write_text(f"{readme.START}\nold\n{readme.END}\n")
    return project


def test_a_report_built_twice_is_the_same_and_one_of_other_figures_says_what_changed(one: Project) -> None:
    page, built = one.root / "reports" / "index.html", differences.place(one)
    report.report(one)
    assert "No earlier build is known here" in page.read_text()
    path = one.reports("lenet") / "metrics.json"
    before = json.loads(path.read_text())
    write_json(path, before | {"accuracy": 0.95})
    report.report(one)
    assert f'{shown("accuracy", before["accuracy"])}</td><td class="n best">95.00 %' in page.read_text()
    first = page.read_bytes(), built.read_bytes()
    report.report(one)
    assert (page.read_bytes(), built.read_bytes()) == first


def test_the_readme_is_rewritten_from_real_data_and_left_as_it_is_by_samples(one: Project) -> None:
    path, text = one.reports("lenet") / "metrics.json", one.root / "README.md"
    real = path.read_text()
    path.write_text(real.replace('"data": "real"', '"data": "sample"'))
    report.report(one)
    assert text.read_text() == f"{readme.START}\nold\n{readme.END}\n"
    path.write_text(real)
    report.report(one)
    assert text.read_text() == f"{readme.START}\n{readme.results(one)}\n{readme.END}\n"
