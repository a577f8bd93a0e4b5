"""A claim: what the book prints, what comes out here, and whether the two agree to the precision of the print.

What is printed stays text, since its digits say how exact it is meant: "0.545" holds for what rounds to it. Numbers may
be negative, have a comma between thousands, a per cent sign or an exponent (4e6); lists and matrices are read number by
number. A statement in words is "yes" or "no", or the range that it comes to, such as "0 to 1", "above 1", "at least 3",
with bounds of our own; anything else is a word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from handbook.data.provenance import PROVENANCE

Verdict = Literal["right", "wrong", "another problem's", "cannot be checked"]
JUDGEMENTS: tuple[Verdict, ...] = ("right", "wrong", "another problem's", "cannot be checked")
Value: TypeAlias = Any  # a bool, a word, a number, or numbers in any nesting

NUMBER = r"[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?"
RANGE = re.compile(rf"({NUMBER}) to ({NUMBER})")
BOUND = re.compile(rf"(above|below|at least|at most) ({NUMBER}(?: %)?)")
STATEMENTS = {"yes": True, "no": False}


@dataclass(frozen=True)
class Kept:
    """A result that the pipeline keeps: a file below `reports/`, keys to the number in it, what it is divided by."""

    file: str
    keys: tuple[str, ...]
    by: Kept | None = None

    def read(self, reports: Path) -> Value | None:
        """The number, or None before it was measured."""
        path = reports / self.file
        found: Any = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        for key in self.keys:
            found = found.get(key) if isinstance(found, dict) else None
        if self.by is None or found is None:
            return found
        other = self.by.read(reports)
        return None if other is None else found / other

    def of_samples(self, reports: Path) -> bool:
        """Whether it was measured on data that were drawn in the place of real ones."""
        return _of_samples(reports / self.file)


@dataclass(frozen=True)
class Data:
    """What is counted in a dataset's files, which a checkout has if it has fetched them."""

    dataset: str
    count: Callable[[Path], Value]

    def read(self, reports: Path) -> Value | None:
        """The count, or None where the data are not there."""
        folder = reports.parent / "data" / self.dataset
        return self.count(folder) if (folder / PROVENANCE).exists() else None

    def of_samples(self, reports: Path) -> bool:
        """Whether these are drawn in the place of the real ones."""
        return _of_samples(reports / self.dataset / "validation.json")


def _of_samples(path: Path) -> bool:
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return bool(found.get("data", "real") != "real")


def metric(case: str, *keys: str) -> Kept:
    """A number of a case's evaluation."""
    return Kept(f"{case}/metrics.json", keys)


def check(lab: str, name: str) -> Kept:
    """A measured fact of a lab."""
    return Kept(f"labs/{lab}/checks.json", (name,))


def rows(dataset: str) -> Kept:
    """The rows that passed a dataset's gate."""
    return Kept(f"{dataset}/validation.json", ("rows",))


Ours: TypeAlias = Callable[[], Value] | Kept | Data


@dataclass(frozen=True)
class Claim:
    """A line of the ledger; `interval` is for a result that no seed pins: what is printed may lie anywhere in it."""

    section: str
    what: str
    printed: str
    ours: Ours | None
    verdict: Verdict
    reason: str
    interval: Kept | None = None

    def value(self, reports: Path) -> Value | None:
        """What comes out here; None if nothing can, or if a result of the pipeline is not there yet."""
        if isinstance(self.ours, Kept | Data):
            return self.ours.read(reports)
        return self.ours() if self.ours else None

    def agrees(self, value: Value, reports: Path) -> bool:
        """Whether what is printed is what comes out, as far as it is printed or can be repeated."""
        if self.interval and (bounds := self.interval.read(reports)):
            (printed, half), *_ = numbers(self.printed)
            return bool(bounds[0] - half <= printed <= bounds[1] + half)
        return agrees(self.printed, value)

    def shown(self, reports: Path) -> str:
        """What comes out here, as the table shows it."""
        value = self.value(reports)
        if value is None:
            return "–"
        of_samples = isinstance(self.ours, Kept | Data) and self.ours.of_samples(reports)
        return written(self.printed, value) + (" (sample)" if of_samples else "")


