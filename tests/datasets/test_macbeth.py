"""Laws of the play: its form, its sample, and what the suite refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from handbook.datasets import macbeth
from handbook.errors import HandbookError
from tests.datasets.test_labelled_images import broken

# Great Expectations 1.24 imports modules of the standard library that are deprecated since Python 3.11
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_[a-z]+' is deprecated:DeprecationWarning")
Samples = Callable[[str], Path]


def of(content: str, tmp_path: Path) -> pd.DataFrame:
    (tmp_path / "macbeth.txt").write_bytes(content.encode())
    return macbeth.facts(tmp_path)


def test_the_sample_has_the_plays_form(samples: Samples) -> None:
    text = macbeth.load(samples("macbeth"))
    table = macbeth.facts(samples("macbeth"))
    assert len(table) == macbeth.SAMPLE_ROWS["lines"]
    assert set(text.content) <= {*macbeth.ALPHABET, "\n"}
    assert set(table["kind"]) == {"blank", "margin", "verse", "direction"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("the", "thé", "The encoding is ASCII"),
        ("the", "th3", "The alphabet is that of the play"),
        ("\n", "\r\n", "The alphabet is that of the play"),
        ("\n\n", "\n", "The play has 200 lines"),
        ("\t", " ", "of the lines are of kind verse"),
        ("\n", " " * 60 + "\n", "No line is longer than 75"),
    ],
)
def test_the_suite_refuses_another_edition(old: str, new: str, message: str, samples: Samples, tmp_path: Path) -> None:
    content = macbeth.load(samples("macbeth")).content
    found = broken(of(content.replace(old, new), tmp_path), macbeth.expectations(sample=True))
    assert any(message in each for each in found), found


def test_a_scene_that_stands_there_twice_is_refused(samples: Samples, tmp_path: Path) -> None:
    lines = macbeth.load(samples("macbeth")).content.splitlines()
    doubled = "\n".join(lines[:150] + lines[:150]) + "\n"
    found = broken(of(doubled, tmp_path), macbeth.expectations(sample=True))
    assert any("no scene stands there twice" in each for each in found)


def test_a_play_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "macbeth.txt").write_bytes(b"\tMACB\xc9TH\n")
    with pytest.raises(HandbookError, match="is not UTF-8: byte 0xc9 at 5, in line 1"):
        macbeth.load(tmp_path)
