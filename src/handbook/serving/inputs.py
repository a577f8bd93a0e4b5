"""What people bring to a model: pictures, rows, prompts or seeds, read batch by batch, and every fault in them named.

A fault of one picture or row is reported beside the others; a fault of the whole (no such file, a column that is not
there) is a HandbookError before anything is predicted. Never more than a batch lies in memory.
"""

from __future__ import annotations

import contextlib
import csv
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data import unpacking
from handbook.data.tables import NAMES
from handbook.errors import HandbookError

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image


FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
SEPARATORS = (",", ";", "\t", "|")
ABSENT = ("", "NA", "N/A", "NaN", "nan", "null", "?")  # what `tables.read_csv` takes for a number that is missing
LONGEST = 1 << 20  # characters of a line: a thousand columns of a thousand
LIGHT = 127  # a border brighter than this is light ground


@dataclass(frozen=True)
class Fault:
    """Why one picture or row is not predicted: which, in which column, and what is wrong with it."""

    name: str
    column: str
    problem: str


@dataclass
class Batch:
    """So many inputs that can be predicted, what is odd about them, those that cannot, and how much was read."""

    names: list[Any]
    data: Any  # (N, 28, 28) uint8, or a DataFrame of N rows
    notes: list[str]
    faults: list[Fault] = field(default_factory=list)
    read: int = 0  # pictures, or bytes of the file


@dataclass(frozen=True)
class Column:
    """What a column must hold: its type, and the words that training saw, or None where it holds numbers."""

    kind: type
    words: frozenset[str] | None = None


def picture_files(given: Sequence[Path]) -> list[Path]:
    """The files themselves, and the PNG and JPEG files in the folders, by name; HandbookError where there is none."""
    files: list[Path] = []
    for path in given:
        if not path.exists():
            raise HandbookError(f"{path} is not there. Name a PNG or JPEG file, several, or a folder of them")
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        pictures = [each for each in inside if each.suffix.lower() in FORMATS and each.is_file()]
        if path.is_dir() and not pictures:
            raise HandbookError(f"{path} holds no PNG or JPEG file, {len(inside)} of other kinds")
        files += pictures if path.is_dir() else [path]
    return files


def pictures(files: Sequence[Path], shape: tuple[int, ...], size: int) -> Iterator[Batch]:
    """Batches of pictures (N, *shape) uint8; colour and transparency are resolved, another size is a fault."""
    left = iter(files)
    while chosen := list(islice(left, size)):
        batch = Batch([], [], [], read=len(chosen))
        for path in chosen:
            try:
                pixels = _pixels(path, shape)
            except ValueError as problem:
                batch.faults.append(Fault(str(path), "", str(problem)))
            else:
                batch.names.append(str(path))
                batch.data.append(pixels)
                batch.notes.append(_oddity(pixels))
        batch.data = np.stack(batch.data) if batch.data else np.zeros((0, *shape), np.uint8)
        yield batch


