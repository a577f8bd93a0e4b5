"""The report's numbers: shares in per cent, the table between its marks, and what is a sample says so."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

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


def test_what_the_book_prints_by_another_metric_stands_beside_ours_by_the_same(project: Project) -> None:
    metrics = {
        "roc_auc": 0.63, "accuracy": 0.8877, "interval": {"roc_auc": [0.62, 0.64], "accuracy": [0.88, 0.89]},
        "baseline": {"roc_auc": 0.5, "accuracy": 0.8877}, "book": {"accuracy": 0.88}, "data": "real",
    }  # fmt: skip
    numbers = project.numbers()
    numbers["cases"] = {"rbf_book": numbers["cases"]["rbf_book"]}
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers))
    write_json(project.reports("rbf_book") / "metrics.json", metrics)
    *_, primary, printed = report.results(project).splitlines()
    assert primary.endswith("| bank_marketing | roc_auc | **0.630** | 0.620 – 0.640 | – | – | 0.500 |")
    assert printed == "| | | accuracy | 88.77 % | 88.00 % – 89.00 % | | 88.00 % | 88.77 % |"


def test_a_shortened_recipe_says_by_how_much_and_one_in_full_says_nothing() -> None:
    said = {name: report.shortened(Project(ROOT), name) for name in Project(ROOT).cases()}
    assert {name for name, words in said.items() if words} == {"char_lstm_book", "gan_book", "dcgan_book"}
    assert said["gan_book"] == "10 % of its steps"
    assert said["char_lstm_book"] == "4 % of its windows"
    assert said["dcgan_book"] == "40 % of its epochs, 25 % of its width, 25 % of its batch"


def test_nothing_is_shortened_under_the_books_preset(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text().replace("preset: laptop", "preset: book", 1)
    (tmp_path / "params.yaml").write_text(text)
    assert not any(report.shortened(Project(tmp_path), name) for name in Project(tmp_path).cases())


def test_a_case_that_was_not_evaluated_is_named_with_the_way_out(project: Project) -> None:
    with pytest.raises(HandbookError) as caught:
        report.metrics(project, "lenet")
    path: Path = project.reports("lenet") / "metrics.json"
    assert str(caught.value) == f"{path} is missing: lenet is not evaluated yet. Make it: dvc repro evaluate@lenet"
