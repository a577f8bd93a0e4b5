"""Where the data come from: already there, a mirror, this machine, upstream, a package; or a stand-in, when asked for.

A file is brought beside its place, checked, and moved in at the end; `Search.came` says from where. A sample is drawn
aside and moved in whole, its `provenance.json` first, so that half a sample is known as one.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from handbook.data.downloads import CHUNK, bar, download
from handbook.data.network import FAULTS, Network, said, without_login
from handbook.data.provenance import (
    PROVENANCE,
    File,
    Place,
    damaged,
    fault,
    forms,
    is_sample,
    provenance,
    sha256,
    verify,
    write,
)
from handbook.errors import HandbookError

__all__ = [
    "PROVENANCE", "SOURCES", "File", "Network", "Place", "Search", "damaged", "draw_sample", "forms", "is_sample",
    "obtain", "provenance", "sha256", "verify",
]  # fmt: skip

SOURCES = ("auto", "mirror", "upstream", "sample")
REPLACED = ".replaced"  # beside the scratch folder, which `make clean` takes away: what lies there is somebody's
BIG = 4 << 20  # bytes: a smaller copy is done before a bar is drawn


@dataclass(frozen=True)
class Search:
    """Where to look (`auto`, `mirror` or `upstream`), and where half-fetched and replaced files lie meanwhile.

    `came` says, by dataset, where the search has found it. A mirror that does not answer says nothing of the network.
    """

    source: str
    scratch: Path
    network: Network = field(default_factory=Network)
    to_mirror: Network = field(default_factory=Network)
    came: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Way:
    """A way to a file: as it stands under "Tried", as it stands beside the dataset, and the way itself."""

    where: str
    came: str
    bring: Callable[[Path], None]


def obtain(page: ModuleType, directory: Path, search: Search) -> dict[str, Any]:
    """Put a dataset's real files into its directory, from wherever the search may look; returns its provenance.

    Nothing that is right is fetched again; a file that is wrong is set aside in `REPLACED`, never deleted.
    Of several forms, one that is there already will do, unless upstream is asked for; else the first that can be
    fetched. Only one of them stays.
    """
    directory.mkdir(parents=True, exist_ok=True)
    _clear(page, directory)
    faulty = {
        form: [file for file in files if fault(directory / file.name, file.sha256)]
        for form, files in forms(page).items()
    }
    stand_ins = _stand_ins(directory)
    unreachable: list[str] = []
    for form in faulty if search.source == "upstream" else sorted(faulty, key=lambda form: bool(faulty[form])):
        came: dict[str, None] = {}  # in order, each once
        if len(faulty[form]) < len(forms(page)[form]):
            came["already there"] = None
        try:
            for file in faulty[form]:
                fresh, origin = _fetch(file, directory.name, search)
                came[origin] = None
                _set_aside(directory / file.name, search.scratch, stand_ins)
                _move_in(fresh, directory / file.name)
        except HandbookError as error:
            unreachable.append(str(error))
            continue
        for file in _of_other_forms(page, form):
            _set_aside(directory / file.name, search.scratch, stand_ins)
        search.came[directory.name] = "; ".join(came)
        return write(page, directory, directory.name, "real", form)
    raise HandbookError("\n".join(unreachable))


def _clear(page: ModuleType, directory: Path) -> None:
    """Take away what a process that was killed has left half-moved, which DVC would pin."""
    for name in (PROVENANCE, *(file.name for files in forms(page).values() for file in files)):
        (directory / f".{name}.new").unlink(missing_ok=True)


def _stand_ins(directory: Path) -> set[str]:
    """The sha256 of the files of a sample, which can be drawn again at any time."""
    try:
        return {facts["sha256"] for facts in provenance(directory)["files"].values()} if is_sample(directory) else set()
    except HandbookError:  # a provenance that says nothing, and is written again
        return set()


def _of_other_forms(page: ModuleType, form: str) -> list[File]:
    return [file for other, files in forms(page).items() if other != form for file in files]


def _fetch(file: File, dataset: str, search: Search) -> tuple[Path, str]:
    """The file, checked, in a place of ours, and where it came from; a HandbookError lists what was tried."""
    tried: list[str] = []
    part = search.scratch / "downloads" / f"{file.sha256[:16]}-{file.name}"
    part.parent.mkdir(parents=True, exist_ok=True)
    for way in _ways(file, dataset, search):
        try:
            way.bring(part)
            found = sha256(part)
        except FAULTS as error:
            tried.append(f"{way.where}: {said(error)}")
            continue
        if found == file.sha256:
            return part, way.came
        tried.append(f"{way.where}: expected sha256 {file.sha256}, found {found}{_looks(part)}")
        part.unlink()
    raise HandbookError(_nowhere(file, dataset, tried))


def _looks(part: Path) -> str:
    """What a wrong file looks like, where that is a help."""
    with part.open("rb") as stream:
        start = stream.read(200).lstrip().lower()
    return ", which is a web page" if start.startswith((b"<!doctype html", b"<html")) else ""


def _ways(file: File, dataset: str, search: Search) -> list[_Way]:
    """The ways to go, in order: what is carried along, the mirror, what lies near, the addresses, what lies far."""
    ways = []
    if file.bundle:
        ways.append(_Way("a library's bundle", "a library's bundle", file.bundle))
    mirror = os.environ.get("HANDBOOK_MIRROR", "")
    if search.source in ("auto", "mirror") and mirror:
        ways.append(_mirror(mirror, file, dataset, search))
    if search.source == "auto":
        ways += [_way_to(place, search) for place in file.near]
    if search.source in ("auto", "upstream"):
        right = partial(_is, file)
        ways += [
            _Way(url, f"upstream {url.split('#')[0].rpartition('/')[0]}/", partial(_download, url, search, right))
            for url in file.urls
        ]
        ways += [_way_to(place, search) for place in file.far]
    return ways


def _mirror(mirror: str, file: File, dataset: str, search: Search) -> _Way:
    """The mirror's copy: a folder, written as a path or as file://, or an http address."""
    shown = without_login(mirror).rstrip("/")
    where, came = f"{shown}/{dataset}/{file.name}", f"mirror {shown}"
    scheme = mirror.partition("://")[0].lower() if "://" in mirror else ""
    if scheme in ("http", "https"):
        address = f"{mirror.rstrip('/')}/{quote(dataset)}/{quote(file.name)}"
        return _Way(where, came, lambda part: download(address, part, search.to_mirror, partial(_is, file)))
    if scheme not in ("", "file"):
        return _Way(where, came, _unknown_mirror)
    folder = Path(unquote(urlsplit(mirror).path)) if scheme else Path(mirror).expanduser()
    return _Way(where, came, lambda part: _copy(folder / dataset / file.name, part))


