"""CSV text, a record at a time: whatever is wrong with one, the next is found, and each is counted."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
import zlib
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from itertools import chain, islice
from pathlib import Path
from typing import Any

from handbook.data import unpacking
from handbook.errors import HandbookError
from handbook.files import encodings
from handbook.serving.inputs.batch import legible

SEPARATORS = (",", ";", "\t", "|")
LONGEST = 1 << 20  # characters of a line: a thousand columns of a thousand
START = 64  # bytes by which another encoding is known
BINARY = {b"PK\x03\x04": "a zip archive, as Excel's workbooks are", b"\xd0\xcf\x11\xe0": "an old Excel workbook",
          b"\x1f\x8b": "packed by gzip and should be called .gz", b"PAR1": "a Parquet file",
          b"ARROW1": "an Arrow file", b"%PDF": "a PDF"}  # fmt: skip
AT_ONCE = 64  # lines that are tried together, as long as each may be
MOST_LINES = 100  # of one record, whose quoted texts may go over several
SAVE = "Save it as CSV in UTF-8"
NEVER_CLOSED = "the row cannot be read: a quote is opened in it and never closed"

Record = tuple[list[str], str]  # its cells, or why it has none


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """The file's text, unpacked where its name ends in .gz, and its bytes, which say how far we are."""
    where = legible(str(path))
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "no regular file" if path.exists() else "not there"
        raise HandbookError(f"{where} is {kind}. Name a CSV file")
    if path.stat().st_size == 0:
        raise HandbookError(f"{where} is empty; expected a CSV file with a header")
    try:
        with path.open("rb") as raw:
            packed: Any = unpacking.bounded(raw, path.stat().st_size) if path.suffix.lower() == ".gz" else raw
            _refuse_other(where, packed.peek(START)[:START])
            with io.TextIOWrapper(packed, encoding="utf-8-sig", newline="") as text:
                yield text, raw
    except UnicodeDecodeError as error:
        raise HandbookError(
            f"{where}{_line_of(path)} is not UTF-8 text: {error}. {SAVE}; or, if it is Latin-1, as older programmes "
            f"write, convert it: iconv -f LATIN1 -t UTF-8"
        ) from None
    except (EOFError, OSError, zlib.error) as error:
        raise HandbookError(
            f"{where} cannot be read to its end: {error}. {SAVE}, and pack it again if it is packed"
        ) from None


def _refuse_other(where: str, start: bytes) -> None:
    for mark, kind in BINARY.items():
        if start.startswith(mark):
            raise HandbookError(f"{where} is {kind}; expected a CSV file. {SAVE}")
    if name := encodings.wide(start):
        raise HandbookError(
            f"{where} is no UTF-8 text but seems to be {name}, as what Excel calls Unicode text is. {SAVE}, or convert "
            f"it: iconv -f {name} -t UTF-8 {where} > converted.csv"
        )


def _line_of(path: Path) -> str:
    """Where a file that can be opened is no UTF-8."""
    decoder, number = codecs.getincrementaldecoder("utf-8")(), 1
    with path.open("rb") as raw, contextlib.suppress(OSError, EOFError, zlib.error):
        packed: Any = unpacking.bounded(raw, path.stat().st_size) if path.suffix.lower() == ".gz" else raw
        while part := packed.readline(LONGEST):
            try:
                decoder.decode(part)
            except UnicodeDecodeError:
                return f", line {number:,},"
            number += part.endswith(b"\n")
    return ""


def checked_lines(where: str, stream: Iterable[str]) -> Iterator[str]:
    """The text's lines, of which none may be so long that it fills the memory."""
    each: Iterator[str] = (
        iter(lambda: stream.readline(LONGEST + 1), "") if hasattr(stream, "readline") else iter(stream)
    )
    for line in each:
        if len(line) > LONGEST:
            raise HandbookError(f"{where} has a line of more than {LONGEST:,} characters; expected a CSV file")
        yield line


def table(
    where: str, lines: Iterator[str], expected: Sequence[str], separator: str | None, prose: Collection[str] = ()
) -> tuple[list[str], Iterator[Record]]:
    """The columns' names as the text has them, and its records; those of `expected` are all there, and each once.

    The separator is what Excel's first line `sep=;` says, or the one by which the header names most columns, if none is
    given. Of the expected columns only those of `prose` may hold line breaks.
    """
    first, stated = head(where, lines, expected)
    header, mark = _header(where, first, list(expected), separator or stated)
    whole = {name for name in expected if name not in prose}
    return header, records(lines, mark, header, [k for k, name in enumerate(header) if name in whole])


def head(where: str, lines: Iterator[str], expected: Sequence[str]) -> tuple[str, str]:
    """The line with the columns' names, and the separator that Excel's first line states, if there is one."""
    first, stated = next((line for line in lines if line.strip("\ufeff \r\n")), "").removeprefix("\ufeff"), ""
    if found := re.fullmatch(r"\"?sep=(.)\"?\s*", first):
        stated, first = found[1], next((line for line in lines if line.strip()), "")
    if not first:
        raise HandbookError(f"{where} is empty; expected a CSV file with a header, {', '.join(expected)}")
    if "\0" in first:
        raise HandbookError(f"{where} is no text: NUL bytes stand in its header. {SAVE}")
    return first, stated