def _pixels(path: Path, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """One picture; ValueError says why it is none, or not as it must be."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    if path.stat().st_size == 0:
        raise ValueError("the file is empty")
    try:
        with Image.open(path, formats=tuple(set(FORMATS.values()))) as opened:
            height, width = shape[:2]
            if {opened.width, opened.height} != {width, height}:  # before the pixels are unpacked, however many
                raise ValueError(
                    f"expected {width} x {height} pixels, found {opened.width} x {opened.height}. Crop it to what it "
                    f"shows and scale it to {width} x {height}"
                )
            pixels = _resolved(ImageOps.exif_transpose(opened), colour=len(shape) == 3)
    except UnidentifiedImageError:
        raise ValueError("expected a PNG or JPEG file, found something else, or one that was cut short") from None
    except (OSError, SyntaxError) as error:  # SyntaxError is what Pillow calls a damaged PNG
        raise ValueError(f"the picture cannot be read to its end, it is damaged or cut short ({error})") from None
    if pixels.shape != shape:
        raise ValueError(f"expected {width} x {height} pixels, found {pixels.shape[1]} x {pixels.shape[0]}")
    return pixels


def _resolved(picture: Image.Image, colour: bool) -> npt.NDArray[np.uint8]:
    """Grey or RGB of 0-255, whatever it was: 16 bits scaled down, transparent parts black as the ground is."""
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits a pixel, which Pillow would cut off at 255
        grey = np.asarray((np.asarray(picture, dtype=np.float64) / 257).round(), dtype=np.uint8)
        picture = Image.fromarray(grey)
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", seen.size, (0, 0, 0, 255)), seen)
    return np.asarray(picture.convert("RGB" if colour else "L"), dtype=np.uint8)


def _oddity(pixels: npt.NDArray[np.uint8]) -> str:
    """What makes an answer doubtful: nothing to be seen, or dark on light."""
    if pixels.min() == pixels.max():
        return "all of one tone: nothing is shown"
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return "light ground: the model learnt from light things on black" if np.median(border) > LIGHT else ""


def rows(path: Path, columns: Mapping[str, Column], size: int, separator: str | None = None) -> Iterator[Batch]:
    """Batches of a CSV's rows as DataFrames with just `columns`; a row's name is its number, from 1 on.

    The separator is the one by which the header names most columns, if none is given. Raises HandbookError for a file
    that is none, a header that lacks a column or has it twice, and for a file without rows.
    """
    with _opened(path) as (stream, raw):
        text = _lines(path, stream)
        header, separator = _header(path, next(text, ""), list(columns), separator)
        lines = csv.reader(text, delimiter=separator, strict=True)
        number, before = 0, 0
        for cells, broken in _chunks(path, lines, size):
            batch = _batch(cells, number, header, columns)
            number += len(cells)
            if broken:
                number += 1
                batch.faults.append(Fault(str(number), "", broken))
            batch.read, before = raw.tell() - before, raw.tell()
            yield batch
        if not number:
            raise HandbookError(f"{path} has a header but no row")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """The file's text, unpacked where its name ends in .gz, and its bytes, which say how far we are."""
    if not path.is_file():
        raise HandbookError(f"{path} is {'a folder' if path.is_dir() else 'not there'}. Name a CSV file")
    if path.stat().st_size == 0:
        raise HandbookError(f"{path} is empty; expected a CSV file with a header")
    with path.open("rb") as raw:
        packed: Any = unpacking.bounded(raw, path.stat().st_size) if path.suffix == ".gz" else raw
        with io.TextIOWrapper(packed, encoding="utf-8-sig", newline="") as text:
            try:
                yield text, raw
            except UnicodeDecodeError as error:
                raise HandbookError(f"{path} is not UTF-8 text: {error}. Save it as CSV in UTF-8") from None
            except (EOFError, OSError, zlib.error) as error:
                raise HandbookError(f"{path} cannot be read to its end: {error}") from None


def _lines(path: Path, stream: Any) -> Iterator[str]:
    """The text's lines, of which none may be so long that it fills the memory."""
    while line := stream.readline(LONGEST + 1):
        if len(line) > LONGEST:
            raise HandbookError(f"{path} has a line of more than {LONGEST:,} characters; expected a CSV file")
        yield line


def _header(path: Path, line: str, expected: list[str], separator: str | None) -> tuple[list[str], str]:
    """The columns' names as the file has them, and the separator between them."""

    def split(mark: str) -> list[str]:
        try:
            return [name.strip() for name in next(csv.reader([line], delimiter=mark, strict=True), [])]
        except csv.Error:
            return []

    separator = separator or max(SEPARATORS, key=lambda mark: len(set(expected) & set(split(mark))))
    found = split(separator)
    missing = [name for name in expected if name not in found]
    if missing:
        listing = "".join(f"\n  {name!r}{_near(name, found, expected)}" for name in missing)
        raise HandbookError(
            f"{path} lacks {len(missing)} of {len(expected)} columns:{listing}\n"
            f"  expected {', '.join(expected)}, in any order\n"
            f"  found    {', '.join(found) or 'nothing'} (separator {separator!r}; name another with --delimiter)"
        )
    twice = [name for name in expected if found.count(name) > 1]
    if twice:
        raise HandbookError(f"{path} has column {twice[0]!r} {found.count(twice[0])} times. Keep one of them")
    return found, separator


def _near(name: str, found: list[str], expected: list[str]) -> str:
    """What the missing column may be called in the file."""
    strange = {each.lower(): each for each in found if each not in expected}
    near = get_close_matches(name.lower(), list(strange), n=1)
    return f" (is it {strange[near[0]]!r}? Rename that)" if near else ""


def _chunks(path: Path, lines: Any, size: int) -> Iterator[tuple[list[list[str]], str]]:
    """So many lines at a time; where the text breaks off inside a quotation, its last words are why."""
    while True:
        chunk: list[list[str]] = []
        broken = ""
        try:
            chunk.extend(islice(filter(None, lines), size))  # an empty line is no row
        except csv.Error as error:
            broken = f"the row cannot be read: {error}"
        if chunk or broken:
            yield chunk, broken
        if len(chunk) < size and not broken:
            return


def _batch(cells: list[list[str]], before: int, header: list[str], columns: Mapping[str, Column]) -> Batch:
    """The rows that hold what they must, each of its type; and the faults of the others."""
    import pandas as pd

    names = [before + k + 1 for k in range(len(cells))]
    whole = [len(line) == len(header) for line in cells]
    faults = [
        Fault(str(name), "", f"expected {len(header)} cells, found {len(line)}")
        for name, line, fits in zip(names, cells, whole, strict=True)
        if not fits
    ]
    kept = [k for k, fits in enumerate(whole) if fits]
    text = pd.DataFrame([cells[k] for k in kept], columns=header, dtype="str")
    index = pd.Index([names[k] for k in kept])
    good = np.ones(len(kept), dtype=bool)
    parsed: dict[str, pd.Series] = {}
    notes = np.full(len(kept), "", dtype=object)
    for name, column in columns.items():
        parsed[name], problems = _typed(text[name], column)
        good[list(problems)] = False
        faults += [Fault(str(index[k]), name, problem) for k, problem in problems.items()]
        if column.words is not None:
            for k in np.flatnonzero(~text[name].isin(column.words)):
                notes[k] += ("; " if notes[k] else "") + f"unknown {name} {text[name].iloc[k]!r} counts as none"
    data = pd.DataFrame(parsed)[good]
    for name, column in columns.items():
        if column.kind is int:
            data[name] = data[name].astype("int64")
    faults.sort(key=lambda fault: int(fault.name))
    return Batch(index[good].tolist(), data.reset_index(drop=True), notes[good].tolist(), faults)


def _typed(cells: pd.Series, column: Column) -> tuple[pd.Series, dict[int, str]]:
    """A column's values, and what is wrong with its cells, by position."""
    import pandas as pd

    if column.kind is str:
        return cells, {int(k): "the value is missing" for k in np.flatnonzero(cells == "")}
    cells = cells.str.strip()
    numbers = pd.to_numeric(cells.where(~cells.isin(ABSENT)), errors="coerce").astype("float64")
    finite = np.isfinite(numbers.to_numpy())
    wrong = ~finite | ((numbers % 1 != 0) | (numbers.abs() >= 2**63)) if column.kind is int else ~finite
    problems: dict[int, str] = {}
    for k in np.flatnonzero(wrong):
        cell = cells.iloc[k]
        absent = cell in ABSENT
        problems[int(k)] = "the value is missing" if absent else f"expected {NAMES[column.kind]}, found {cell!r}"
    return numbers, problems


def requests(given: Sequence[str], column: str, size: int, bare: bool = False) -> Iterator[Batch]:
    """Batches of prompts or seeds as a DataFrame with that column: given as they are, or the rows of one CSV file.

    `bare`: the column alone, as an array (N,).
    """
    import pandas as pd

    if len(given) == 1 and given[0].endswith(".csv"):
        with _opened(Path(given[0])) as (stream, _):
            table = pd.read_csv(stream)
        if column not in table:
            raise HandbookError(f"{given[0]} lacks column {column!r}; it has {', '.join(map(str, table.columns))}")
    else:
        table = pd.DataFrame({column: [_seed(each) for each in given] if column == "seed" else list(given)})
    for start in range(0, len(table), size):
        part = table.iloc[start : start + size].reset_index(drop=True)
        data = part[column].to_numpy() if bare else part
        yield Batch(part[column].tolist(), data, [""] * len(part), read=len(part))


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise HandbookError(
            f"expected a seed, a whole number from 0 on, or a CSV file with a column seed; found {text!r}"
        )
    return int(text)
