"""How far a step is: what was written last is read, and what is no such file says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.files import progress
from handbook.files.progress import Progress


def test_what_was_written_last_is_read(tmp_path: Path) -> None:
    path = progress.place(tmp_path, "train@lenet")
    assert progress.read(path) is None
    for done in (1, 3):
        progress.write(path, done, 4)
    assert progress.read(path) == Progress(3, 4)
    assert Progress(3, 4).percent == 75
    assert [each.name for each in path.parent.iterdir()] == ["train@lenet.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"done": "x", "of": 2}', '{"done": 1, "of": null}'])
def test_what_is_no_such_file_says_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    assert progress.read(tmp_path / "a.json") is None
