"""Where answers go: whole files or none, every input counted once, and no fault lost."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
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
    assert len(reported.err.splitlines()) == answers.LISTED_FAULTS + 1
    assert reported.err.endswith("\nand 19 more\n")
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


def test_inputs_of_the_same_name_are_counted_by_their_places() -> None:
    with Answers(None, "prompt") as taken:
        twice = [Fault("Out", "", "no", 1), Fault("Out", "", "no", 2)]
        taken.take(batch(["Out"], twice), [], None, [Fault("Out", "", "no", 3)])
    assert taken.failed == 3


def test_more_faults_than_are_shown_are_counted_whatever_the_batch(capsys: pytest.CaptureFixture[str]) -> None:
    with Answers(None, "row") as taken:
        taken.take(batch([], [Fault(str(number), "age", "missing") for number in range(9000)]), [], None, [])
    reported = capsys.readouterr().err.splitlines()
    assert len(reported) == answers.LISTED_FAULTS + 1
    assert reported[-1] == "and 8,980 more"


def test_a_name_that_is_not_utf_8_is_written_and_loses_no_answer(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    with Answers(tmp_path / "a.csv", "file") as taken:
        taken.take(batch([name, "b.png"], [Fault(name, "", "bad")]), [0, 1], labels(2), [])
    assert (tmp_path / "a.csv").read_text().splitlines()[1:] == ["caf\\xe9.png,0,", "b.png,1,"]
    assert "caf\\xe9.png,,bad" in (tmp_path / "a.csv.errors.csv").read_text()


def odd_places(home: Path) -> dict[str, Path]:
    (home / "file").write_text("mine")
    (home / "link").symlink_to(home / "file")
    (home / "dangling").symlink_to(home / "nowhere")
    os.mkfifo(home / "pipe")
    (home / "behind.csv.errors.csv").symlink_to(home / "file")
    return {"a link": home / "link", "dangling": home / "dangling", "pipe": home / "pipe", "null": Path("/dev/null"),
            "its errors": home / "behind.csv", "too long": home / ("x" * 300)}  # fmt: skip


@pytest.mark.parametrize("kind", ["a link", "dangling", "pipe", "null", "its errors", "too long"])
def test_only_a_regular_file_is_ever_replaced(kind: str, tmp_path: Path) -> None:
    place = odd_places(tmp_path)[kind]
    before = place.lstat().st_mode if kind not in ("its errors", "too long") else 0
    with pytest.raises(HandbookError, match=r"only a regular file is replaced|cannot be the name of a file"):
        answers.refuse_place(place, (), folder=False)
    assert before == 0 or place.lstat().st_mode == before
    assert (tmp_path / "file").read_text() == "mine"


def test_what_becomes_a_link_while_answers_are_made_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(HandbookError, match="is a link"), Answers(tmp_path / "a.csv", "row") as taken:
        taken.take(batch([1]), [0], labels(1), [])
        (tmp_path / "a.csv").symlink_to(tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "mine"]


def drawn(*tones: int) -> Any:
    return np.stack([np.full((4, 4), tone, np.uint8) for tone in tones])


def test_pictures_of_one_name_are_all_there_and_a_folder_keeps_what_it_had(tmp_path: Path) -> None:
    folder = tmp_path / "drawn"
    for names in ([7, 7, 8], [9]):
        with Answers(folder, "seed", drawn=True) as taken:
            taken.take(batch(names), list(range(len(names))), drawn(*names), [])
    assert sorted(path.name for path in folder.iterdir()) == ["7-2.png", "7.png", "8.png", "9.png"]
    assert [path.name for path in tmp_path.iterdir()] == ["drawn"]


def test_where_no_picture_was_drawn_nothing_lies_in_the_folders_place(tmp_path: Path) -> None:
    folder = tmp_path / "drawn"
    for _ in range(2):
        with Answers(folder, "seed", drawn=True) as taken:
            taken.take(batch([], [Fault("x", "", "no seed", 1)]), [], None, [])
        assert sorted(path.name for path in tmp_path.iterdir()) == ["drawn.errors.csv"]
    folder.write_text("a file")
    with pytest.raises(HandbookError, match=r"drawn is no folder; expected the name of one"):
        answers.refuse_place(folder, (), folder=True)


def test_a_picture_that_broke_off_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "drawn"
    folder.mkdir()
    (folder / "1.png").write_bytes(b"mine")
    with pytest.raises(ZeroDivisionError), Answers(folder, "seed", drawn=True) as taken:
        taken.take(batch([1]), [0], drawn(1), [])
        _ = 1 / 0
    assert [path.read_bytes() for path in folder.iterdir()] == [b"mine"]
    assert [path.name for path in tmp_path.iterdir()] == ["drawn"]


def test_no_cell_is_a_formula_and_every_number_stays_one(tmp_path: Path) -> None:
    output = tmp_path / "a.csv"
    table = pd.DataFrame({"text": ["=1+1", "-lo!", "-1.5", "+", "plain"], "score": [-1.0, 2.0, -3.0, 4.0, 5.0]})
    names = ["@a.png", "\tb.png", "c.png", "-1", "d.png"]
    with Answers(output, "file") as taken:
        taken.take(batch(names, [Fault("=x.png", "", "-bad")], ["", "", "=odd", "", ""]), list(range(5)), table, [])
    rows = list(csv.reader(output.read_text().splitlines()))
    assert [row[0] for row in rows] == ["file", "'@a.png", "'\tb.png", "c.png", "-1", "d.png"]
    assert [row[1] for row in rows] == ["text", "'=1+1", "'-lo!", "-1.5", "'+", "plain"]
    assert [row[2] for row in rows] == ["score", "-1.0", "2.0", "-3.0", "4.0", "5.0"]
    assert rows[3][3] == "'=odd"
    assert (tmp_path / "a.csv.errors.csv").read_text().splitlines()[1] == "'=x.png,,'-bad"
