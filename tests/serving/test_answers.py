"""Where answers go: whole files or none, every input counted once, and no fault lost."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from handbook.errors import HandbookError
from handbook.serving import answers
from handbook.serving.answers import Answers
from handbook.serving.inputs import Batch, Fault


def batch(names: list[Any], faults: list[Fault] | None = None, notes: list[str] | None = None) -> Batch:
    return Batch(names, None, notes or [""] * len(names), faults or [])


def labels(number: int) -> pd.DataFrame:
    return pd.DataFrame({"label": range(number)})


def test_two_batches_make_one_table_and_each_input_is_counted_once(tmp_path: Path) -> None:
    output = tmp_path / "a.csv"
    twice = [Fault("3", "age", "missing"), Fault("3", "job", "missing")]
    with Answers(output, "row") as taken:
        taken.take(batch([1, 2], twice, ["", "odd"]), [0, 1], labels(2), [])
        taken.take(batch([4, 5]), [1], labels(1), [Fault("4", "", "refused")])
    assert list(csv.reader(output.read_text().splitlines())) == [
        ["row", "label", "note"], ["1", "0", ""], ["2", "1", "odd"], ["5", "0", ""],
    ]  # fmt: skip
    found = taken.outcome("toy")
    assert (found.answered, found.failed, found.doubtful) == (3, 2, 1)
    assert found.errors is not None
    assert list(csv.reader(found.errors.read_text().splitlines())) == [
        ["row", "column", "problem"], ["3", "age", "missing"], ["3", "job", "missing"], ["4", "", "refused"],
    ]  # fmt: skip


def test_what_breaks_off_leaves_the_answers_of_before_and_nothing_half_written(tmp_path: Path) -> None:
    output = tmp_path / "a.csv"
    output.write_text("before")
    with pytest.raises(ZeroDivisionError), Answers(output, "row") as taken:
        taken.take(batch([1]), [0], labels(1), [])
        _ = 1 / 0
    assert output.read_text() == "before"
    assert list(tmp_path.iterdir()) == [output]


def test_where_nothing_failed_the_faults_of_before_are_gone_and_where_nothing_was_answered_the_table_says_so(
    tmp_path: Path,
) -> None:
    output = tmp_path / "a.csv"
    with Answers(output, "row") as taken:
        taken.take(batch([], [Fault("1", "", "bad")]), [], None, [])
    assert output.read_text() == "row\n"
    with Answers(output, "row") as taken:
        taken.take(batch([1]), [0], labels(1), [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv"]


def test_on_a_terminal_answers_and_faults_go_their_ways_and_faults_are_shown_up_to_a_number(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Answers(None, "row") as taken:
        taken.take(batch([0]), [0], labels(1), [])
        for number in range(1, 40):
            taken.take(batch([], [Fault(str(number), "age", "missing")]), [], None, [])
    reported = capsys.readouterr()
    assert reported.out.splitlines() == ["row,label,note", "0,0,"]
    assert len(reported.err.splitlines()) == answers.LISTED_FAULTS
    assert reported.err.splitlines()[0] == "row 1, column 'age': missing"
    with pytest.raises(HandbookError) as caught:
        answers.summary(taken.outcome("toy"))
    assert str(caught.value) == "toy: 1 answered; 39 failed; --output FILE lists them all, beyond the first 20"


def test_the_summary_says_where_the_answers_and_the_faults_are(tmp_path: Path) -> None:
    good = answers.Outcome("toy", 1200, 0, 3, tmp_path / "a.csv", None)
    expected = f"toy: 1,200 answered in {tmp_path / 'a.csv'}, 3 of them doubtful: see their notes"
    assert answers.summary(good) == expected
    bad = answers.Outcome("toy", 5, 2, 0, tmp_path / "a.csv", tmp_path / "e.csv")
    with pytest.raises(HandbookError, match=r"2 failed, listed in .*e\.csv$"):
        answers.summary(bad)
