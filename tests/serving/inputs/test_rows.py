"""Rows of a CSV: every row is answered or named, by the number that it has in the file."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from handbook.errors import HandbookError
from handbook.serving import inputs

AB = {"a": inputs.Column(int, None, 0, 100), "b": inputs.Column(str, frozenset("xyz"))}


def taken(text: str, columns: dict[str, inputs.Column] = AB, **how: Any) -> tuple[list[Any], dict[str, str], list[str]]:
    """The names that are answered, the problems by name, and the notes."""
    batches = list(inputs.lines(io.StringIO(text, newline=""), columns, **how))
    faults = {fault.name: fault.problem for batch in batches for fault in batch.faults}
    return [n for b in batches for n in b.names], faults, [note for b in batches for note in b.notes]


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        ("", "is empty"),
        ("a,b\n", "has a header but no row"),
        ("a,a,b\n1,2,3\n", "has column 'a' 2 times"),
        ("c\n1\n", "lacks 2 of 2 columns"),
        ("a,b\n1,\xe9\n", "is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_table_is_an_error_that_says_why(tmp_path: Path, content: str, reported: str) -> None:
    (tmp_path / "file.csv").write_bytes(content.encode("latin-1"))
    columns = {"a": inputs.Column(int), "b": inputs.Column(float)}
    with pytest.raises(HandbookError, match=reported):
        list(inputs.rows(tmp_path / "file.csv", columns, 10))


def test_a_file_cut_in_the_middle_of_a_row_loses_that_row_alone(tmp_path: Path) -> None:
    path, columns = tmp_path / "file.csv", {"a": inputs.Column(int), "b": inputs.Column(str)}
    for content, problem in (("a,b\n1,x\n2", "expected 2 cells"), ('a,b\n1,x\n2,"y', "cannot be read")):
        path.write_text(content)
        batches = list(inputs.rows(path, columns, 10))
        assert [name for batch in batches for name in batch.names] == [1]
        (fault,) = (fault for batch in batches for fault in batch.faults)
        assert fault.name == "2"
        assert problem in fault.problem


def test_a_big_table_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    columns = {"a": inputs.Column(int), "b": inputs.Column(str, frozenset("xy"))}

    def peak(rows: int) -> int:
        (tmp_path / "file.csv").write_text("a,b\n" + "12345,x\n" * rows)
        tracemalloc.start()
        read = sum(len(batch.names) for batch in inputs.rows(tmp_path / "file.csv", columns, 500))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert read == rows
        return most

    peak(1_000)
    assert peak(20_000) < 1.5 * peak(2_000)


def test_a_quote_left_open_costs_its_own_row_alone() -> None:
    rows = [f"{k},x" for k in range(60)]
    for spoilt in ('3,"x', '"3,x', '3,"x""', '3,"x,'):
        rows[3] = spoilt
        names, faults, _ = taken("a,b\n" + "\n".join(rows) + "\n")
        assert names == [1, 2, 3, *range(5, 61)]
        assert list(faults) == ["4"]
        assert "never closed" in faults["4"]


def test_a_quote_that_a_later_row_closes_swallows_no_row() -> None:
    names, faults, notes = taken('a,b,c\n1,x,p\n2,"x,p\n3,y,p\n4,z",p\n5,x,p\n')
    assert names == [1, 3, 4, 5]
    assert set(faults) == {"2"}
    assert notes == ["", "", "unknown b 'z\"' counts as none", ""]


def test_a_text_of_several_lines_in_a_column_that_is_not_needed_is_one_row() -> None:
    assert taken('a,b,c\n1,x,"one\ntwo, ""three""\n"\n2,y,four\n')[:2] == ([1, 2], {})


@pytest.mark.parametrize("mark", [";", "\t", "|", ","])
def test_excels_first_line_states_the_separator(mark: str) -> None:
    assert taken(f"sep={mark}\r\na{mark}b\r\n1{mark}x\r\n")[:2] == ([1], {})


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("1,5", "expected a whole number, found '1,5'. Write the decimal point as a point, and no marks"),
        ("1.234,5", "expected a whole number, found '1.234,5'. Write no marks between thousands"),
        ("12 345", "Write no marks between thousands"),
        ("1_000", "Write no marks between thousands"),
        ("True", "expected a whole number, found 'True'"),
        ("0x10", "expected a whole number, found '0x10'"),
        ("٤٠", "expected a whole number, found '٤٠'"),
        ("40.5", "expected a whole number, found '40.5'"),
        ("1e999", "expected a whole number, found '1e999'"),
        ("9007199254740993", "Whole numbers end at 9,007,199,254,740,992"),
        ("NA", "the value is missing"),
    ],
)
def test_a_number_written_otherwise_is_a_fault_that_says_what_to_do(cell: str, problem: str) -> None:
    names, faults, _ = taken(f"a;b\n1;x\n{cell};y\n+3;z\n4.0;x\n 5 ;y\n")
    assert names == [1, 3, 4, 5]
    assert problem in faults["2"]


def test_odd_lines_are_named_and_blank_ones_are_no_rows() -> None:
    names, faults, _ = taken("\ufeffa,b\n\n1,x\n\r\na,b\n2,y,z\n3\n4,\0\n5,\n6,z")
    assert names == [1, 7]
    assert faults == {
        "2": "the header stands here once more. Take this row out",
        "3": "expected 2 cells, found 3. Put what holds a separator between double quotes",
        "4": "expected 2 cells, found 1",
        "5": "the row cannot be read: a NUL byte stands in it",
        "6": "the value is missing",
    }


def test_what_training_never_saw_is_noted_word_or_number() -> None:
    notes = taken("a,b\n0,x\n100,y\n101,z\n-5,w\n1.000,x\n")[2]
    assert notes == [
        "", "", "a 101 is outside of 0 to 100", "a -5 is outside of 0 to 100; unknown b 'w' counts as none",
        "a '1.000' is read as 1: is the point a mark between thousands?",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (
            "a,b\n1,x\n".encode("utf-16"),
            "seems to be UTF-16, as what Excel calls Unicode text is. Save it as CSV in UTF-8",
        ),
        ("a,b\n1,x\n".encode("utf-16-le"), "seems to be UTF-16LE"),
        (b"PK\x03\x04" + bytes(60), "is a zip archive, as Excel's workbooks are; expected a CSV file"),
        (gzip.compress(b"a,b\n1,x\n", mtime=0), "is packed by gzip and should be called .gz"),
        (b"a,\0b\n1,x\n", "NUL bytes stand in its header"),
        (b"a,b\n1,x\n2,\xe9\n", ", line 3, is not UTF-8 text"),
        (b'"a,b\n1,x\n', "its header: the line cannot be read: a quote is opened in it and never closed"),
        (b"\n\n", "is empty; expected a CSV file with a header, a, b"),
        (b"sep=;\n", "is empty; expected a CSV file with a header"),
    ],
)
def test_a_file_that_is_no_csv_in_utf_8_says_what_it_is(content: bytes, reported: str, tmp_path: Path) -> None:
    (tmp_path / "file.csv").write_bytes(content)
    with pytest.raises(HandbookError) as caught:
        list(inputs.rows(tmp_path / "file.csv", AB, 10))
    assert reported in str(caught.value)


def test_a_packed_file_is_read_as_a_plain_one(tmp_path: Path) -> None:
    (tmp_path / "file.csv.gz").write_bytes(gzip.compress(b"a,b\n1,x\n", mtime=0))
    (batch,) = inputs.rows(tmp_path / "file.csv.gz", AB, 10)
    assert batch.data.equals(pd.DataFrame({"a": [1], "b": pd.Series(["x"], dtype="str")}))
