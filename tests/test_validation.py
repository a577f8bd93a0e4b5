"""The gate: what it says, what it keeps in git, and pages that ask nothing of the outside world."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from handbook import datasets, steps, validation
from handbook.errors import HandbookError
from handbook.project import Project
from tests.conftest import ROOT

DATASETS = Project(ROOT).datasets()


def kept(gx: Path) -> dict[str, str]:
    """What git keeps of a Great Expectations folder."""
    return {
        str(path.relative_to(gx)): path.read_text()
        for path in gx.rglob("*")
        if path.suffix in (".json", ".yml") and "uncommitted" not in path.parts and "_sample" not in path.name
    }


@pytest.mark.parametrize("name", DATASETS)
def test_the_suite_in_git_is_the_one_that_the_page_makes(name: str) -> None:
    told = json.loads((ROOT / "gx" / "expectations" / f"{name}.json").read_text())["expectations"]
    stored = sorted((each["type"], json.dumps(each["kwargs"], sort_keys=True)) for each in told)
    made = [each.configuration.to_json_dict() for each in datasets.page(name).expectations()]
    assert stored == sorted((each["type"], json.dumps(each["kwargs"], sort_keys=True)) for each in made)


def test_validating_again_changes_nothing_that_git_keeps(project: Project) -> None:
    before = kept(project.gx)
    steps.validate(project, "mnist")
    outcome = (project.reports("mnist") / "validation.json").read_bytes()
    steps.validate(project, "mnist")
    assert kept(project.gx) == before
    assert (project.reports("mnist") / "validation.json").read_bytes() == outcome
    assert json.loads(outcome)["data"] == "sample"


def test_the_error_names_the_expectation_what_was_expected_and_what_was_found(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = datasets.page("mnist")
    monkeypatch.setattr(page, "SAMPLE_ROWS", {"train": 1, "test": 1})
    with pytest.raises(HandbookError) as caught:
        steps.validate(project, "mnist")
    told = str(caught.value)
    for part in ("the mnist data are refused", "expect_table_row_count", "expected", "found", "data_docs/index.html"):
        assert part in told
    assert not (project.reports("mnist") / "validation.json").exists()


def test_a_refusal_leaves_the_earlier_outcome_in_place(project: Project) -> None:
    steps.validate(project, "mnist")
    path = project.reports("mnist") / "validation.json"
    before = path.read_bytes()
    (project.data("mnist") / "t10k-labels-idx1-ubyte.gz").write_bytes(b"no")
    with pytest.raises(HandbookError, match="is damaged"):
        steps.validate(project, "mnist")
    assert path.read_bytes() == before


def test_data_docs_ask_nothing_of_the_outside_world(project: Project) -> None:
    steps.validate(project, "mnist")
    pages = list(validation.data_docs(project.gx).rglob("*.html"))
    assert len(pages) >= 3
    for page in pages:
        fetched = re.findall(
            r"(?:src|href)=\"https?://[^\"]*\.(?:js|css|png)[^\"]*\"|@import|url\('http", page.read_text()
        )
        assert not fetched, page
    index = (validation.data_docs(project.gx) / "index.html").read_text()
    for link in re.findall(r'href="((?:validations|expectations)/[^"]+)"', index):
        assert (validation.data_docs(project.gx) / link).exists()
    assert "mnist_sample" in index
