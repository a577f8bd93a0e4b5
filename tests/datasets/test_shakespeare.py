"""Laws of tiny Shakespeare: its form, its sample, what the suite refuses, and the split that others report on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from handbook.data.texts import Text
from handbook.datasets import shakespeare
from handbook.errors import HandbookError
from handbook.project import Project
from tests.conftest import ROOT
from tests.datasets.test_labelled_images import broken

# Great Expectations 1.24 imports modules of the standard library that are deprecated since Python 3.11
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_[a-z]+' is deprecated:DeprecationWarning")
Samples = Callable[[str], Path]
LENGTH = 1_115_394  # characters of the real text


def of(content: str, tmp_path: Path) -> pd.DataFrame:
    (tmp_path / "input.txt").write_bytes(content.encode())
    return shakespeare.facts(tmp_path)


def test_the_sample_has_the_texts_form(samples: Samples) -> None:
    text = shakespeare.load(samples("shakespeare"))
    table = shakespeare.facts(samples("shakespeare"))
    assert len(table) == shakespeare.SAMPLE_ROWS["lines"]
    assert set(text.content) <= {*shakespeare.ALPHABET, "\n"}
    assert len(shakespeare.ALPHABET) + 1 == 65
    assert set(table["kind"]) == {"speaker", "speech", "blank"}


def test_a_speaker_is_what_ends_in_a_colon_below_a_blank_line(tmp_path: Path) -> None:
    table = of("MARTEN:\nI say:\nno.\n\nAll:\nNo!\n\n\nhe said\n", tmp_path)
    expected = ["speaker", "speech", "speech", "blank", "speaker", "speech", "blank", "blank", "speech"]
    assert table["kind"].tolist() == expected


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("the", "thé", "The encoding is ASCII"),
        ("the", "th7", "The alphabet is that of the text"),
        ("\n", "\r\n", "The alphabet is that of the text"),
        ("\n\n", "\n", "The text has 500 lines"),
        (":\n", "\n", "of the lines are of kind speaker"),
        ("\n", " " * 60 + "\n", "No line is longer than 63"),
    ],
)
def test_the_suite_refuses_another_edition(old: str, new: str, message: str, samples: Samples, tmp_path: Path) -> None:
    content = shakespeare.load(samples("shakespeare")).content
    found = broken(of(content.replace(old, new), tmp_path), shakespeare.expectations(sample=True))
    assert any(message in each for each in found), found


def test_a_text_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_bytes(b"MARTEN:\nN\xe9\n")
    with pytest.raises(HandbookError, match="is not UTF-8: byte 0xe9 at 9, in line 2"):
        shakespeare.load(tmp_path)


@pytest.mark.parametrize("name", ["shakespeare_lstm", "shakespeare_transformer"])
@pytest.mark.parametrize("preset", ["laptop", "gpu"])
def test_the_held_out_part_is_the_one_that_nanogpt_judges_by(name: str, preset: str) -> None:
    """Its `prepare.py` learns from the first int(0.9 N) characters."""
    case = Project(ROOT).case(name, preset=preset)
    content = ("".join(map(chr, range(97, 107))) * (LENGTH // 10 + 1))[:LENGTH]
    split = case.page.split(Text(content, "as long"), case.params)
    assert len(split.test) == LENGTH - int(0.9 * LENGTH)
    assert str(split.test) == content[int(0.9 * LENGTH) :]
    assert str(split.development) == content[: int(0.9 * LENGTH)]
    assert not case.params.lower_case
