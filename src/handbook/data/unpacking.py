"""Gzip streams, unpacked within a bound: six megabytes of one may stand for five thousand.

The bound is what the format inside promises (the header of an IDX file), or, where it promises nothing, a multiple of
the packed size that honest text stays far below.
"""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import IO, Any

from handbook.errors import HandbookError

CHUNK = 1 << 20
RATIO = 200  # times its packed size; tables of numbers and words pack to a tenth, the most monotonous to a hundredth
FREE = 64 << 20  # bytes that are unpacked whatever the ratio, since small files of one word pack to a thousandth
UNSOUND = (gzip.BadGzipFile, zlib.error)


class TooLargeError(OSError):
    """A stream that goes on beyond its bound."""


class Bounded(io.RawIOBase):
    """A gzip stream to be read once, from its start; a TooLargeError where it goes on beyond `most` bytes."""

    def __init__(self, packed: IO[bytes], most: int) -> None:
        self._stream, self._most, self._read = gzip.GzipFile(fileobj=packed), most, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read1(min(len(buffer), CHUNK))
        self._read += len(chunk)
        if self._read > self._most:
            raise TooLargeError(f"it unpacks to more than {self._most:,} bytes, which its size and format do not allow")
        buffer[: len(chunk)] = chunk
        return len(chunk)


def bounded(packed: IO[bytes], size: int) -> io.BufferedReader:
    """A stream of what `size` packed bytes may honestly hold."""
    return io.BufferedReader(Bounded(packed, max(FREE, RATIO * size)))


def read(path: Path) -> bytes:
    """A packed file's bytes; a HandbookError names a file that is unsound, cut short, or far larger than it looks."""
    try:
        with path.open("rb") as packed, bounded(packed, path.stat().st_size) as stream:
            return stream.read()
    except EOFError:
        raise HandbookError(f"{path} ends in the middle of its gzip stream: it was cut short") from None
    except (*UNSOUND, TooLargeError) as error:
        raise HandbookError(f"{path} is not a sound gzip file: {error}") from None


def unpack(path: Path, target: Path, most: int) -> None:
    """Write what a packed file holds, at most so many bytes; raises OSError, EOFError or zlib.error."""
    with path.open("rb") as packed, Bounded(packed, most) as stream, target.open("wb") as out:
        while chunk := stream.read(CHUNK):
            out.write(chunk)
