"""What is new since the last build: found, the same when nothing changed, and nothing invented for a fresh clone."""

from __future__ import annotations

from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.files.formats import write_json
from handbook.project import Project
from handbook.steps.report import differences
from tests.conftest import ROOT

PROJECT = Project(ROOT)


def build(accuracy: float = 0.9127, **more: Any) -> differences.Build:
    lenet = {"data": "fashion_mnist", "figures": {"accuracy": accuracy, "log_loss": 0.25}}
    return {"cases": {"lenet": lenet} | more, "labs": {"units": {"facts": 2, "digest": "a"}}}


def test_a_fresh_clone_without_a_build_has_nothing_to_compare_with(project: Project) -> None:
    assert differences.before(project, build()) is None
    assert differences.changes(project, build(), None) == {"first": True}


def test_a_build_that_changes_nothing_shows_the_same_again_and_writes_the_same_bytes(project: Project) -> None:
    differences.write(project, build(0.90), None)
    earlier = differences.before(project, build(0.91))
    assert earlier == build(0.90)
    differences.write(project, build(0.91), earlier)
    content = differences.place(project).read_bytes()
    again = differences.before(project, build(0.91))
    assert again == earlier
    differences.write(project, build(0.91), again)
    assert differences.place(project).read_bytes() == content
    assert differences.before(project, build(0.92)) == build(0.91)


def test_a_changed_figure_is_shown_from_old_to_new_its_own_metric_first() -> None:
    moved = differences.changes(PROJECT, build(0.92), build() | {"labs": {}})["moved"]
    assert moved == [
        {
            "case": "lenet", "data": None, "primary": "accuracy", "better": True,
            "figures": [{"name": "accuracy", "before": "91.27 %", "now": "92.00 %"}],
        }
    ]  # fmt: skip
    worse = build(0.90)
    worse["cases"]["lenet"]["figures"] = {"log_loss": 0.3, "accuracy": 0.90, "f1": 0.9}
    (case,) = differences.changes(PROJECT, worse, build())["moved"]
    assert [each["name"] for each in case["figures"]] == ["accuracy", "log_loss", "f1"]
    assert case["figures"][2] == {"name": "f1", "before": "–", "now": "90.00 %"}
    assert case["better"] is False


def test_less_is_better_of_a_distance() -> None:
    sides = [
        build(gan={"data": "mnist", "figures": {"frechet_distance": distance}}) for distance in (9.7, 54.1)
    ]  # fmt: skip
    assert differences.changes(PROJECT, *sides)["moved"][0]["better"] is True


def test_digits_that_no_table_shows_are_no_news_and_other_data_are() -> None:
    assert differences.changes(PROJECT, build(0.91271), build(0.91272))["moved"] == []
    other = build()
    other["cases"]["lenet"]["data"] = "fashion_mnist (sample)"
    (case,) = differences.changes(PROJECT, build(), other)["moved"]
    assert case["data"] == ["fashion_mnist (sample)", "fashion_mnist"]
    assert case["better"] is None  # a figure of samples is no measure for one of real data


def test_cases_and_labs_that_came_and_went_are_named() -> None:
    now, earlier = build(), build(cnn={"data": "fashion_mnist", "figures": {}})
    now["labs"] = {"units": {"facts": 2, "digest": "b"}, "optimisers": {"facts": 1, "digest": "c"}}
    found = differences.changes(PROJECT, now, earlier)
    assert found["added"] == {"cases": [], "labs": ["optimisers"]}
    assert found["gone"] == {"cases": ["cnn"], "labs": []}
    assert found["labs"] == ["units"]


def test_todays_figures_are_those_of_every_case_and_lab_in_few_digits() -> None:
    now = differences.today(PROJECT)
    assert list(now["cases"]) == PROJECT.cases()
    assert list(now["labs"]) == PROJECT.labs()
    assert "(subset)" in now["cases"]["som_transactions"]["data"]
    assert all(
        len(f"{value:.17g}".replace(".", "").strip("-0")) < 20 for value in now["cases"]["cnn"]["figures"].values()
    )
    assert now == differences.today(PROJECT)


@pytest.mark.parametrize("content", [{"now": {}}, {"now": {"cases": {}}, "before": None}, []])
def test_a_damaged_file_is_named_with_the_way_out(content: Any, project: Project) -> None:
    write_json(differences.place(project), content)
    with pytest.raises(HandbookError, match=r"(?s)built\.json cannot be used.*git checkout -- reports/built\.json"):
        differences.before(project, build())
