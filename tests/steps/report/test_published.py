"""What others have published: every case has it or says why not, every row has its source."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.steps.report import published
from tests.conftest import ROOT

PROJECT = Project(ROOT)
WRITTEN = yaml.safe_load(published.FILE.read_text(encoding="utf-8"))
ROW = {"metric": "accuracy", "value": 0.9, "what": "a model", "source": "a paper", "address": "https://a"}


def test_every_case_has_a_published_result_or_the_reason_why_there_is_none() -> None:
    known = published.entries()
    missing = [name for name in PROJECT.cases() if name not in known]
    assert not missing, (
        f"{published.FILE.relative_to(ROOT)}: add under `cases:` a line for each of {', '.join(missing)}, as\n"
        "  NAME: {kind: [A_ROW], best: [A_ROW]}\n"
        "with names of rows under `published:` (look the value up in its source), or in place of a list the reason, as "
        "text, why nothing published compares"
    )
    gone = set(known) - set(PROJECT.cases())
    assert not gone, f"{published.FILE.relative_to(ROOT)} has cases that params.yaml lacks: {', '.join(sorted(gone))}"
    for name, each in known.items():
        for column in published.COLUMNS:
            assert bool(each.results[column]) != bool(each.reasons.get(column, "").strip()), f"{name}, {column}"


@pytest.mark.parametrize("name", PROJECT.cases())
def test_what_stands_beside_a_case_is_by_a_metric_of_its_own_once_a_column(name: str) -> None:
    metrics = json.loads((PROJECT.reports(name) / "metrics.json").read_text(encoding="utf-8"))
    for column, results in published.entry(name).results.items():
        named = [each.metric for each in results]
        assert not set(named) - set(metrics), f"{name}, {column}: its metrics.json has no {set(named) - set(metrics)}"
        assert len(named) == len(set(named)), f"{name}, {column}: two rows by the same metric; only one can be shown"
        assert not results or PROJECT.case(name).page.PRIMARY in named, f"{name}, {column}: nothing by its own metric"


@pytest.mark.parametrize("name", WRITTEN["published"])
def test_a_row_names_its_model_and_a_source_that_a_reader_can_open(name: str) -> None:
    row = published.Published(**WRITTEN["published"][name])
    assert row.what.strip()
    assert row.source.strip()
    assert row.address.startswith(("https://", "http://"))


def test_the_best_of_all_models_is_no_worse_than_the_best_of_its_kind() -> None:
    from handbook import contract

    for name, each in published.entries().items():
        lower = contract.case(PROJECT.case(name).page).lower_is_better
        for result in each.results["kind"]:
            best = each.of("best", result.metric)
            assert best is None or (best.value <= result.value if lower else best.value >= result.value), name


def test_the_cases_that_saw_test_rows_say_so() -> None:
    assert {name for name, each in published.entries().items() if each.leak} == {
        "boosting", "cnn", "rbf_before_call", "som_applications", "som_transactions",
    }  # fmt: skip


def test_a_case_that_nobody_looked_up_says_that() -> None:
    entry = published.entry("no_such_case")
    assert (entry.metrics, entry.leak) == ([], "")
    assert list(published.remarks({"no_such_case": entry})) == [("", ["no_such_case"], published.NOTHING)]


def test_a_reason_stands_once_for_all_its_cases_and_names_its_column_where_it_holds_for_one() -> None:
    known = published.entries()
    said = list(published.remarks({name: known[name] for name in ("gan", "gan_book", "regressors_boston", "lenet")}))
    assert [(column, names) for column, names, _ in said] == [
        ("", ["gan", "gan_book"]),
        ("best", ["regressors_boston"]),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"cases": {}}, "expected `published`"),
        ({"published": {"a": ROW | {"value": "0.9"}}, "cases": {}}, "expected a number as `value` in `published.a`"),
        ({"published": {"a": ROW | {"checkd": True}}, "cases": {}}, r"no field 'checkd'.*did you mean checked"),
        ({"published": {"a": ROW}, "cases": {"lenet": {"kind": ["a"]}}}, "expected `best` in `cases.lenet`"),
        ({"published": {"a": ROW}, "cases": {"lenet": {"kind": ["b"], "best": ["a"]}}}, "no published result 'b'"),
    ],
)
def test_a_fault_in_the_file_is_named_with_its_place(content: object, message: str, tmp_path: Path) -> None:
    file = tmp_path / "published.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(HandbookError, match=message):
        published.entries(file)
