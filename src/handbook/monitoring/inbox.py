"""Batches: files that come in after the training data, in the form of a dataset's own files.

A batch of a table is a CSV with the dataset's columns, with or without the last one, the target; a batch of pictures
is a pair `NAME-images-idx3-ubyte.gz` and `NAME-labels-idx1-ubyte.gz`. A batch is known by the sha256 of its bytes,
whatever it is called. Files that are still being written are left alone, and nothing is ever deleted.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from handbook import contract
from handbook.data import images
from handbook.data.provenance import sha256
from handbook.errors import HandbookError

IMAGES, LABELS = "-images-idx3-ubyte.gz", "-labels-idx1-ubyte.gz"
DONE, REFUSED = "done", "refused"


class NothingCameError(HandbookError):
    """No batch has come in: a folder that is not there, or empty."""


@dataclass(frozen=True)
class Batch:
    """Files that belong together, with their digest at the time when they were found."""

    name: str  # the files' common name and the digest's first eight digits
    files: tuple[Path, ...]
    sha256: str


@dataclass(frozen=True)
class Waiting:
    """What was left alone in the folder, and why."""

    path: Path
    why: str


def is_table(page: ModuleType) -> bool:
    """Whether the dataset is a table; a HandbookError if it is neither that nor labelled pictures."""
    if contract.dataset(page).columns:
        return True
    if any(file.name.endswith(IMAGES) for file in page.FILES):
        return False
    name = page.__name__.rsplit(".", 1)[1]
    raise HandbookError(f"batches of {name} cannot be watched: expected a table or labelled pictures in IDX files")


def find(folder: Path, page: ModuleType, settle: float) -> tuple[list[Batch], list[Waiting]]:
    """The batches in a folder by name, and what is left alone; the folder's own folders are not looked into.

    Raises NothingCameError if there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise NothingCameError(f"no folder {folder}. Make it, and put batches there: {_wanted(page)}")
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    if not paths:
        raise NothingCameError(f"{folder} is empty: no batch has come in. Put one there: {_wanted(page)}")
    growing = _growing(paths, settle)
    batches, waiting = [], []
    for stem, files in _together(paths, page).items():
        fault = next((reason for path in files for reason in [growing.get(path) or _unfinished(path)] if reason), None)
        fault = fault or _incomplete(files, page)
        if fault:
            waiting += [Waiting(path, fault) for path in files]
        else:
            digest = digest_of(files)
            batches.append(Batch(f"{stem}-{digest[:8]}", files, digest))
    return batches, waiting


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
        found = path.stat()
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
    """Why a file cannot be whole, or None."""
    try:
        if path.stat().st_size == 0:
            return "it is empty so far"
        if path.suffix == ".gz":
            if images.is_cut_short(path):
                return "its gzip stream ends in the middle, as if half written"
        else:
            with path.open("rb") as stream:
                stream.seek(-1, 2)
                if stream.read(1) != b"\n":
                    return "it ends without a last newline, as if half written"
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
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


def put_away(batch: Batch, refused: bool) -> Path:
    """Move a batch's files to `done/NAME` or `refused/NAME` beside them; what was moved before stays as it is.

    Raises HandbookError, and moves nothing, if the files are no longer those that were found.
    """
    here = [path for path in batch.files if path.exists()]
    if len(here) == len(batch.files) and digest_of(batch.files) != batch.sha256:
        raise HandbookError(
            f"{batch.files[0]} was changed while it was judged; it stays, and is judged again next time"
        )
    place = batch.files[0].parent / (REFUSED if refused else DONE) / batch.name
    place.mkdir(parents=True, exist_ok=True)
    for path in here:
        path.replace(place / path.name)
    return place


def finish_moves(folder: Path) -> None:
    """Move the rest of a pair that a kill has parted: files of which the very bytes lie in a place already begun."""
    for half in [*folder.glob(f"*{IMAGES}"), *folder.glob(f"*{LABELS}")]:
        stem = half.name.removesuffix(IMAGES).removesuffix(LABELS)
        for place in (*folder.glob(f"{DONE}/{stem}-????????"), *folder.glob(f"{REFUSED}/{stem}-????????")):
            pair = tuple(found if (found := place / f"{stem}{end}").exists() else half for end in (IMAGES, LABELS))
            if half in pair and len({*pair}) == 2 and digest_of(pair).startswith(place.name[-8:]):
                half.replace(place / half.name)
                break
