"""Batches: files that come in after the training data, in the form of a dataset's own files.

A batch of a table is a CSV with the dataset's columns, with or without the last one, the target; a batch of pictures
is a pair `NAME-images-idx3-ubyte.gz` and `NAME-labels-idx1-ubyte.gz`. A batch is known by the sha256 of its bytes,
whatever it is called. It is copied first, and that copy is hashed, judged and kept: what becomes of the file meanwhile
changes nothing. Files that are still being written are left alone, links are not followed, and nothing is ever lost.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from handbook import contract
from handbook.data import images
from handbook.data.provenance import sha256
from handbook.errors import HandbookError

IMAGES, LABELS = "-images-idx3-ubyte.gz", "-labels-idx1-ubyte.gz"
DONE, REFUSED = "done", "refused"
FULL = (errno.ENOSPC, errno.EDQUOT)
HELD = ".held-"  # how the folders begin that our copies lie in
STRANGE = re.compile(r"[^A-Za-z0-9._-]")  # what a batch's name keeps nothing of: it becomes names of files and pages
LONGEST = 100  # characters of a file's name that the batch's keeps; records and runs add theirs, and 255 is the end


class NothingCameError(HandbookError):
    """No batch has come in: a folder that is not there, or empty."""


@dataclass(frozen=True)
class Batch:
    """Files that belong together, our copies of them, and the copies' digest."""

    name: str  # the files' common name and the digest's first eight digits
    files: tuple[Path, ...]
    sha256: str
    held: tuple[Path, ...]  # the copies, in the same order


@dataclass(frozen=True)
class Waiting:
    """What was left alone in the folder, and why."""

    path: Path
    why: str
    ours: bool = False  # what is wrong is no matter of the file: no room for a copy of it, say

    def said(self) -> str:
        return f"{shown(self.path.name)}: left alone, {self.why}"


def shown(name: str) -> str:
    """A name as it can be printed and kept as text, whatever its bytes are."""
    text = os.fsencode(name).decode(errors="backslashreplace")
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def is_table(page: ModuleType) -> bool:
    """Whether the dataset is a table; a HandbookError if it is neither that nor labelled pictures."""
    if contract.dataset(page).columns:
        return True
    if any(file.name.endswith(IMAGES) for file in page.FILES):
        return False
    name = page.__name__.rsplit(".", 1)[1]
    raise HandbookError(f"batches of {name} cannot be watched: expected a table or labelled pictures in IDX files")


def find(folder: Path, page: ModuleType, settle: float) -> tuple[list[Batch], list[Waiting]]:
    """The batches in a folder by name, copied, and what is left alone; the folder's own folders are not looked into.

    Raises NothingCameError if there is no such folder, or nothing in it; HandbookError if it cannot be read.
    """
    if not folder.is_dir():
        raise NothingCameError(f"no folder {folder}. Make it, and put batches there: {_wanted(page)}")
    try:
        paths = sorted(path for path in folder.iterdir() if path.name[0] != "." and not _is_folder(path))
        forget(*folder.glob(f"{HELD}*"))  # of a run that was cut off
    except OSError as error:
        raise HandbookError(f"{folder} cannot be read: {error.strerror}. Batches are looked for there") from None
    if not paths:
        raise NothingCameError(f"{folder} is empty: no batch has come in. Put one there: {_wanted(page)}")
    growing = _growing(paths, settle)
    batches, waiting = [], []
    for stem, files in _together(paths, page).items():
        fault = next((why for path in files for why in [growing.get(path) or _unfinished(path)] if why), None)
        fault, ours = fault or _incomplete(files, page), False
        try:
            if not fault:
                batches.append(_held(folder, stem, files))
        except OSError as error:
            ours = error.errno in FULL
            fault = f"it cannot be copied into {folder}, where it would be judged: {error.strerror or error}"
        if fault:
            waiting += [Waiting(path, fault, ours) for path in files]
    return batches, waiting


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _wanted(page: ModuleType) -> str:
    if is_table(page):
        return f"NAME.csv with the columns of {page.FILES[0].name}"
    return f"NAME{IMAGES} and NAME{LABELS}"


