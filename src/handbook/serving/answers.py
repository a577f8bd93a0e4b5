"""Where the answers to a user's inputs go: whole files or none, the good apart from the bad."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from handbook.errors import HandbookError
from handbook.files.fresh import usual
from handbook.serving.inputs import Batch, Fault, is_there, legible

if TYPE_CHECKING:
    import pandas as pd


FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a formula begins with
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

    def __init__(self, output: Path | None, first: str, drawn: bool = False) -> None:
        """`first` names the column that says what an answer is to; `drawn`: the answers are pictures for a folder."""
        self.output, self.first, self.drawn = output, first, drawn
        self.errors = output.with_name(f"{output.name}.errors.csv") if output else None
        self.answered = self.failed = self.doubtful = self.listed = 0
        self.header = False
        self.drawn_as: dict[Any, int] = {}  # how often each name came
        self.fresh: dict[Path, Path] = {}  # by its place, what is written beside it

    def __enter__(self) -> Answers:
        try:
            self.table: TextIO = self._temporary(self.output) if self.output and not self.drawn else sys.stdout
            self.faults: TextIO = self._temporary(self.errors) if self.errors else sys.stderr
        except BaseException:
            self._clear()
            raise
        if self.errors:
            csv.writer(self.faults, lineterminator="\n").writerow([self.first, "column", "problem"])
        return self

    def _temporary(self, place: Path) -> TextIO:
        """A new file of its own beside a place, open to be written."""
        try:
            number, name = tempfile.mkstemp(prefix=f".{place.name[:100]}.", suffix=".new", dir=place.parent)
        except OSError as error:
            raise HandbookError(f"nothing can be written in {place.absolute().parent}: {error.strerror}") from None
        self.fresh[place] = Path(name)
        os.fchmod(number, usual(0o666))
        return os.fdopen(number, "w", newline="", encoding="utf-8", errors="backslashreplace")

    def take(self, batch: Batch, places: list[int], answers: Any, refused: list[Fault]) -> None:
        """A batch's answers and faults."""
        faults = [*batch.faults, *refused]
        for fault in faults:
            self._tell(fault)
        self.failed += len({(fault.place, fault.name) for fault in faults})
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
        answers.insert(0, self.first, [legible(name) if isinstance(name, str) else name for name in names])
        if self.first in ("file", "row"):
            answers["note"] = notes
        for name in answers.select_dtypes(exclude="number"):
            answers[name] = [harmless(cell) for cell in answers[name]]
        answers.to_csv(self.table, index=False, header=not self.header, lineterminator="\n")
        self.header = True

    def _draw(self, pictures: Any, names: list[Any]) -> None:
        """Pictures as NAME.png in a folder beside the place; where a name comes again, as NAME-2.png and so on."""
        from PIL import Image

        assert self.output  # `predict` sees to that
        if self.output not in self.fresh:
            self.fresh[self.output] = Path(tempfile.mkdtemp(prefix=".", suffix=".new", dir=self.output.parent))
            self.fresh[self.output].chmod(usual(0o777))
        for name, pixels in zip(names, pictures, strict=True):
            self.drawn_as[name] = count = self.drawn_as.get(name, 0) + 1
            file = f"{name}.png" if count == 1 else f"{name}-{count}.png"
            Image.fromarray(pixels).save(self.fresh[self.output] / file)

    def _tell(self, fault: Fault) -> None:
        name = legible(fault.name)
        if self.errors:
            row = [name, fault.column, legible(fault.problem)]
            csv.writer(self.faults, lineterminator="\n").writerow(map(harmless, row))
            return
        self.listed += 1
        if self.listed <= LISTED_FAULTS:
            column = f", column {fault.column!r}" if fault.column else ""
            print(f"{self.first} {name}{column}: {legible(fault.problem)}", file=self.faults)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._clear()

    def _finish(self) -> None:
        """Move in what was written, in the place of regular files alone."""
        if not self.output or not self.errors:
            if self.listed > LISTED_FAULTS:
                print(f"and {self.listed - LISTED_FAULTS:,} more", file=self.faults)
            return
        if not self.header and not self.drawn:  # nothing was answered: the table says so
            csv.writer(self.table, lineterminator="\n").writerow([self.first])
        for stream in (self.table, self.faults):
            if stream not in (sys.stdout, sys.stderr):
                stream.close()
        refuse_place(self.output, (), self.drawn)  # once more, since it may have changed in the meantime
        if self.drawn and self.output in self.fresh:
            _fill(self.output, self.fresh.pop(self.output))
        elif not self.drawn:
            self.fresh.pop(self.output).replace(self.output)
        if self.failed:
            self.fresh.pop(self.errors).replace(self.errors)
        else:
            self.errors.unlink(missing_ok=True)  # of an earlier run

    def _clear(self) -> None:
        """Nothing half-written is left."""
        for stream in (getattr(self, "table", sys.stdout), getattr(self, "faults", sys.stderr)):
            if stream not in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError):  # of a full disk, which is said by what it stopped
                    stream.close()
        for fresh in self.fresh.values():
            shutil.rmtree(fresh) if fresh.is_dir() else fresh.unlink(missing_ok=True)

    def outcome(self, title: str) -> Outcome:
        errors = self.errors if self.failed else None
        return Outcome(title, self.answered, self.failed, self.doubtful, self.output, errors)


def harmless(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: a text that begins like one gets an apostrophe before it.

    What is a number stays as it is. OWASP, "CSV Injection".
    """
    if not isinstance(cell, str) or not cell.startswith(FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def _fill(folder: Path, fresh: Path) -> None:
    """Move pictures into a folder, which is made if it is not there; HandbookError before any where one cannot go."""
    if not folder.exists():
        fresh.rename(folder)
        return
    for picture in fresh.iterdir():
        _refuse_odd(folder / picture.name)
    for picture in fresh.iterdir():
        picture.replace(folder / picture.name)
    fresh.rmdir()


def refuse_place(output: Path, given: Sequence[str], folder: bool) -> None:
    """HandbookError where the answers cannot go: no folder to lie in, in the place of what they are made from, or of
    what is no regular file."""
    try:
        there = output.absolute().parent.is_dir()
        is_folder = output.is_dir()
    except (OSError, ValueError) as error:
        raise HandbookError(f"{str(output)[:100]!r} cannot be the name of a file: {error}") from None
    if not there:
        raise HandbookError(
            f"{output.absolute().parent} is not there, and {output.name} should lie in it. Make it first"
        )
    if is_folder and not folder:
        raise HandbookError(f"{output} is a folder; expected the name of a CSV file to write")
    if folder and not is_folder and (output.exists() or output.is_symlink()):
        raise HandbookError(f"{output} is no folder; expected the name of one, there or not, for the pictures")
    if not folder:
        _refuse_odd(output)
        if any(is_there(each) and output.exists() and output.samefile(each) for each in given):
            raise HandbookError(f"{output} is what is to be predicted. Name another file for the answers")
    _refuse_odd(output.with_name(f"{output.name}.errors.csv"))


def _refuse_odd(place: Path) -> None:
    """HandbookError for a link, a device, a pipe, a folder: nothing of these is ever replaced by a file."""
    if place.is_symlink() or (place.exists() and not place.is_file()):
        kind = "a link" if place.is_symlink() else "a folder" if place.is_dir() else "a device or pipe"
        raise HandbookError(
            f"{place} is {kind}; only a regular file is replaced by answers. Name another, or leave --output out to "
            "have them on stdout"
        )


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
