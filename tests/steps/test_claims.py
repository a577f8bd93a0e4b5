"""The ledger on the command line: a table of all, a section's rows with reasons, and a way out of a wrong section."""

from __future__ import annotations

import pytest

from handbook.claims import LEDGER, SETTINGS, claims
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.steps import claims as verb
from tests.conftest import ROOT


def test_a_section_is_printed_with_what_comes_out_here_and_its_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    verb.claims(Project(ROOT), "8.4.5")
    said = capsys.readouterr().out
    assert (
        "8.4.5 node 3 after the row has pulled it\n    printed 0.545 0.51 0.675, ours 0.545 0.510 0.675: right;" in said
    )
    for row in claims("8.4.5"):
        assert row.reason in said


def test_a_sections_settings_stand_below_its_claims_with_ours_and_why_not(capsys: pytest.CaptureFixture[str]) -> None:
    verb.claims(Project(ROOT), "8.5")
    said = capsys.readouterr().out
    assert "8.5 som_book, rows and columns of the grid: printed 10 10, ours 10 10: the same\n" in said
    assert "8.5 som_book, rows that it learns from: printed 690, ours 462: another: a third is held out" in said
    assert len(verb.settings(Project(ROOT))) == len(SETTINGS)


def test_a_section_without_a_claim_is_answered_with_those_that_have_one() -> None:
    with pytest.raises(HandbookError, match=r"no claim of section '9\.9'\. Those that have one: 2\.1, .*8\.5\.1"):
        verb.claims(Project(ROOT), "9.9")


def test_the_table_has_a_line_a_row_and_columns_below_their_heads() -> None:
    rows = list(claims("8.4.2"))
    head, *lines = verb.table(Project(ROOT), rows).splitlines()
    assert len(lines) == len(rows)
    at = head.index("verdict")
    assert [line[at:] for line in lines] == [row.verdict for row in rows]


def test_a_summary_counts_every_claim_of_its_chapter() -> None:
    for chapter, rows in LEDGER.items():
        assert verb.summary(chapter).startswith(f"{len(rows)} claims, ")