def digest_of(files: Iterable[Path]) -> str:
    """The sha256 of a file's bytes, or, of several files, that of their digests one after the other."""
    digests = [sha256(path) for path in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _growing(paths: list[Path], settle: float) -> dict[Path, str]:
    """Files that change while we look: those written to a moment ago are looked at again after `settle` seconds."""
    before = {path: _state(path) for path in paths}
    if any(state is not None and time.time() - state[1] / 1e9 < settle for state in before.values()):
        time.sleep(settle)
    return {path: "it is still being written" for path, state in before.items() if _state(path) != state}


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:  # renamed or taken away meanwhile
        return None
    return found.st_size, found.st_mtime_ns


def _together(paths: list[Path], page: ModuleType) -> dict[str, tuple[Path, ...]]:
    """The files by the name of their batch, the pictures before their labels."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        ends = [".csv"] if is_table(page) else [IMAGES, LABELS]
        end = next((end for end in ends if path.name.endswith(end)), "")
        found.setdefault(path.name.removesuffix(end) if end else f"{path.name}/", []).append(path)
    return {stem: tuple(files) for stem, files in found.items()}


def _unfinished(path: Path) -> str | None:
    """Why a file cannot be whole, or cannot be taken at all; else None."""
    try:
        strange = _strange(path.lstat())
        if strange:
            return strange
        if path.stat().st_size == 0:
            return "it is empty so far"
        if path.suffix == ".gz":
            if images.is_cut_short(path):
                return "its gzip stream ends in the middle, as if half written"
        elif path.suffix == ".csv":
            with path.open("rb") as stream:
                stream.seek(-1, os.SEEK_END)
                if stream.read(1) not in (b"\n", b"\0"):  # the latter is half of a last newline in UTF-16
                    return "it ends without a last newline, as if half written"
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    return None


def _strange(found: os.stat_result) -> str | None:
    """Why what has this state is not read: it may be, or become, somebody else's file."""
    if stat.S_ISLNK(found.st_mode):
        return "it is a link, and links are not followed. Put the file itself there"
    if not stat.S_ISREG(found.st_mode):
        return "it is no regular file"
    if found.st_nlink != 1:
        return f"it has {found.st_nlink} names (hard links), so that others may hold it. Put a copy there"
    return None


def _incomplete(files: tuple[Path, ...], page: ModuleType) -> str | None:
    """Why files are no batch, or None."""
    names = [path.name for path in files]
    if is_table(page):
        return None if all(name.endswith(".csv") for name in names) else f"it is no batch; expected {_wanted(page)}"
    missing = [end for end in (IMAGES, LABELS) if not any(name.endswith(end) for name in names)]
    if len(missing) == 2:
        return f"it is no batch; expected {_wanted(page)}"
    return f"its other half, *{missing[0]}, is not there yet" if missing else None


def plain(stem: str) -> str:
    """What a batch's name keeps of its files': characters that are the same in every file system, page and address."""
    return STRANGE.sub("_", shown(stem))[:LONGEST].lstrip(".") or "batch"


def _held(folder: Path, stem: str, files: tuple[Path, ...]) -> Batch:
    """Copy the files of a batch into a hidden folder beside them; raises OSError."""
    place = Path(tempfile.mkdtemp(prefix=HELD, dir=folder))
    try:
        held = tuple(_copied(path, place / f"{plain(stem)}{path.name[len(stem) :]}") for path in files)
        digest = digest_of(held)
    except OSError:
        forget(place)
        raise
    return Batch(f"{plain(stem)}-{digest[:8]}", files, digest, held)


def _copied(path: Path, copy: Path) -> Path:
    """A copy of a file that is one and has one name, with its times; raises OSError."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:  # noqa: PTH123 (descriptor)
        found = os.fstat(stream.fileno())
        if strange := _strange(found):
            raise OSError(0, strange)
        with copy.open("xb") as out:
            shutil.copyfileobj(stream, out, 1 << 20)
    copy.chmod(stat.S_IMODE(found.st_mode) & 0o666)
    os.utime(copy, ns=(found.st_atime_ns, found.st_mtime_ns))
    return copy


def forget(*places: Path) -> None:
    """Remove folders of our copies."""
    for place in places:
        shutil.rmtree(place, ignore_errors=True)


def put_away(batch: Batch, refused: bool, name: str = "", names: Sequence[str] = ()) -> Path:
    """Keep what was judged in `done/NAME` or `refused/NAME` beside the files, and take these away.

    `name` and the files' `names` are the batch's own, unless the same bytes were kept under others before.

    A file that is no longer what was judged stays where it is, a batch of its own. HandbookError where nothing can be
    kept: then all stays.
    """
    folder = batch.files[0].parent
    place = folder / (REFUSED if refused else DONE) / (name or batch.name)
    digests = [sha256(copy) for copy in batch.held]
    try:
        place.mkdir(parents=True, exist_ok=True)
        for copy, kept in zip(batch.held, names or [copy.name for copy in batch.held], strict=True):
            copy.replace(place / kept)
    except OSError as error:
        raise HandbookError(f"{place} cannot be made: {error.strerror}. Judged batches are kept there") from None
    for path, digest in zip(batch.files, digests, strict=True):
        _drop(path, digest)
    forget(*{copy.parent for copy in batch.held})
    return place


def _drop(path: Path, digest: str) -> None:
    """Remove a file of which we keep a copy, if it still is what was copied."""
    before = _state(path)
    if before and not path.is_symlink() and sha256(path) == digest and _state(path) == before:
        path.unlink()


def finish_moves(folder: Path) -> None:
    """Take away the rest of a pair that a kill has parted: files that lie in a place already begun, or belong there."""
    halves = sorted(path for path in folder.glob("*.gz") if path.name.endswith((IMAGES, LABELS)))
    for half in (path for path in halves if not _strange(path.lstat())):
        end = next(end for end in (IMAGES, LABELS) if half.name.endswith(end))
        stem = plain(half.name.removesuffix(end))
        for place in sorted(path for kept in (DONE, REFUSED) for path in folder.glob(f"{kept}/{stem}-????????")):
            both = tuple(place / f"{stem}{each}" for each in (IMAGES, LABELS))
            pair = tuple(found if found.exists() else half for found in both)
            if len({*pair}) == 2 and digest_of(pair).startswith(place.name[-8:]):
                own = place / f"{stem}{end}"
                if own not in pair:
                    half.replace(own)
                else:
                    _drop(half, sha256(own))
                break
