"""What was found in the shadow is added up over all runs of the same two versions, and shown; damage is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.monitoring import pages
from handbook.project import Project
from handbook.serving import differences
from handbook.serving.challenger import Tally
from tests.serving.test_challenger import PAIR, counted


@pytest.fixture
def runs(tmp_path: Path) -> Project:
    """Two runs of the same versions and one of others."""
    project = Project(tmp_path)
    (tmp_path / "params.yaml").write_text("cases: {lenet: {}, digits: {}}\n")
    for pair, count in ((PAIR, 2), (PAIR, 3), (PAIR | {"challenger": "2" * 16, "challenger_version": 3}, 1)):
        tally = Tally(differences.home(project, "lenet"), pair)
        for _ in range(count):
            tally.take(
                [{"name": "bag", "probability": 0.9}, {"name": "a <b>", "probability": 0.5}],
                [{"name": "bag", "probability": 0.8}, {"name": "boot", "probability": 0.5}],
            )
        tally.take([{"name": "bag"}], None)
        counted(tally)
    return project


def test_runs_of_the_same_two_are_one_and_the_table_has_what_differs(runs: Project) -> None:
    both = next(each for each in differences.found(runs, "lenet") if each.challenger == 2)
    assert both.counts["inputs"] == 10
    assert both.otherwise == [("a <b>", "boot", 5)]
    assert "5 of 10 inputs answered otherwise (50.00%)" in both.said
    assert "0.05 apart on average, 0.1 at most; 2 requests could not be answered" in both.said
    text = differences.summary(runs, "lenet")
    assert "  a <b>     boot             5" in text
    assert "Version 3 in the shadow of version 1" in text
    with pytest.raises(HandbookError, match=r"no challenger of digits has run .* handbook serve digits --shadow"):
        differences.summary(runs, "digits")
    with pytest.raises(HandbookError, match=r"no case 'lenett'; .*did you mean lenet\?"):
        differences.summary(runs, "lenett")


def test_the_page_of_the_case_shows_it_and_a_damaged_file_keeps_no_page_back(runs: Project) -> None:
    page = pages.write(runs, "lenet").read_text()
    assert "<td>a &lt;b&gt;</td><td>boot</td>" in page
    assert "5 of 10 inputs" in page
    path = next(differences.home(runs, "lenet").glob("*.json"))
    path.write_text(path.read_text()[:50])
    assert f"{path} cannot be used: it is not JSON" in pages.write(runs, "lenet").read_text()


@pytest.mark.parametrize(
    "change", [{"pairs": [["a", "b"]]}, {"pairs": [["a", "b", "c"]]}, {"inputs": "many"}, {"most": None}]
)
def test_a_file_of_another_shape_is_named_with_what_to_do(change: dict[str, Any], runs: Project) -> None:
    path = next(differences.home(runs, "lenet").glob("*.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(HandbookError, match=r"cannot be used: (.|\n)*Remove it: what it counted is lost"):
        differences.summary(runs, "lenet")
