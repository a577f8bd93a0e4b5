"""Missing glyphs are one line; every other warning is what it was."""

from __future__ import annotations

import warnings

import pytest

from handbook.startup import glyphs


def test_the_first_missing_glyph_is_a_sentence_and_the_others_are_dropped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[str] = []
    monkeypatch.setattr(warnings, "showwarning", lambda message, *_: others.append(str(message)))
    glyphs.summarised()
    for code in (20013, 22269, 25968):
        warnings.showwarning(f"Glyph {code} (\\N{{X}}) missing from font(s) DejaVu Sans.", UserWarning, "a.py", 1)
    warnings.showwarning("something else", UserWarning, "a.py", 1)
    assert capsys.readouterr().err.count("stand there as boxes") == 1
    assert others == ["something else"]
