"""Text files are UTF-8, whatever the locale says."""

from __future__ import annotations

import locale
import os
import sys

import pytest

from handbook.startup import encoding


def test_a_command_in_another_locale_starts_again_in_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setenv("PYTHONUTF8", "")
    monkeypatch.setattr(os, "execv", lambda _, words: started.append(words))
    monkeypatch.setattr(locale, "getencoding", lambda: "UTF-8")
    encoding.in_utf8()
    assert started == []
    monkeypatch.setattr(locale, "getencoding", lambda: "ISO-8859-15")
    encoding.in_utf8()
    utf8 = sys.flags.utf8_mode == 1  # make has seen to it already
    assert started == ([] if utf8 else [[sys.executable, *sys.orig_argv[1:]]])
    assert utf8 or os.environ["PYTHONUTF8"] == "1"
