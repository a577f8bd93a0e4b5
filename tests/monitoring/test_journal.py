"""What is said of a batch: each fact of its record reaches the reader, and a sample never passes for a result."""

from __future__ import annotations

from typing import Any

import pytest

from handbook.monitoring import journal


def record(**more: Any) -> journal.Record:
    columns = [
        {"column": "age", "kind": "numbers", "moved": 0.31, "p": 1e-9, "drifted": True},
        {"column": "job", "kind": "words", "moved": 0.02, "p": 0.6, "drifted": False},
    ]
    score = {"metric": "roc_auc", "value": 0.71, "low": 0.66, "high": 0.75, "before": 0.93, "fell": True}
    return {
        "case": "boosting", "batch": "b-01234567", "outcome": journal.DRIFTED, "data": "real", "files": ["b.csv"],
        "sha256": "0123", "judged": "2026-01-02", "champion": "fedc", "columns": columns, "rows": 1500,
        "reference_rows": 30000, "expectations": 12, "limits": {"alpha": 0.001, "moved": 0.1}, "detectable": 0.07,
        "score": score, "no_score": "", "reason": "",
    } | more  # fmt: skip


def test_the_page_names_what_drifted_by_how_much_and_what_became_of_the_score() -> None:
    page = journal.page_of(record())
    assert "these columns have drifted: age." in page
    assert "| age | numbers | 31.0% | 1e-09 | drifted |" in page
    assert "| job | words | 2.0% | 0.6 |  |" in page
    assert "roc_auc is 0.7100 (0.6600 to 0.7500) here and 0.9300 on its test rows: it fell." in page
    assert "1,500 rows" in page


@pytest.mark.parametrize("outcome", [journal.STEADY, journal.DRIFTED, journal.REFUSED])
def test_what_was_held_against_a_sample_says_so_whatever_came_of_it(outcome: str) -> None:
    said = "Held against sample data: not a result"
    assert said in journal.page_of(record(outcome=outcome, data="sample", reason="bad"))
    assert said not in journal.page_of(record(outcome=outcome, reason="bad"))


def test_a_refused_batch_has_its_reason_and_no_figures() -> None:
    bare = {key: value for key, value in record().items() if key not in ("columns", "score", "limits", "rows")}
    refused = bare | {"outcome": journal.REFUSED, "reason": "no column 'job'"}
    assert "no column 'job'" in journal.page_of(refused)
    assert journal.sentence(refused, new=True) == "b-01234567: refused, no column 'job'"


def test_a_reason_cannot_leave_its_frame_nor_move_the_cursor() -> None:
    reason = journal.printable("a\n```\n# a heading\x1b[2J")
    lines = journal.page_of(record(outcome=journal.REFUSED, reason=reason)).splitlines()
    assert lines.count("````") == 2
    assert lines.index("````") < lines.index("```") < len(lines) - lines[::-1].index("````")
    assert "\x1b" not in reason


def test_groups_are_shown_with_their_intervals() -> None:
    shares = {"recall": 0.5, "precision": None, "accuracy": 0.9}
    interval = {"recall": [0.3, 0.7], "accuracy": [0.85, 0.93]}
    group = {
        "column": "job",
        "group": "student",
        "rows": 40,
        "sought": 0.25,
        "called": 0.2,
        "interval": interval,
        **shares,
    }
    line = "| job | student | 40 | 25.0% | 20.0% | 50% (30% to 70%) | – | 90% (85% to 93%) |"
    assert line in journal.page_of(record(groups=[group]))


def test_a_batch_without_answers_says_why_it_has_no_score() -> None:
    page = journal.page_of(record(score=None, no_score="the batch has no answers"))
    assert "Not scored: the batch has no answers." in page
    assert "fell" not in page


def test_the_sentence_says_whether_the_bytes_were_judged_before() -> None:
    new = journal.sentence(record(), new=True)
    assert new == "b-01234567: drifted (age 31%), roc_auc 0.7100 (was 0.9300)"
    again = " (these bytes were judged 2026-01-02 and are not judged again)"
    assert journal.sentence(record(), new=False) == new + again