def _header(where: str, line: str, expected: list[str], separator: str | None) -> tuple[list[str], str]:
    """The columns' names as the file has them, and the separator between them."""

    def split(mark: str) -> list[str]:
        return [name.strip() for name in parsed(line, mark)[0]]

    separator = separator or max(SEPARATORS, key=lambda mark: len(set(expected) & set(split(mark))))
    cells, problem = parsed(line, separator)
    if problem:
        raise HandbookError(f"{where}, its header: {problem.replace('the row', 'the line')}. {SAVE}")
    found = [name.strip() for name in cells]
    missing = [name for name in expected if name not in found]
    if missing:
        listing = "".join(f"\n  {name!r}{_near(name, found, expected)}" for name in missing)
        raise HandbookError(
            f"{where} lacks {len(missing)} of {len(expected)} columns:{listing}\n"
            f"  expected {', '.join(expected)}, in any order\n"
            f"  found    {', '.join(found) or 'nothing'} (separator {separator!r}; name another with --delimiter)"
        )
    twice = [name for name in expected if found.count(name) > 1]
    if twice:
        raise HandbookError(f"{where} has column {twice[0]!r} {found.count(twice[0])} times. Keep one of them")
    return found, separator


def _near(name: str, found: list[str], expected: list[str]) -> str:
    """What the missing column may be called in the file."""
    strange = {each.lower(): each for each in found if each not in expected}
    near = get_close_matches(name.lower(), list(strange), n=1)
    return f" (is it {strange[near[0]]!r}? Rename that)" if near else ""


def parsed(text: str, mark: str) -> Record:
    """The cells of one record, or why it has none."""
    if "\0" in text:
        return [], "the row cannot be read: a NUL byte stands in it"
    try:
        return next(csv.reader((text,), delimiter=mark, strict=True), []), ""
    except csv.Error as error:
        problem = str(error)
    return [], NEVER_CLOSED if problem == "unexpected end of data" else f"the row cannot be read: {problem}"


def records(lines: Iterator[str], mark: str, header: list[str], unbroken: list[int]) -> Iterator[Record]:
    """Each record, blank lines left out.

    A quoted text may go over several lines, but in no column of `unbroken`: where it seems to, a quote was left open,
    and the row that it was opened in is lost alone. What comes after is read as if it had been closed.
    """
    while some := list(islice(lines, AT_ONCE)):
        quick = _line_by_line(some, mark)
        if quick is None:
            yield from _carefully(deque(some), lines, mark, header, unbroken)
        else:
            yield from (_fitting((cells, ""), header) for cells in quick if cells)


def _line_by_line(some: list[str], mark: str) -> list[list[str]] | None:
    """The cells of each line, if every line is a record of its own and none is damaged."""
    if any("\0" in line for line in some):
        return None
    try:
        found = list(csv.reader(some, delimiter=mark, strict=True))
    except csv.Error:
        return None
    return found if len(found) == len(some) else None


def _carefully(
    waiting: deque[str], lines: Iterator[str], mark: str, header: list[str], unbroken: list[int]
) -> Iterator[Record]:
    """The records of the lines that wait, and of those behind them that they go over to."""

    def following() -> str | None:
        return waiting.popleft() if waiting else next(lines, None)

    while waiting:
        line = waiting.popleft()
        if not line.strip("\r\n"):
            continue
        record = parsed(line, mark)
        if record[1] == NEVER_CLOSED:
            record, block = _continued(line, following, mark)
            if record[1] or len(record[0]) != len(header) or any(_breaks(record[0][k]) for k in unbroken):
                waiting.extendleft(reversed(block[1:]))
                record = [], NEVER_CLOSED
        yield _fitting(record, header)


def _continued(line: str, following: Callable[[], str | None], mark: str) -> tuple[Record, list[str]]:
    """The record that begins with a line in which a quote stays open, and its lines."""
    block, record = [line], ([""], NEVER_CLOSED)
    while record[1] == NEVER_CLOSED and len(block) < MOST_LINES and (more := following()) is not None:
        block.append(more)
        if '"' in more:
            record = parsed("".join(block), mark)
    return record, block


def _breaks(cell: str) -> bool:
    return "\n" in cell or "\r" in cell


def _fitting(record: Record, header: list[str]) -> Record:
    """The record, if it has a cell for each column and does not only name the columns once more."""
    cells, problem = record
    if problem:
        return record
    if len(cells) == len(header):
        if cells[0].strip() != header[0] or [cell.strip() for cell in cells] != header:
            return record
        return [], "the header stands here once more. Take this row out"
    advice = ". Put what holds a separator between double quotes" if len(cells) > len(header) else ""
    return [], f"expected {len(header)} cell{'s' * (len(header) > 1)}, found {len(cells)}{advice}"


def numbered(found: Iterable[Record]) -> Iterator[tuple[int, list[str], str]]:
    """Records with their numbers, from 1 on."""
    return ((number, cells, problem) for number, (cells, problem) in enumerate(found, start=1))


def peeked(where: str, found: Iterator[Record]) -> Iterator[Record]:
    """The records; HandbookError where there is none."""
    first = next(found, None)
    if first is None:
        raise HandbookError(f"{where} has a header but no row. Put the rows below it")
    return chain([first], found)
