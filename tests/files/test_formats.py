"""Files of text, JSON and rows: what is written is read back, and a file is the old one or the new one, whole."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handbook.files import formats

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(PLAIN)
def test_json_reads_back_what_was_written(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    path = tmp_path_factory.mktemp("json") / "a.json"
    formats.write_json(path, content)
    assert json.loads(path.read_text()) == content


def test_the_order_of_keys_changes_no_byte(tmp_path: Path) -> None:
    formats.write_json(tmp_path / "a", {"b": {"y": 1, "x": "é"}, "a": 2})
    formats.write_json(tmp_path / "b", {"a": 2, "b": {"x": "é", "y": 1}})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert "é" in (tmp_path / "a").read_text(encoding="utf-8")


def test_what_cannot_be_written_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    formats.write_json(path, {"kept": 1})
    with pytest.raises(TypeError, match="not JSON serializable"):
        formats.write_json(path, {"kept": object()})
    with pytest.raises(UnicodeEncodeError):
        formats.write_text(path, "half a pair: \ud800")
    assert json.loads(path.read_text()) == {"kept": 1}


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    formats.write_text(path, "old")
    with path.open() as opened:
        formats.write_text(path, "new")
        assert opened.read() == "old"  # the file that was opened is still the old one
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_rows_read_back_as_numbers_to_the_last_digit_and_gaps_are_left_out(tmp_path: Path) -> None:
    rows = [{"epoch": 1, "train_loss": 0.1 + 0.2}, {"epoch": 2, "train_loss": math.pi, "valid_loss": 1e-300}]
    formats.write_rows(tmp_path / "a.csv", rows)
    assert formats.read_rows(tmp_path / "a.csv") == rows
    assert formats.rows_of((tmp_path / "a.csv").read_text().replace("\n", "\r\n")) == rows


def test_columns_come_in_the_order_in_which_rows_bring_them(tmp_path: Path) -> None:
    formats.write_rows(tmp_path / "a.csv", [{"b": 1}, {"a": 2, "b": 3}])
    with (tmp_path / "a.csv").open(newline="") as stream:
        assert list(csv.reader(stream)) == [["b", "a"], ["1", ""], ["3", "2"]]
