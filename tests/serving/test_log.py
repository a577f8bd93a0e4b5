"""A log of predictions holds what was answered, no input that nobody asked to keep, and never more than its bound."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from handbook import contract, datasets
from handbook.errors import HandbookError
from handbook.monitoring import reading
from handbook.serving.inputs import Batch
from handbook.serving.log import Log

ROWS = Batch([1, 2], pd.DataFrame({"age": [40, 41], "job": ["a,b", "c"]}), ["", "unknown job"])
ANSWERS = [{"label": 0, "name": "no"}, {"label": 1, "name": "yes"}]


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_answers_are_logged_with_their_notes_and_no_input(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    log.write(ROWS, ANSWERS)
    log.close()
    with (tmp_path / "log" / "answers.csv").open(newline="") as stream:
        found = list(csv.DictReader(stream))
    assert [(each["request"], each["input"], each["name"], each["note"]) for each in found] == [
        ("1", "1", "no", ""), ("1", "2", "yes", "unknown job"),
    ]  # fmt: skip
    assert not list((tmp_path / "log" / "inputs").iterdir())
    assert (tmp_path / "log").stat().st_mode & 0o077 == 0
    assert (tmp_path / "log" / "answers.csv").stat().st_mode & 0o077 == 0


def test_inputs_that_are_kept_are_a_batch_with_the_rows_as_they_were_sent(tmp_path: Path) -> None:
    log = Log(tmp_path, keep=True)
    log.write(ROWS, ANSWERS)
    log.write(ROWS, ANSWERS)
    assert not list((tmp_path / "inputs").glob("*.csv"))  # one that is not whole has no name yet
    log.close()
    (batch,) = (tmp_path / "inputs").glob("*.csv")
    assert pd.read_csv(batch).to_dict("list") == {"age": [40, 41] * 2, "job": ["a,b", "c"] * 2}


def test_monitor_reads_the_inputs_that_were_kept_as_a_batch(tmp_path: Path, samples: Callable[[str], Path]) -> None:
    page, pinned = datasets.page("bank_marketing"), samples("bank_marketing")
    rows = page.load(pinned).features.iloc[:20]
    log = Log(tmp_path / "log", keep=True, separator=contract.usual(page).separator)
    log.write(Batch(list(range(20)), rows, [""] * 20), [{"label": 0}] * 20)
    log.close()
    (batch,) = (tmp_path / "log" / "inputs").glob("*.csv")
    (tmp_path / "scratch").mkdir()
    content = reading.read(page, pinned, (batch,), tmp_path / "scratch")
    assert sorted(content.facts["balance"]) == sorted(rows["balance"])


def test_the_folder_never_grows_beyond_its_bound_and_the_newest_stay(tmp_path: Path) -> None:
    log = Log(tmp_path, keep=True, bound=8000)
    for number in range(300):
        rows = Batch([1], pd.DataFrame({"age": [number], "job": ["x" * 50]}), [""])
        log.write(rows, [{"label": number}])
        assert size(tmp_path) <= 8000
    log.close()
    newest = max((tmp_path / "inputs").glob("*.csv"))
    assert pd.read_csv(newest)["age"].iloc[-1] == 299


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HandbookError, match="the log cannot lie in"):
        Log(tmp_path / "file" / "log")
