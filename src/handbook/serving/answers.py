"""Where the answers to a user's inputs go: whole files or none, the good apart from the bad."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from handbook.errors import HandbookError
from handbook.serving.inputs import Batch, Fault

if TYPE_CHECKING:
    import pandas as pd


LISTED_FAULTS = 20  # faults that are shown where no file lists them all


@dataclass(frozen=True)
class Outcome:
    """How a prediction ended: answers that were written, inputs that failed, and where both are."""

    title: str
    answered: int
    failed: int
    doubtful: int
    output: Path | None
    errors: Path | None


class Answers:
    """Where answers and faults go: files written beside their places and moved in at the end, or stdout and stderr."""

    def __init__(self, output: Path | None, first: str) -> None:
        self.output, self.first = output, first
        self.errors = output.with_name(f"{output.name}.errors.csv") if output else None
        self.answered = self.failed = self.doubtful = 0
        self.header = False
        self.pictures = False

    def __enter__(self) -> Answers:
        self.table: TextIO = _temporary_file(self.output) if self.output else sys.stdout
        self.faults: TextIO = _temporary_file(self.errors) if self.errors else sys.stderr
        if self.errors:
            csv.writer(self.faults, lineterminator="\n").writerow([self.first, "column", "problem"])
        return self

    def take(self, batch: Batch, places: list[int], answers: Any, refused: list[Fault]) -> None:
        """A batch's answers and faults."""
        for fault in [*batch.faults, *refused]:
            self._tell(fault)
        self.failed += len({fault.name for fault in [*batch.faults, *refused]})
        self.answered += len(places)
        notes = [batch.notes[k] for k in places]
        self.doubtful += sum(map(bool, notes))
        if answers is None:
            return
        names = [batch.names[k] for k in places]
        if hasattr(answers, "columns"):
            self._write(answers.reset_index(drop=True), names, notes)
        else:
            self._draw(answers, names)

    def _write(self, answers: pd.DataFrame, names: list[Any], notes: list[str]) -> None:
        answers.insert(0, self.first, names)
        if self.first in ("file", "row"):
            answers["note"] = notes
        answers.to_csv(self.table, index=False, header=not self.header, lineterminator="\n")
        self.header = True

    def _draw(self, pictures: Any, names: list[Any]) -> None:
        from PIL import Image

        assert self.output  # `predict` sees to that
        self.pictures = True
        self.output.mkdir(exist_ok=True)
        for name, pixels in zip(names, pictures, strict=True):
            Image.fromarray(pixels).save(self.output / f"{name}.png")

    def _tell(self, fault: Fault) -> None:
        if self.errors:
            csv.writer(self.faults, lineterminator="\n").writerow([fault.name, fault.column, fault.problem])
        elif self.failed < LISTED_FAULTS:
            column = f", column {fault.column!r}" if fault.column else ""
            print(f"{self.first} {fault.name}{column}: {fault.problem}", file=self.faults)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self.output or not self.errors:
            return
        if kind is None and not self.header and not self.pictures:  # nothing was answered: the table says so
            csv.writer(self.table, lineterminator="\n").writerow([self.first])
        for stream, place, wanted in (
            (self.table, self.output, not self.pictures),
            (self.faults, self.errors, self.failed > 0),
        ):
            stream.close()
            fresh = _fresh(place)
            if kind is None and wanted:
                fresh.replace(place)
            else:
                fresh.unlink(missing_ok=True)
        if kind is None and not self.failed:
            self.errors.unlink(missing_ok=True)  # of an earlier run

    def outcome(self, title: str) -> Outcome:
        errors = self.errors if self.failed else None
        return Outcome(title, self.answered, self.failed, self.doubtful, self.output, errors)


def _fresh(place: Path) -> Path:
    return place.with_name(f".{place.name}.new")


def _temporary_file(place: Path) -> io.TextIOWrapper:
    return _fresh(place).open("w", newline="", encoding="utf-8")


def summary(outcome: Outcome) -> str:
    """How it ended, in a sentence; HandbookError if anything failed."""
    where = f" in {outcome.output}" if outcome.output else ""
    text = f"{outcome.title}: {outcome.answered:,} answered{where}"
    if outcome.doubtful:
        text += f", {outcome.doubtful:,} of them doubtful: see their notes"
    if outcome.failed:
        listed = f", listed in {outcome.errors}" if outcome.errors else ""
        more = (
            f"; --output FILE lists them all, beyond the first {LISTED_FAULTS}"
            if not listed and outcome.failed > LISTED_FAULTS
            else ""
        )
        raise HandbookError(f"{text}; {outcome.failed:,} failed{listed}{more}")
    return text
