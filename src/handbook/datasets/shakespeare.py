"""Tiny Shakespeare: 40,000 lines out of the plays as plain text, 1,115,394 characters, 65 different ones.

What it is: speeches of many plays one after the other, capitals kept: the speaker and a colon on a line, the speech
below, a blank line. No acts, no scenes, no stage directions; the plays follow each other without a mark.
Where from: the repository `karpathy/char-rnn`, `data/tinyshakespeare/input.txt`, at the commit below. Licence: the
text is in the public domain; the repository says nothing of it.
Not for: a model of English, of today's or of Shakespeare's. Its last tenth, by which models are judged since nanoGPT
(Karpathy 2022), is most of The Taming of the Shrew and of The Tempest: two plays, no random part of the text.
In the book: not there. Section 5.6 learns Macbeth, a tenth as long; this text is what others report their figures on.

Any other text in UTF-8 can stand in its place: `python -m handbook train shakespeare_lstm --data FILE --to FOLDER`.
The sample is a play of our own in the same form, out of a grammar of some eighty words.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handbook.data import text_suites, texts
from handbook.data.provenance import File
from handbook.data.text_suites import Habits
from handbook.data.texts import Text

if TYPE_CHECKING:
    import pandas as pd

ROWS = {"lines": 40_000}
SAMPLE_ROWS = {"lines": 500}
LICENCE = "public domain (the text); the repository that carries it names none"
SAMPLE_LICENCE = "none needed: composed here"
SOURCE = "https://github.com/karpathy/char-rnn"
COMMIT = "d1d7aa34fdb3626174bce1d753e6cc6845ce7087"
FILES = (
    File(
        "input.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        (
            f"https://raw.githubusercontent.com/karpathy/char-rnn/{COMMIT}/data/tinyshakespeare/input.txt",
            "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        ),
    ),
)
ALPHABET = " !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Measured: 63.9 % speech, 18.1 % names of speakers, 18.1 % blank.
SHARES = {"speech": (0.63, 0.65), "speaker": (0.18, 0.19), "blank": (0.18, 0.19)}
SAMPLE_SHARES = {"speech": (0.45, 0.65), "speaker": (0.17, 0.28), "blank": (0.17, 0.28)}

read = texts.own  # a file of one's own in the text's place

SPEAKERS = ("First Baker", "Second Baker", "ROSALBA", "DUKE OF ORLE", "MARTEN", "OSWIN", "Gaoler", "QUEEN ELFRIDA")
LINES = (
    "I pray thee, {noun}, let the {noun} {verb} thy {noun}",
    "What {adjective} {noun} is this to {verb} the {noun}",
    "If thou dost {verb} me, {adjective} {noun}",
    "Then {verb} the {noun} and be {adjective}",
    "No {noun} of the {noun} was ever so {adjective}",
    "He is too {adjective} to {verb} a {noun}",
    "'Tis {adjective}; the {noun} did {verb} the {noun}",
    "And every {noun} shall {verb} my {adjective} {noun}",
    "Good {noun}, thy {noun} is {adjective}--{verb} it",
)
WORDS = {
    "noun": (
        "bread", "oven", "cousin", "garden", "letter", "brother", "fortune", "heaven", "honour", "prison", "quarrel",
        "ribbon", "sailor", "tongue", "usurer", "widow", "year", "zeal", "jest", "fool",
    ),
    "verb": ("pardon", "kiss", "mock", "praise", "know", "question", "pluck", "banish", "fetch", "visit"),
    "adjective": ("sweet", "merry", "jealous", "proud", "quick", "exiled", "foul", "honest", "vexed", "drowsy"),
}  # fmt: skip


def sample(directory: Path, seed: int) -> None:
    """Compose a play of 500 lines: a speaker, one to four lines of speech, a blank line."""
    rng = np.random.default_rng(seed)
    lines: list[str] = []
    while len(lines) < SAMPLE_ROWS["lines"]:
        speech = [f"{_line(rng)}{_one((',', ';', '.', '?', '!', ':'), rng)}" for _ in range(rng.integers(1, 5))]
        lines += [f"{_one(SPEAKERS, rng)}:", *speech, ""]
    play = "\n".join(lines[: SAMPLE_ROWS["lines"]]) + "\n"
    (directory / FILES[0].name).write_bytes(play.encode())


def _one(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[rng.integers(len(choices))]


def _line(rng: np.random.Generator) -> str:
    """One of the patterns with a word of its kind for each name in braces, its first letter a capital."""
    pattern = _one(LINES, rng)
    for kind, words in WORDS.items():
        while f"{{{kind}}}" in pattern:
            pattern = pattern.replace(f"{{{kind}}}", _one(words, rng), 1)
    return pattern[0].upper() + pattern[1:]


def load(directory: Path) -> Text:
    """The text; a HandbookError says what is wrong with the file."""
    return texts.read(directory / FILES[0].name)


def facts(directory: Path) -> pd.DataFrame:
    """The table that the suite looks at, a row a line: its length, its kind, whether it repeats an earlier one."""
    return text_suites.facts(directory / FILES[0].name, ALPHABET, _kinds)


def _kinds(lines: Sequence[str]) -> list[str]:
    """Blank, a speaker (what ends in a colon below a blank line, or above all), or a line of speech."""
    above = ["", *lines]
    return [
        "blank" if not line.strip() else "speaker" if line.endswith(":") and not before.strip() else "speech"
        for before, line in zip(above, lines, strict=False)
    ]


def expectations(sample: bool = False) -> list[Any]:
    """What must hold for the table of facts: the suite of Great Expectations."""
    return text_suites.expectations(
        Habits(
            "text",
            lines=(SAMPLE_ROWS if sample else ROWS)["lines"],
            characters=(11_000, 16_000) if sample else (1_075_394, 1_075_394),  # 1,115,394 less the 40,000 line ends
            longest=63,
            alphabet=ALPHABET,
            without="no digit but the 3 of a king's title, no tab, no carriage return, no mark of another edition",
            copies=(0, 20) if sample else (13, 13),
            shares=SAMPLE_SHARES if sample else SHARES,
            block="speech",
        )
    )
