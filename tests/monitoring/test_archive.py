"""Records of batches: what was written is what is read, and a damaged one is named with the way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.monitoring import archive, journal
from handbook.project import Project
from tests.monitoring.test_journal import record as described

CASE = "boosting"


def record(**more: Any) -> journal.Record:
    """As a batch is recorded: what its page shows, and where it came from."""
    return described(folder="incoming/boosting", dataset="bank_marketing", labelled=True, **more)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_what_was_written_is_read_again_by_name_with_its_page_beside_it(project: Project) -> None:
    written = [record(batch=name) for name in ("a", "b.2026-11-01", "b.2026-11-02")]
    for each in reversed(written):
        page = archive.write(project, CASE, each)
        assert page.read_text() == journal.page_of(each)
    assert archive.records(project, CASE) == written
    assert not archive.records(project, "another")


def test_a_refusal_needs_its_reason_alone_and_a_verdict_its_score_or_why_there_is_none(project: Project) -> None:
    refused = record(outcome=journal.REFUSED, reason="no column `age`")
    for name in ("columns", "limits", "rows", "reference_rows", "score", "labelled"):
        del refused[name]
    archive.write(project, CASE, refused | {"batch": "refused"})
    archive.write(project, CASE, record(batch="scored"))
    archive.write(project, CASE, record(batch="unscored", score=None, no_score="it has no column `y`"))
    assert [each["batch"] for each in archive.records(project, CASE)] == ["refused", "scored", "unscored"]


@pytest.mark.parametrize(
    ("named", "change"),
    [
        ("sha256", {"sha256": None}),
        ("reason", {"outcome": journal.REFUSED, "reason": 7}),
        ("rows", {"rows": "many"}),
        ("moved", {"columns": [{"column": "age", "kind": "numbers", "moved": "far", "p": 0.1, "drifted": True}]}),
        ("fell", {"score": {"metric": "r2", "value": 0.1, "low": 0.0, "high": 0.2, "before": 0.3}}),
        ("no_score", {"score": None, "no_score": None}),
        ("alpha", {"limits": {"moved": 0.1}}),
        ("interval", {"groups": [{"column": "age", "group": "60 and over", "rows": 40}]}),
    ],
)
def test_a_record_that_is_not_as_it_was_written_is_named_with_what_is_amiss_and_the_way_back(
    project: Project, named: str, change: dict[str, Any]
) -> None:
    archive.write(project, CASE, record())
    path = archive.folder(project, CASE) / f"{record()['batch']}.json"
    path.write_text(json.dumps(record() | change))
    with pytest.raises(HandbookError) as refused:
        archive.records(project, CASE)
    assert str(path) in str(refused.value)
    assert f"`{named}`" in str(refused.value)
    assert "they are judged again" in str(refused.value)


def test_what_a_run_that_was_cut_off_had_not_moved_in_is_taken_away_and_no_record(project: Project) -> None:
    page = archive.write(project, CASE, record())
    half = page.with_name(".x7f3.new")
    half.write_text("{")
    archive.tidy(project, CASE)
    archive.tidy(project, "another")
    assert not half.exists()
    assert len(archive.records(project, CASE)) == 1