def right(section: str, what: str, printed: str, ours: Ours, reason: str) -> Claim:
    """A claim that holds."""
    return Claim(section, what, printed, ours, "right", reason)


def wrong(section: str, what: str, printed: str, ours: Ours, reason: str) -> Claim:
    """A claim that does not."""
    return Claim(section, what, printed, ours, "wrong", reason)


def foreign(section: str, what: str, printed: str, ours: Ours, reason: str) -> Claim:
    """An answer to a question other than the one that stands beside it."""
    return Claim(section, what, printed, ours, "another problem's", reason)


def unchecked(section: str, what: str, printed: str, reason: str) -> Claim:
    """A claim that nothing printed allows to check."""
    return Claim(section, what, printed, None, "cannot be checked", reason)


def numbers(printed: str) -> Iterator[tuple[float, float]]:
    """Each number of a text, with half a unit of its last printed digit."""
    share = 0.01 if "%" in printed else 1.0
    for text in re.findall(NUMBER, printed):
        plain = text.replace(",", "").replace("−", "-")
        mantissa, _, exponent = plain.partition("e")
        last = int(exponent or 0) - len(mantissa.partition(".")[2])
        yield float(plain) * share, 0.5 * 10.0**last * share


def agrees(printed: str, value: Value) -> bool:
    """Whether a value is what is printed, to the last printed digit."""
    if isinstance(value, bool | np.bool_):
        return STATEMENTS.get(printed) == bool(value)
    if isinstance(value, str):
        return value == printed
    flat = [float(each) for each in np.ravel(np.asarray(value, dtype=float))]
    if found := RANGE.fullmatch(printed):
        (low, _), (high, _) = (next(numbers(each)) for each in found.groups())
        return all(low <= each <= high for each in flat)
    if found := BOUND.fullmatch(printed):
        bound = next(numbers(found[2]))[0]
        return all(_keeps(found[1], each, bound) for each in flat)
    expected = list(numbers(printed))
    return len(expected) == len(flat) and all(
        _rounds_to(each, number, half) for each, (number, half) in zip(flat, expected, strict=True)
    )


def _rounds_to(value: float, number: float, half: float) -> bool:
    """Whether a value is a printed number; its last digit may be rounded either way, that of a whole number may not."""
    return abs(value - number) <= half * (1 + (1e-9 if half < 0.5 else -1e-9))  # a half of a digit is no exact double


def _keeps(bound: str, value: float, limit: float) -> bool:
    if bound in ("above", "at least"):
        return value > limit or (bound == "at least" and value == limit)
    return value < limit or (bound == "at most" and value == limit)


def written(printed: str, value: Value) -> str:
    """A value in the manner of what is printed: as many digits where they agree, and four where they do not."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    array = np.asarray(value, dtype=float) * (100 if "%" in printed else 1)
    decimals = max((len(each.partition(".")[2]) for each in re.findall(r"\d+\.?\d*", printed)), default=0)
    in_a_range = RANGE.fullmatch(printed) or BOUND.fullmatch(printed)
    if in_a_range and array.size > 1:
        return f"{_number(array.min(), None)} to {_number(array.max(), None)}"
    same = agrees(printed, value) and not in_a_range
    digits = decimals if same and "e" not in printed else None
    lines = [" ".join(_number(each, digits) for each in row) for row in np.atleast_2d(array)]
    text = "; ".join(lines)
    if printed.startswith("("):
        text = f"({text.replace(' ', ', ')})"
    return text + (" %" if "%" in printed else "")


def _number(value: float, decimals: int | None) -> str:
    """With so many decimals; None: four digits."""
    if value == round(value) and abs(value) < 1e15 and not decimals:
        return f"{value + 0:,.0f}"
    return f"{value:.4g}" if decimals is None else f"{value:.{decimals}f}"
