"""CSV text a record at a time: as Python's own reader has it where nothing is wrong, and each record counted."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from handbook.errors import HandbookError
from handbook.serving.inputs import reading

HEADER = ["a", "b", "c"]


def found(text: str, unbroken: tuple[int, ...] = (0,)) -> list[reading.Record]:
    return list(reading.records(iter(io.StringIO(text, newline="")), ",", HEADER, list(unbroken)))


def test_sound_text_is_read_as_the_csv_module_reads_it() -> None:
    rng = np.random.default_rng(0)
    pieces = ["x", "1", ",", '"', "\n", "\r\n", " ", "é", "数", ""]
    for _ in range(200):
        rows = [["k", *("".join(rng.choice(pieces, rng.integers(4))) for _ in range(2))] for _ in range(5)]
        stream = io.StringIO(newline="")
        csv.writer(stream).writerows(rows)
        assert [cells for cells, problem in found(stream.getvalue()) if not problem] == rows


def test_whatever_is_spoilt_every_record_has_its_cells_or_a_problem_and_never_both() -> None:
    rng = np.random.default_rng(1)
    text = "".join(f'{k},"text, {k}",z\n' for k in range(30))
    for _ in range(300):
        spoilt = list(text)
        for place in rng.integers(0, len(text), 3):
            spoilt[place] = str(rng.choice(list('",\n\0;x')))
        records = found("".join(spoilt), (0, 1, 2))
        assert all(bool(problem) != (len(cells) == 3) for cells, problem in records)
        assert sum(not problem for _, problem in records) >= 20  # three wounds cost few rows, and no row behind them


def test_lines_without_an_end_are_refused_before_they_fill_the_memory() -> None:
    endless = io.StringIO("x" * (reading.LONGEST + 10))
    with pytest.raises(HandbookError, match="a line of more than 1,048,576 characters"):
        list(reading.checked_lines("file", endless))
