"""A file is the old one or the new one, whole, whoever else writes it, and a link in the way is nobody's."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from handbook.files import fresh


def test_json_is_read_back_and_nothing_else_is_left(tmp_path: Path) -> None:
    fresh.write_json(tmp_path / "new" / "a.json", {"b": 1, "a": "ä"})
    assert json.loads((tmp_path / "new" / "a.json").read_text()) == {"a": "ä", "b": 1}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.json"]


def test_the_mode_is_that_of_any_new_file(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        fresh.write_text(tmp_path / "a", "x")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_link_that_was_laid_where_we_write_is_replaced_and_what_it_names_stays(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    for name in ("a", ".a.new"):  # the latter is how a temporary file might be called
        (tmp_path / name).symlink_to(tmp_path / "theirs")
    fresh.write_text(tmp_path / "a", "ours")
    assert ((tmp_path / "a").read_text(), (tmp_path / "theirs").read_text()) == ("ours", "theirs")
    assert not (tmp_path / "a").is_symlink()


def test_what_cannot_be_written_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    fresh.write_text(tmp_path / "a", "old")
    with pytest.raises(UnicodeEncodeError):
        fresh.write_text(tmp_path / "a", "\udce9")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
