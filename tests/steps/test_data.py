"""Putting datasets in place: where they came from, and a link that git has written as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.steps import data


def test_a_file_in_the_place_of_the_link_raw_is_named_with_the_way_out(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.write_text("data")  # what git writes where core.symlinks is false
    with pytest.raises(HandbookError, match=r"raw must be a link to data, and is a file(?s:.*)core\.symlinks true"):
        data.data(Project(tmp_path), ["iris"], "auto", or_sample=False)
    raw.unlink()
    raw.symlink_to("data")
    data.data(Project(tmp_path), ["iris"], "auto", or_sample=False)
    assert (raw / "iris" / "provenance.json").exists()


def test_the_verb_says_of_each_dataset_where_it_came_from(project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from handbook.steps import data

    data.data(project, ["iris"], "auto", False)
    data.data(project, ["iris"], "auto", False)
    ends = [line.rsplit("data/", 1)[1] for line in capsys.readouterr().out.splitlines() if " files in " in line]
    assert ends == ["iris, a library's bundle", "iris, already there"]
