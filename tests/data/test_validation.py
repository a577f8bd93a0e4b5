"""The gate: what it says, what it keeps in git, and pages that ask nothing of the outside world."""

from __future__ import annotations

import json
import re

import pytest

from handbook import datasets
from handbook.data import validation
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.steps import validate
from tests.conftest import ROOT

DATASETS = Project(ROOT).datasets()


@pytest.mark.parametrize("name", DATASETS)
def test_the_suite_in_git_is_the_one_that_the_page_makes(name: str) -> None:
    reported = json.loads((ROOT / "gx" / "expectations" / f"{name}.json").read_text())["expectations"]
    stored = sorted((each["type"], json.dumps(each["kwargs"], sort_keys=True)) for each in reported)
    created = [each.configuration.to_json_dict() for each in datasets.page(name).expectations()]
    assert stored == sorted((each["type"], json.dumps(each["kwargs"], sort_keys=True)) for each in created)


def test_the_error_names_the_expectation_what_was_expected_and_what_was_found(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = datasets.page("mnist")
    monkeypatch.setattr(page, "SAMPLE_ROWS", {"train": 1, "test": 1})
    with pytest.raises(HandbookError) as caught:
        validate.validate(project, "mnist")
    reported = str(caught.value)
    for part in ("the mnist data are refused", "expect_table_row_count", "expected", "found", "data_docs/index.html"):
        assert part in reported
    assert not (project.reports("mnist") / "validation.json").exists()


def test_data_docs_ask_nothing_of_the_outside_world(project: Project) -> None:
    validate.validate(project, "mnist")
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


def test_what_was_cut_off_in_writing_is_made_again(project: Project) -> None:
    validate.validate(project, "mnist")
    kept = [*project.gx.rglob("*.json"), *project.gx.rglob(".ge_store_backend_id")]
    assert {path.parent.name for path in kept} >= {"checkpoints", "expectations", "validation_definitions"}
    for k, path in enumerate(kept):
        path.write_bytes(path.read_bytes()[: (k % 2) * path.stat().st_size // 2])
    damaged = {path: path.read_bytes() for path in kept}
    validate.validate(project, "mnist")
    assert json.loads((project.reports("mnist") / "validation.json").read_text())["success"]
    assert not [path for path, content in damaged.items() if path.exists() and path.read_bytes() == content]
