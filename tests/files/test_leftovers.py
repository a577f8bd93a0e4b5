"""What is written beside its place goes when it cannot be moved in, and nothing else goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.files import leftovers


def test_what_was_half_written_goes_and_what_was_there_stays(tmp_path: Path) -> None:
    report = tmp_path / "report"
    report.mkdir()
    (report / "metrics.json").write_text("old")
    with pytest.raises(OSError, match="full"), leftovers.removed(report, tmp_path / "model"):
        (report / ".metrics.json.new").write_text("ha")
        (tmp_path / ".model.new").mkdir()
        (tmp_path / ".model.new" / "facts.json").write_text("{")
        raise OSError("full")
    assert [path.name for path in tmp_path.rglob("*")] == ["report", "metrics.json"]
    assert (report / "metrics.json").read_text() == "old"


def test_nothing_goes_where_nothing_failed(tmp_path: Path) -> None:
    with leftovers.removed(tmp_path):
        (tmp_path / ".other.new").write_text("somebody else's")
    assert (tmp_path / ".other.new").exists()
