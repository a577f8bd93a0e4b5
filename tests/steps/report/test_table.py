"""The report's numbers: shares in per cent, each beside what it is compared with, and what is a sample says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.errors import HandbookError
from handbook.files.formats import write_json
from handbook.project import Project
from handbook.steps.report import published, table
from tests.conftest import ROOT

METRICS = {
    "accuracy": 0.9, "f1": 0.8, "interval": {"accuracy": [0.89, 0.91]}, "baseline": {"accuracy": 0.1},
    "book": {"accuracy": 0.8412}, "data": "sample",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("accuracy", 0.98765, "98.77 %"), ("rmse", 0.98765, "0.988"), ("rmse", 12345.6, "12,346"),
        ("accuracy", None, "–"),
    ],
)  # fmt: skip
def test_a_number_is_written_as_its_field_writes_it(name: str, value: float | None, written: str) -> None:
    assert table.shown(name, value) == written


@pytest.mark.parametrize(("metric", "value", "written"), [("roc_auc", 0.8, "0.8"), ("accuracy", 0.9691, "96.91 %")])
def test_a_published_number_has_the_digits_that_its_source_prints(metric: str, value: float, written: str) -> None:
    assert table.cited(published.Published(metric, value, "", "", "")) == written


@pytest.mark.parametrize("name", ["lenet", "cnn", "char_lstm", "dcgan", "som_applications"])
def test_the_page_of_a_case_is_linked_where_it_stands(name: str) -> None:
    assert (ROOT / table.source(Project(ROOT).case(name))).exists()
    assert "{{ case.source }}" in (Path(table.__file__).with_name("report.html.j2")).read_text()


def test_the_line_of_a_case_has_its_interval_the_books_the_published_ones_and_the_baselines(project: Project) -> None:
    write_json(project.reports("lenet") / "metrics.json", METRICS)
    line = table.row(project, "lenet")
    assert (line["ours"], line["interval"], line["baseline"]) == ("90.00 %", "89.00 % – 91.00 %", "10.00 %")
    assert (line["dataset"], line["book"], line["seconds"]) == ("fashion_mnist (sample)", "84.12 %", "–")
    assert line["published"]["kind"].value < line["published"]["best"].value
    assert line["more"] == []


def test_what_the_book_or_others_print_by_another_metric_stands_beside_ours_by_the_same(project: Project) -> None:
    block = project.numbers()["cases"]["som_transactions"]
    assert block["page"] == "self_organising_map"
    metrics = {
        "roc_auc": 0.9, "accuracy": 0.8, "average_precision": 0.6, "interval": {"roc_auc": [0.8, 1.0]},
        "baseline": {"roc_auc": 0.5}, "book": {"accuracy": 0.88, "unknown": 1.0}, "data": "real",
    }  # fmt: skip
    write_json(project.reports("som_transactions") / "metrics.json", metrics)
    line = table.row(project, "som_transactions")
    more = {each["metric"]: each for each in line["more"]}
    assert list(more) == ["accuracy", "average_precision"]
    assert (more["accuracy"]["ours"], more["accuracy"]["book"]) == ("80.00 %", "88.00 %")
    assert more["average_precision"]["interval"] == more["average_precision"]["book"] == "–"
    assert more["average_precision"]["published"]["kind"].metric == "average_precision"


def test_a_shortened_recipe_says_by_how_much_and_one_in_full_says_nothing() -> None:
    said = {name: table.shortened(Project(ROOT), name) for name in Project(ROOT).cases()}
    assert {name for name, words in said.items() if words} == {"char_lstm_book", "gan_book", "dcgan_book"}
    assert said["gan_book"] == "10 % of its steps"
    assert said["char_lstm_book"] == "4 % of its windows"
    assert said["dcgan_book"] == "40 % of its epochs, 25 % of its width, 25 % of its batch"


def test_nothing_is_shortened_under_the_books_preset(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text().replace("preset: laptop", "preset: book", 1)
    (tmp_path / "params.yaml").write_text(text)
    assert not any(table.shortened(Project(tmp_path), name) for name in Project(tmp_path).cases())


def test_a_case_that_was_not_evaluated_is_named_with_the_way_out(project: Project) -> None:
    with pytest.raises(HandbookError) as caught:
        table.metrics(project, "lenet")
    path: Path = project.reports("lenet") / "metrics.json"
    assert str(caught.value) == f"{path} is missing: lenet is not evaluated yet. Make it: dvc repro evaluate@lenet"


def test_figures_of_the_same_model_share_a_note_and_others_have_their_own() -> None:
    first, notes = published.Published("roc_auc", 0.9, "a forest", "a paper", "https://a"), table.Notes()
    again = published.Published("average_precision", 0.2, "a forest", "a paper", "https://a")
    other = published.Published("roc_auc", 0.9, "a forest", "a paper", "https://a", note="other rows")
    assert [notes.number(each) for each in (first, again, other, first)] == [1, 1, 2, 1]
    assert notes.results == [first, other]
