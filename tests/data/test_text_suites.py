"""What is asked about texts: a sound one is accepted, and each spoiled one refused by the right question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

from handbook.data import text_suites
from handbook.data.text_suites import Habits
from handbook.errors import HandbookError
from tests.toys import refused_by

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
LINES = ["a line of twenty characters and more", "", "two of it", ""] + [f"line {'abcdefgh'[k]}" for k in range(8)]
HABITS = Habits(
    "poem", lines=12, characters=(80, 110), longest=40, alphabet=" abcdefghijklmnopqrstuvwxyz", without="no digit",
    copies=(0, 0), shares={"blank": (0.1, 0.2), "line": (0.8, 0.9)}, block="stanza",
)  # fmt: skip


def kinds(lines: Sequence[str]) -> list[str]:
    return ["line" if line else "blank" for line in lines]


def facts(lines: list[str], place: Path) -> pd.DataFrame:
    (place / "poem.txt").write_bytes(("\n".join(lines) + "\n").encode())
    return text_suites.facts(place / "poem.txt", HABITS.alphabet, kinds)


@pytest.fixture(scope="module")
def refused() -> Callable[[pd.DataFrame], set[str]]:
    return refused_by(text_suites.expectations(HABITS))


def test_a_sound_text_is_accepted(refused: Callable[[pd.DataFrame], set[str]], tmp_path: Path) -> None:
    assert refused(facts(LINES, tmp_path)) == set()


@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        ([*LINES, "more"], "The poem has 12 lines"),
        ([each.replace("t", "7") for each in LINES], "The alphabet is that of the poem"),
        ([each.replace("e", "é") for each in LINES], "The encoding is ASCII"),
        ([LINES[0] * 2, *LINES[1:]], "No line is longer than 40"),
        ([*LINES[:-1], LINES[0]], "no stanza stands there twice"),
        ([each[:4] for each in LINES], "Its length is 80 to 110 characters"),
        ([each or "x" for each in LINES], "A line is one of: blank, line"),
    ],
)
def test_a_spoiled_text_is_refused_by_the_right_question(
    spoiled: list[str], message: str, refused: Callable[[pd.DataFrame], set[str]], tmp_path: Path
) -> None:
    assert any(message in each for each in refused(facts(spoiled, tmp_path)))


def test_a_last_line_without_its_end_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo")
    assert text_suites.facts(tmp_path / "a.txt", "", kinds)["characters"].tolist() == [3, 3]


def test_what_is_no_text_is_refused_before_its_lines_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")
    with pytest.raises(HandbookError, match="is not UTF-8"):
        text_suites.facts(tmp_path / "a.txt", "", kinds)
