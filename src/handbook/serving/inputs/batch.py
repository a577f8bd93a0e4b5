"""What every reader of inputs gives, and what it is held against."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Tones = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Fault:
    """Why one input is not predicted: which, in which column, and what is wrong with it.

    `place` counts the inputs from 1 on where names may be the same, as those of prompts.
    """

    name: str
    column: str
    problem: str
    place: int = 0


@dataclass
class Batch:
    """So many inputs that can be predicted, what is odd about them, those that cannot, and how much was read."""

    names: list[Any]
    data: Any  # (N, 28, 28) uint8, or a DataFrame of N rows
    notes: list[str]  # "" for none
    faults: list[Fault] = field(default_factory=list)
    read: int = 0  # pictures, or bytes of the file
    places: list[int] = field(default_factory=list)  # of prompts and seeds: where each stood, from 1 on
    numbered: bool = False  # a fault names the row, since names do not say where to look

    def fault(self, k: int, problem: str) -> Fault:
        """That the input at this position was refused."""
        place = self.places[k] if self.places else 0
        return Fault(str(self.names[k]), "", f"row {place}: {problem}" if self.numbered else problem, place)


@dataclass(frozen=True)
class Column:
    """What a column must hold: its type; the words that training saw, or what numbers can be, both included."""

    kind: type
    words: frozenset[str] | None = None  # None where it holds numbers
    low: float | None = None  # None: any
    high: float | None = None


@dataclass(frozen=True)
class Form:
    """What a picture must be: its shape; the ground that things lie on, and the tones of the real ones, if stated."""

    shape: tuple[int, ...]  # (height, width), or (height, width, 3) in colour
    ground: int | None = None  # intensity 0-255; None: black, and no ground is doubted
    tones: Tones | None = None  # from and to, of the darkest intensity and of the brightest


def legible(name: str) -> str:
    """A name as UTF-8 can hold it: bytes that are none stand as \\xe9, halves of a character as \\ud800."""
    if not _has_surrogates(name):
        return name
    try:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # no system's name for anything, but a text that came as JSON
        return name.encode("utf-8", "backslashreplace").decode()


def _has_surrogates(name: str) -> bool:
    return any("\ud800" <= each <= "\udfff" for each in name)


def is_there(text: str) -> bool:
    """Whether a file or folder has this name; none can have what is empty, too long, or holds a NUL."""
    try:
        return text != "" and Path(text).exists()
    except (OSError, ValueError):
        return False
