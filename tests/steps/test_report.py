"""The report's numbers: shares in per cent, the table between its marks, and what is a sample says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.errors import HandbookError
from handbook.files.formats import write_json
from handbook.project import Project
from handbook.steps import report
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("accuracy", 0.98765, "98.77 %"), ("rmse", 0.98765, "0.988"), ("rmse", 12345.6, "12,346"),
        ("accuracy", None, "–"),
    ],
)  # fmt: skip
def test_a_number_is_written_as_its_field_writes_it(name: str, value: float | None, written: str) -> None:
    assert report.shown(name, value) == written


def test_a_table_takes_the_place_of_the_one_before_and_nothing_else_changes() -> None:
    readme = f"before\n{report.START}\nold\n{report.END}\nafter\n"
    once = report.with_results(readme, "| new |")
    assert once == readme.replace("old", "| new |")
    assert report.with_results(once, "| new |") == once
    for lacking in (report.START, report.END):
        with pytest.raises(HandbookError, match=r"README\.md lacks the marks of its table"):
            report.with_results(readme.replace(lacking, ""), "| new |")


@pytest.mark.parametrize("name", ["lenet", "cnn", "char_lstm", "dcgan", "som_applications"])
def test_the_page_of_a_case_is_linked_where_it_stands(name: str) -> None:
    case = Project(ROOT).case(name)
    assert (ROOT / report.source(case)).exists()
    assert "{{ case.source }}" in (Path(report.__file__).with_name("report.html.j2")).read_text()


def test_the_line_of_a_case_has_its_interval_the_books_and_the_baselines(project: Project) -> None:
    metrics = {
        "accuracy": 0.9, "interval": {"accuracy": [0.89, 0.91]}, "baseline": {"accuracy": 0.1},
        "book": {"accuracy": 0.8412}, "data": "sample",
    }  # fmt: skip
    write_json(project.reports("lenet") / "metrics.json", metrics)
    line = report.row(project, "lenet")
    assert (line["ours"], line["interval"], line["baseline"]) == ("90.00 %", "89.00 % – 91.00 %", "10.00 %")
    assert (line["dataset"], line["book"], line["seconds"]) == ("fashion_mnist (sample)", "84.12 %", "–")


def test_a_case_that_was_not_evaluated_is_named_with_the_way_out(project: Project) -> None:
    with pytest.raises(HandbookError) as caught:
        report.metrics(project, "lenet")
    path: Path = project.reports("lenet") / "metrics.json"
    assert str(caught.value) == f"{path} is missing: lenet is not evaluated yet. Make it: dvc repro evaluate@lenet"
