"""Files by the names that DVC has for them."""

from __future__ import annotations

from pathlib import Path

from handbook.registry import pinned


def test_what_is_not_there_has_no_name_and_what_python_leaves_behind_does_not_count(tmp_path: Path) -> None:
    assert pinned.md5(tmp_path / "gone") == ""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "facts.json").write_text("{}")
    before = pinned.md5(tmp_path / "model")
    (tmp_path / "model" / "__pycache__").mkdir()
    (tmp_path / "model" / "__pycache__" / "a.pyc").write_bytes(b"0")
    assert pinned.md5(tmp_path / "model") == before
    assert before.endswith(".dir")
    assert pinned.md5(tmp_path / "model" / "facts.json") == "99914b932bd37a50b983c5e7c90ae93b"
