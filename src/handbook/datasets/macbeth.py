"""Macbeth: the whole play as plain text, 105,404 characters in 3,876 lines.

What it is: Shakespeare's shortest tragedy (about 1606) in modern spelling: speakers in capitals at the left margin, a
tab before verse, stage directions in brackets, the list of persons in front.
Where from: `martin-gorner/tensorflow-rnn-shakespeare`, which carries the play without a legal header; Project Gutenberg
publishes another edition as its etext 1533. Licence: the text is in the public domain, the repository Apache 2.0.
Not for: a model of English, of today's or of Shakespeare's: one play holds 3,358 different words, most of them once.
In the book: section 5.6, a character LSTM on the play in lower case.

Any other text in UTF-8 can stand in its place: `python -m handbook train char_lstm --data FILE --to FOLDER`.
The sample is a play of our own in the same form, out of a grammar of some eighty words.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handbook.data import text_suites, texts
from handbook.data.provenance import File
from handbook.data.text_suites import Habits
from handbook.data.texts import Text

if TYPE_CHECKING:
    import pandas as pd

ROWS = {"lines": 3_876}
SAMPLE_ROWS = {"lines": 200}
LICENCE = "public domain (the text), Apache 2.0 (the repository that carries it)"
SAMPLE_LICENCE = "none needed: composed here"
SOURCE = "https://github.com/martin-gorner/tensorflow-rnn-shakespeare"
COMMIT = "25946cd6486e8a8f96d84edb200a8b8b6e961c27"
FILES = (
    File(
        "macbeth.txt",
        "339afa674ac54e5038bd610056e87b0ba70f6543b2fbcfea421bfd0fbbc21e7f",
        (
            f"https://raw.githubusercontent.com/martin-gorner/tensorflow-rnn-shakespeare/{COMMIT}/shakespeare/macbeth.txt",
        ),
    ),
)
ALPHABET = "\t !&'(),-.:;?ABCDEFGHIJKLMNOPQRSTUVWXY[]abcdefghijklmnopqrstuvwxyz|"
# Measured: 46.9 % verse, 30.1 % blank, 18.7 % at the margin, 4.4 % directions.
SHARES = {"verse": (0.46, 0.48), "blank": (0.29, 0.31), "margin": (0.18, 0.2), "direction": (0.04, 0.05)}
SAMPLE_SHARES = {"verse": (0.3, 0.5), "blank": (0.25, 0.4), "margin": (0.2, 0.35), "direction": (0.02, 0.09)}

read = texts.own  # a file of one's own in the play's place

SPEAKERS = ("First Crow", "Second Crow", "MILLER", "LADY GREY", "HAROLD", "EDRIC", "A Porter")
DIRECTIONS = ("Thunder", "A bell rings", "Exeunt", "Enter {who}", "Exit {who}", "Enter {who} and {who}")
SENTENCES = (
    "The {adjective} {noun} doth {verb} the {noun}",
    "O {adjective} {noun}, thou {adjective} {noun}",
    "Why should the {noun} {verb} so {adjective} a {noun}",
    "I have not seen so {adjective} a {noun}",
    "When {adjective} {noun}s {verb} the {adjective} {noun}",
    "And all the {noun}s of the {noun} {verb} him",
    "He that would {verb} the {noun} must {verb} the {noun}",
    "My lord, the {noun} is {adjective}",
)
WORDS = {
    "who": SPEAKERS,
    "noun": (
        "crow", "mill", "river", "crown", "dagger", "raven", "night", "shadow", "king", "tower", "stone", "morning",
        "winter", "candle", "horse", "sword",
    ),
    "verb": ("follow", "haunt", "wake", "bury", "carry", "forget", "burn", "answer", "serve", "drown"),
    "adjective": ("bloody", "weary", "silent", "golden", "hollow", "bitter", "ancient", "gentle", "broken", "frozen"),
}  # fmt: skip


def sample(directory: Path, seed: int) -> None:
    """Compose a play of 200 lines: scenes, stage directions, and speeches of one to four verses."""
    rng = np.random.default_rng(seed)
    lines = ["\tTHE MILL", "", ""]
    scene = 0
    while len(lines) < SAMPLE_ROWS["lines"]:
        if len(lines) // 60 >= scene:
            scene += 1
            lines += [f"SCENE {'I' * scene}\tBefore the mill.", "", f"\t[{_filled('Thunder. Enter {who}', rng)}]", ""]
        elif rng.random() < 0.1:
            lines += [f"\t[{_filled(_one(DIRECTIONS, rng), rng)}]", ""]
        verses = [f"\t{_filled(_one(SENTENCES, rng), rng)}{_one((',', ';', '.', '?', '!'), rng)}"
                  for _ in range(rng.integers(1, 5))]  # fmt: skip
        lines += [_one(SPEAKERS, rng) + verses[0], *verses[1:], ""]
    play = "\n".join(lines[: SAMPLE_ROWS["lines"]]) + "\n"
    (directory / FILES[0].name).write_bytes(play.encode())


def _one(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[rng.integers(len(choices))]


def _filled(pattern: str, rng: np.random.Generator) -> str:
    """The pattern with a word of its kind for each name in braces, drawn one by one."""
    while "{" in pattern:
        before, _, rest = pattern.partition("{")
        kind, _, after = rest.partition("}")
        pattern = before + _one(WORDS[kind], rng) + after
    return pattern


def load(directory: Path) -> Text:
    """The play; a HandbookError says what is wrong with the file."""
    return texts.read(directory / FILES[0].name)


def facts(directory: Path) -> pd.DataFrame:
    """The table that the suite looks at, a row a line: its length, its kind, whether it repeats an earlier one."""
    return text_suites.facts(directory / FILES[0].name, ALPHABET, lambda lines: [_kind(line) for line in lines])


def _kind(line: str) -> str:
    """Blank, a direction in brackets, indented verse, or a line that begins at the margin, mostly with its speaker."""
    if not line.strip():
        return "blank"
    if not line.startswith("\t"):
        return "margin"
    return "direction" if line.strip().startswith("[") else "verse"


def expectations(sample: bool = False) -> list[Any]:
    """What must hold for the table of facts: the suite of Great Expectations."""
    return text_suites.expectations(
        Habits(
            "play",
            lines=(SAMPLE_ROWS if sample else ROWS)["lines"],
            characters=(4_600, 6_700) if sample else (101_528, 101_528),  # 105,404 less the 3,876 line ends
            longest=75,
            alphabet=ALPHABET,
            without="no digit, no carriage return, no mark of another edition",
            copies=(0, 30) if sample else (5, 5),
            shares=SAMPLE_SHARES if sample else SHARES,
        )
    )
