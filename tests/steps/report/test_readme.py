"""The README's tables: between their marks, a chapter each, with the sources of what is published below them."""

from __future__ import annotations

import pytest
import yaml

from handbook.errors import HandbookError
from handbook.files.formats import write_json
from handbook.project import Project
from handbook.steps.report import readme

BANK = {"interval": {"roc_auc": [0.62, 0.64]}, "baseline": {"roc_auc": 0.5, "accuracy": 0.8877}, "data": "real"}


@pytest.fixture
def few(project: Project) -> Project:
    """A checkout with three cases of two chapters."""
    numbers = project.numbers()
    numbers["cases"] = {name: numbers["cases"][name] for name in ("cnn", "rbf_book", "char_lstm_book")}
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers, sort_keys=False))
    write_json(
        project.reports("cnn") / "metrics.json",
        {
            "accuracy": 0.94,
            "interval": {"accuracy": [0.93, 0.95]},
            "baseline": {"accuracy": 0.1},
            "book": {},
            "data": "real",
        },
    )
    metrics = {"roc_auc": 0.63, "accuracy": 0.8877, "book": {"accuracy": 0.88}}
    write_json(project.reports("rbf_book") / "metrics.json", BANK | metrics)
    text = {"bits_per_character": 4.438, "interval": {"bits_per_character": [4.4, 4.5]}, "book": {}, "data": "real"}
    write_json(project.reports("char_lstm_book") / "metrics.json", text | {"baseline": {"bits_per_character": 5.4}})
    return project


def test_a_table_takes_the_place_of_the_one_before_and_nothing_else_changes() -> None:
    text = f"before\n{readme.START}\nold\n{readme.END}\nafter\n"
    once = readme.with_results(text, "| new |")
    assert once == text.replace("old", "| new |")
    assert readme.with_results(once, "| new |") == once
    for lacking in (readme.START, readme.END):
        with pytest.raises(HandbookError, match=r"README\.md lacks the marks of its table"):
            readme.with_results(text.replace(lacking, ""), "| new |")


def test_each_chapter_has_a_heading_and_a_table_in_the_books_order(few: Project) -> None:
    text = readme.results(few)
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "### Chapter 4 · Convolutional networks", "### Chapter 5 · Recurrent networks",
        "### Chapter 7 · Radial basis function networks",
    ]  # fmt: skip
    assert text.count(readme.HEAD) == 3
    columns = readme.HEAD.splitlines()[0].count("|")
    assert all(line.count("|") == columns for line in text.splitlines() if line.startswith("|"))


def test_a_line_has_the_value_with_its_interval_and_below_it_what_the_book_prints_by_another_metric(
    few: Project,
) -> None:
    chapter = readme.results(few).partition("### Chapter 7")[2]
    primary, printed = [line for line in chapter.splitlines() if line.startswith("|")][2:]
    assert "<br>roc_auc | **0.630**<br>0.620 – 0.640 | – | – | – | *0.9406* <sup>1</sup> | 0.500 |" in primary
    assert printed == "| accuracy | 88.77 % |  | 88.00 % | – | – | 88.77 % |"


def test_sources_reasons_and_leaks_stand_below_the_table_that_they_belong_to(few: Project) -> None:
    _, fourth, fifth, seventh = readme.results(few).split("### ")
    assert "**94.00 %** †<br>" in fourth
    assert "\n- † `cnn` saw test rows: " in fourth
    assert "\n- <sup>1</sup> DenseNet-BC" in fourth
    assert "](https://arxiv.org/abs/2006.09042)" in fourth
    assert "†" not in fifth + seventh
    assert "\n- – for `char_lstm_book`: " in fifth
    assert "<br>4 % of its windows<br>" in fifth
    assert "; not checked; " in seventh
    assert "\n- – under *its kind* for `rbf_book`: " in seventh
