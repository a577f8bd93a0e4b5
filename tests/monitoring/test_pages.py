"""The page of a case in service shows each fact of its records, and nothing of a batch becomes part of the page."""

from __future__ import annotations

import re
from pathlib import Path

from handbook.monitoring import journal, pages
from tests.monitoring.test_journal import record

VERSIONS = [{"number": 2, "content": "abcd", "roles": "champion", "batches": ["b-01234567"], "rows": 1400}]


def page(*records: journal.Record) -> str:
    return pages.build("boosting", list(records), VERSIONS)


def test_batches_columns_scores_and_what_was_done_are_there() -> None:
    html = page(record(), record(batch="c-89abcdef", outcome=journal.STEADY, judged="2026-01-03"))
    for part in ("b-01234567", "c-89abcdef", "age 31 %", "learnt by version 2", "it fell", "1,400 new rows"):
        assert part in html
    assert len(re.findall("<circle", html)) == 2
    assert "b-01234567: 0.7100 (0.6600 to 0.7500)" in html


def test_the_score_of_an_older_batch_stands_to_the_left_and_a_greater_one_higher() -> None:
    worse = record(score=record()["score"] | {"value": 0.6, "low": 0.5, "high": 0.7})
    html = page(worse, record(batch="later"))
    (x1, y1), (x2, y2) = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', html)
    assert float(x1) < float(x2)
    assert float(y1) > float(y2)


def test_what_a_batch_says_is_text() -> None:
    reason = "found {'<script>alert(1)</script>': 3}"
    html = page(record(outcome=journal.REFUSED, reason=reason, score=None))
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_a_sample_is_marked_and_a_page_asks_nothing_of_the_outside_world() -> None:
    html = page(record(data="sample"))
    assert "not a result" in html
    assert "not a result" not in page(record())
    assert not re.findall(r'(?:src|href)="https?:', html)


def test_a_case_without_batches_has_a_page() -> None:
    html = pages.build("boosting", [], [])
    assert "No batch has been accepted" in html
    assert Path(pages.__file__).with_name("case.html.j2").exists()
