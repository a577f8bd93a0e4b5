"""Files by http: resumed where they broke off, bounded in bytes and seconds, taken out of archives, never trusted.

Whatever a host does, what comes of it is a file to be checked by its sha256, or one of `network.FAULTS`.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from handbook.data import unpacking
from handbook.data.network import Network, RefusedError, said
from handbook.errors import HandbookError

CHUNK = 1 << 20
SLOWEST = 1024  # bytes a second, over PACE_SECONDS: below that 30 MB would take eight hours
PACE_SECONDS = 30.0
MOST = 1 << 30  # bytes of one file, seven times the largest that is pinned
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, KeyError, RuntimeError, EOFError, ValueError, OSError)


def download(url: str, part: Path, network: Network, right: Callable[[Path], bool]) -> None:
    """Bring a file by http to `part`, going on where an earlier try broke off if the host can; raises one of FAULTS.

    `right` knows the wanted file: what lies there from another try and is not its beginning is brought again, and what
    a host has packed for the way is unpacked.
    """
    address, *members = url.split("#")
    if members:
        _download_member(address, members, part, network)
        return
    resumed = part.exists()
    packed = _bring(address, part, network)
    if resumed and not right(part):
        part.unlink(missing_ok=True)
        packed = _bring(address, part, network)
    if packed and not right(part):
        fresh = part.with_name(f"{part.name}.unpacked")
        try:
            unpacking.unpack(part, fresh, MOST)
            fresh.replace(part)
        finally:
            fresh.unlink(missing_ok=True)


def _bring(address: str, part: Path, network: Network) -> bool:
    """Bring the body of the answer, or the rest of it; whether the host says that it is packed."""
    have = part.stat().st_size if part.exists() else 0
    try:
        answer = network.open(address, have)
    except RefusedError as error:
        if error.code != 416 or not have:  # 416: nothing beyond what is there already
            raise
        return False
    with answer:
        resumed = bool(have) and answer.status == 206
        if resumed and not (answer.headers.get("Content-Range") or f"bytes {have}-").startswith(f"bytes {have}-"):
            raise OSError(f"asked for the bytes from {have:,} on, the answer is of others")
        have = have if resumed else 0
        length = _length(answer.headers)
        total = have + length if length else 0
        with part.open("ab" if resumed else "wb") as out, bar(part.name, total, have) as shown:
            for chunk in _chunks(answer, have):
                out.write(chunk)
                shown.update(len(chunk))
    if total and part.stat().st_size < total:
        raise OSError(f"broke off after {part.stat().st_size:,} of {total:,} bytes; run again to go on")
    return (answer.headers.get("Content-Encoding") or "").strip().lower() in ("gzip", "x-gzip")


def _length(headers: Any) -> int:
    """How many bytes the body has, as far as the headers can be believed; else 0."""
    given = (headers.get("Content-Length") or "").strip()
    chunked = "chunked" in (headers.get("Transfer-Encoding") or "").lower()
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 16 and not chunked else 0


def _chunks(answer: Any, have: int) -> Iterator[bytes]:
    """The body as it comes; an OSError where it comes too slowly, or without end."""
    since, came, whole = time.monotonic(), 0, have
    while chunk := answer.read1(CHUNK):
        came, whole = came + len(chunk), whole + len(chunk)
        if whole > MOST:
            raise OSError(f"more than {MOST:,} bytes, and no end of them")
        yield chunk
        passed = time.monotonic() - since
        if passed >= PACE_SECONDS:
            if came < SLOWEST * passed:
                raise OSError(f"{came:,} bytes in {passed:.0f} seconds is too slow; run again to go on")
            since, came = time.monotonic(), 0


def _download_member(address: str, members: list[str], part: Path, network: Network) -> None:
    """Bring a zip and copy one member out of it, by its name; nothing is written where the zip says."""
    archive = part.with_name(f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.zip")
    download(address, archive, network, zipfile.is_zipfile)
    try:
        with contextlib.ExitStack() as stack:
            stream: Any = archive
            for member in members:
                stream = stack.enter_context(stack.enter_context(zipfile.ZipFile(stream)).open(member))
            _copy_bounded(stream, stack.enter_context(part.open("wb")))
    except BROKEN_ZIP as error:
        part.unlink(missing_ok=True)
        raise HandbookError(f"not the expected archive ({said(error)})") from None
    finally:
        archive.unlink()


def _copy_bounded(stream: IO[bytes], out: IO[bytes]) -> None:
    copied = 0
    while chunk := stream.read(CHUNK):
        copied += len(chunk)
        if copied > MOST:
            raise ValueError(f"the member unpacks to more than {MOST:,} bytes")
        out.write(chunk)


def bar(name: str, total: int, done: int = 0, unit: str = "B", shown: bool = True) -> Any:
    """A progress bar where somebody looks on, of bytes or of other units."""
    from tqdm import tqdm

    return tqdm(
        total=total or None, initial=done, desc=name, unit=unit, unit_scale=True, leave=False,
        disable=not (shown and sys.stderr.isatty()),
    )  # fmt: skip
