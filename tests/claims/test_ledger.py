"""The ledger: a test a row, which holds the judgement against the value that comes out here."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from handbook import claims
from handbook.claims import (
    chapter2,
    chapter2_measured,
    chapter2_metrics,
    chapter2_trees,
    chapter3,
    chapter3_descent,
    chapter3_measured,
    chapter3_programmes,
    chapter4,
    chapter4_layers,
    chapter5,
    chapter6,
    chapter6_sprites,
    chapter7,
    chapter8,
    trials,
)
from handbook.claims.claim import JUDGEMENTS, Claim, Data
from tests.conftest import MIRROR, ROOT

REPORTS = ROOT / "reports"
ROWS = list(claims.claims())
PAGES = (
    chapter2, chapter2_measured, chapter2_metrics, chapter2_trees, chapter3, chapter3_descent, chapter3_measured,
    chapter3_programmes, chapter4, chapter4_layers, chapter5, chapter6, chapter6_sprites, chapter7, chapter8,
)  # fmt: skip
# An answer to another question may be the printed number and yet none to the question of its section.
DIFFERS = ("wrong", "another problem's")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.section} {row.what}")
def test_the_judgement_of_a_row_is_what_its_value_says(row: Claim) -> None:
    value = row.value(REPORTS)
    if isinstance(row.ours, Data) and value is None:
        pytest.skip("the data are not here; the test of real data looks at them")
    if row.verdict == "cannot be checked":
        assert row.ours is None
        return
    assert value is not None, f"{row.ours} is not there: what stands in reports/ does not hold it"
    assert row.agrees(value, REPORTS) is (row.verdict not in DIFFERS), f"printed {row.printed}, ours {value}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.section} {row.what}")
def test_a_row_has_its_section_its_claim_and_a_reason_each_on_one_line(row: Claim) -> None:
    assert row.section.split(".")[0] in map(str, claims.LEDGER)
    assert row.verdict in JUDGEMENTS
    for text in (row.section, row.what, row.printed, row.reason):
        assert text.strip() == text != ""
        assert "\n" not in text
        assert "|" not in text.replace("|x|", "")  # which would end a cell of the documentation's table


@pytest.mark.real
@pytest.mark.skipif(not MIRROR, reason="needs the real data (HANDBOOK_MIRROR)")
def test_what_is_counted_in_real_data_is_what_the_judgement_says() -> None:
    counted = [row for row in ROWS if isinstance(row.ours, Data)]
    assert counted
    for row in counted:
        assert isinstance(row.ours, Data)
        value = row.ours.count(Path(MIRROR) / row.ours.dataset)
        assert row.agrees(value, REPORTS) is (row.verdict not in DIFFERS), f"printed {row.printed}, ours {value}"


def test_every_page_of_claims_is_in_the_ledger_under_its_chapter() -> None:
    assert sum(len(page.CLAIMS) for page in PAGES) == len(ROWS) >= 120
    for page in PAGES:
        chapter = int(page.__name__.rpartition("chapter")[2][0])
        assert {each.section.split(".")[0] for each in page.CLAIMS} == {str(chapter)}
        assert set(page.CLAIMS) <= set(claims.LEDGER[chapter])


def test_a_section_holds_those_inside_it_and_no_other() -> None:
    assert {each.section for each in claims.claims("3.6")} == {"3.6", "3.6.1", "3.6.2", "3.6.3"}
    assert list(claims.claims("3.1")) == []
    assert len(list(claims.claims("8"))) == sum(claims.counted(8).values())


def test_code_that_is_refused_does_not_run() -> None:
    assert trials.runs(lambda: 1)
    assert not trials.runs(lambda: int("one"))
    x, labels = trials.clouds(10, apart=100.0)
    assert (x[labels == 1, 0] > 50).all()


def test_no_claim_stands_twice() -> None:
    assert [each for each, times in Counter((row.section, row.what) for row in ROWS).items() if times > 1] == []