def _unknown_mirror(_: Path) -> None:
    raise HandbookError("HANDBOOK_MIRROR is neither a folder nor an http address")


def _way_to(place: Place, search: Search) -> _Way:
    return _Way(place.where, place.where, lambda part: place.bring(part, search.network))


def _download(url: str, search: Search, right: Callable[[Path], bool], part: Path) -> None:
    download(url, part, search.network, right)


def _is(file: File, part: Path) -> bool:
    return part.is_file() and sha256(part) == file.sha256


def _nowhere(file: File, dataset: str, tried: list[str]) -> str:
    lines = "".join(f"\n  {line}" for line in tried) or "\n  nothing: HANDBOOK_MIRROR is not set"
    return (
        f"{dataset}/{file.name} could not be fetched. Tried:{lines}\n"
        "Two ways out: set HANDBOOK_MIRROR to a folder or http address laid out like data/, and: make data\n"
        f"          or: python -m handbook data {dataset} --source sample   (a stand-in, and marked as one)"
    )


def _copy(source: Path, part: Path) -> None:
    if not source.is_file():
        raise HandbookError("no such file")
    size = source.stat().st_size
    with source.open("rb") as stream, part.open("wb") as out, bar(part.name, size, shown=size >= BIG) as shown:
        while chunk := stream.read(CHUNK):
            out.write(chunk)
            shown.update(len(chunk))


def _set_aside(place: Path, scratch: Path, stand_ins: set[str]) -> None:
    """Move what stands in the way to where it disturbs nobody and is not lost, unless it is a stand-in."""
    if not (place.exists() or place.is_symlink()):
        return
    if place.is_file() and sha256(place) in stand_ins:
        place.unlink()
        return
    aside = scratch.parent / REPLACED / place.parent.name
    aside.mkdir(parents=True, exist_ok=True)
    target = next(path for n in range(1 << 16) if not (path := aside / f"{place.name}.{n}").exists())
    shutil.move(place, target)
    print(f"{place} was not the pinned file; set aside as {target}", file=sys.stderr)


def _move_in(fresh: Path, place: Path) -> None:
    """Move a checked file to its place in one step."""
    staged = place.with_name(f".{place.name}.new")
    shutil.move(fresh, staged)  # across file systems this copies; the last step must not
    staged.replace(place)


def draw_sample(page: ModuleType, directory: Path, seed: int) -> dict[str, Any]:
    """Write the page's stand-in; refuses to overwrite files that are not a sample themselves.

    It is drawn in the checkout's `.cache`, which lies beside the `data` that the directory lies in, so that DVC never
    finds what a kill has left.
    """
    directory.mkdir(parents=True, exist_ok=True)
    _clear(page, directory)
    _refuse(page, directory, _is)
    room = directory.absolute().parent.parent / ".cache" / "drawn"
    room.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=room) as place:
        drawn = Path(place)
        page.sample(drawn, seed)
        origin = write(page, drawn, directory.name, "sample")
        if not _stand_ins(directory):  # half of this sample, cut short by a kill, is all that may lie there
            _refuse(page, directory, lambda file, path: not _begins(path, drawn / file.name))
        # First what says that the rest is a sample: whoever is killed from here on leaves one that is known as such.
        for path in sorted(drawn.iterdir(), key=lambda path: path.name != PROVENANCE):
            _move_in(path, directory / path.name)
    return origin


def _refuse(page: ModuleType, directory: Path, real: Callable[[File, Path], bool]) -> None:
    """Raise for files in the way of a sample that are real by this measure."""
    files = {file.name: file for files in forms(page).values() for file in files}
    present = [name for name, file in files.items() if (directory / name).exists() and real(file, directory / name)]
    if present:
        raise HandbookError(
            f"{directory} holds files that are no sample ({', '.join(present)}); a sample would overwrite them.\n"
            f"Move the folder away first if that is what you want: mv {directory} {directory}.kept"
        )


def _begins(path: Path, whole: Path) -> bool:
    """Whether a file is another's first bytes, or all of them."""
    if not (path.is_file() and whole.is_file()) or path.stat().st_size > whole.stat().st_size:
        return False
    with path.open("rb") as one, whole.open("rb") as other:
        while chunk := one.read(CHUNK):
            if chunk != other.read(len(chunk)):
                return False
    return True
