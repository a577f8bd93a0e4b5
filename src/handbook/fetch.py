"""Where the data come from: already there, a mirror, upstream; or a stand-in, when asked for.

A file is downloaded beside its place, resumed where it broke off, checked, and moved in at the end. `provenance.json`
beside the files says what they are; `kind` there is `real` or `sample`, and travels into everything made from them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote, urlsplit

from handbook.errors import HandbookError

CHUNK = 1 << 20
CONNECT_SECONDS = 4.0
SOURCES = ("auto", "mirror", "upstream", "sample")
PROVENANCE = "provenance.json"


@dataclass(frozen=True)
class File:
    """One file of a dataset: its name, the sha256 of its bytes, and the addresses that publish it.

    `address#member` is a file in a zip, `address#inner.zip#member` one in a zip in a zip. What a library that we need
    anyway carries, is written by `bundle`.
    """

    name: str
    sha256: str
    urls: tuple[str, ...]
    bundle: Callable[[Path], None] | None = None


@dataclass
class Network:
    """Which hosts did not answer; two silent ones and the network is given up for the rest of the run."""

    silent: set[str] = field(default_factory=set)

    def open(self, url: str, offset: int = 0) -> Any:
        host = urlsplit(url).netloc
        if host in self.silent or len(self.silent) >= 2:
            raise OSError("host did not answer before" if host in self.silent else "no host answers")
        headers = {"User-Agent": "handbook"} | ({"Range": f"bytes={offset}-"} if offset else {})
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 (scheme is checked by the caller)
        try:
            return urllib.request.urlopen(request, timeout=CONNECT_SECONDS)  # noqa: S310
        except urllib.error.HTTPError:
            raise  # an answer, though not the wanted one
        except OSError:
            self.silent.add(host)
            raise


@dataclass(frozen=True)
class Search:
    """Where to look (`auto`, `mirror` or `upstream`), and where half-fetched and replaced files lie meanwhile."""

    source: str
    scratch: Path
    network: Network = field(default_factory=Network)


def sha256(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def provenance(directory: Path) -> dict[str, Any]:
    """What lies in a dataset's directory, as written beside it."""
    path = directory / PROVENANCE
    try:
        return dict(json.loads(path.read_text()))
    except FileNotFoundError:
        raise HandbookError(f"{path} is missing: nothing says what these data are. Write it: make data") from None
    except ValueError as error:
        raise HandbookError(f"{path} is not JSON ({error}). Write it anew: make data") from None


def verify(page: ModuleType, directory: Path) -> dict[str, Any]:
    """The provenance of a dataset whose every file is as pinned; a HandbookError names the first that is not."""
    origin = provenance(directory)
    pinned = {file.name: file.sha256 for file in forms(page).get(origin.get("form", ""), page.FILES)}
    if origin["kind"] == "sample":
        pinned = {name: facts["sha256"] for name, facts in origin["files"].items()}
    for name, expected in pinned.items():
        fault = _fault(directory / name, expected)
        if fault:
            told = _diagnosis(page, directory) if "damaged" in fault else ""
            raise HandbookError(f"{fault}{told}\n{_repair(origin['dataset'])}")
    return origin


def forms(page: ModuleType) -> Mapping[str, tuple[File, ...]]:
    """The forms in which the data are published, the best first; a page without `FORMS` has one, without a name."""
    one: Mapping[str, tuple[File, ...]] = {"": page.FILES}
    return getattr(page, "FORMS", one)


def _fault(path: Path, expected: str) -> str | None:
    """Why a file is not the pinned one, or None."""
    if path.is_dir():
        return f"{path} is a directory\n  expected a file with sha256 {expected}"
    if not path.exists():
        return f"{path} is missing\n  expected a file with sha256 {expected}"
    if path.stat().st_size == 0:
        return f"{path} is empty\n  expected sha256 {expected}"
    found = sha256(path)
    return None if found == expected else f"{path} is damaged\n  expected sha256 {expected}\n  found    sha256 {found}"


def _diagnosis(page: ModuleType, directory: Path) -> str:
    """What reading the files says, for those who want to know what happened to them."""
    try:
        page.load(directory)
    except HandbookError as error:
        return f"\n  reading it says: {error}"
    return ""


def _repair(dataset: str) -> str:
    return (
        f"Repair it: python -m handbook data {dataset}   (from HANDBOOK_MIRROR or upstream; the file is set aside)\n"
        "       or, if DVC's cache has the data: dvc checkout --force data.dvc"
    )


def obtain(page: ModuleType, directory: Path, search: Search) -> dict[str, Any]:
    """Put a dataset's real files into its directory, from wherever the search may look; returns its provenance.

    Nothing that is right is fetched again; a file that is wrong is set aside under `scratch/replaced`, never deleted.
    Of several forms, one that is there already will do, unless upstream is asked for; else the first that can be had.
    Only one of them stays.
    """
    directory.mkdir(parents=True, exist_ok=True)
    faulty = {
        form: [file for file in files if _fault(directory / file.name, file.sha256)]
        for form, files in forms(page).items()
    }
    stand_ins = _stand_ins(directory)
    unreachable: list[str] = []
    for form in faulty if search.source == "upstream" else sorted(faulty, key=lambda form: bool(faulty[form])):
        try:
            for file in faulty[form]:
                fresh = _fetch(file, directory.name, search)
                _set_aside(directory / file.name, search.scratch, stand_ins)
                _move_in(fresh, directory / file.name)
        except HandbookError as error:
            unreachable.append(str(error))
            continue
        for file in _of_other_forms(page, form):
            _set_aside(directory / file.name, search.scratch, stand_ins)
        return _write_provenance(page, directory, "real", form)
    raise HandbookError("\n".join(unreachable))


def _stand_ins(directory: Path) -> set[str]:
    """The sha256 of the files of a sample, which can be drawn again at any time."""
    return {facts["sha256"] for facts in provenance(directory)["files"].values()} if is_sample(directory) else set()


def _of_other_forms(page: ModuleType, form: str) -> list[File]:
    return [file for other, files in forms(page).items() if other != form for file in files]


def _fetch(file: File, dataset: str, search: Search) -> Path:
    tried: list[str] = []
    part = search.scratch / "downloads" / f"{file.sha256[:16]}-{file.name}"
    part.parent.mkdir(parents=True, exist_ok=True)
    for place, bring in _places(file, dataset, search):
        try:
            bring(part)
        except (OSError, HandbookError) as error:
            tried.append(f"{place}: {error}")
            continue
        found = sha256(part)
        if found == file.sha256:
            return part
        part.unlink()
        tried.append(f"{place}: expected sha256 {file.sha256}, found {found}")
    raise HandbookError(_nowhere(file, dataset, tried))


def _places(file: File, dataset: str, search: Search) -> list[tuple[str, Callable[[Path], None]]]:
    """The places to look in, in order: what is carried along, the mirror, then the addresses upstream."""
    places: list[tuple[str, Callable[[Path], None]]] = [("a library's bundle", file.bundle)] if file.bundle else []
    mirror = os.environ.get("HANDBOOK_MIRROR", "")
    if search.source in ("auto", "mirror") and mirror:
        where = f"{mirror.rstrip('/')}/{dataset}/{file.name}"
        if mirror.startswith(("http://", "https://")):
            places.append((where, lambda part: _download(quote(where, safe=":/"), part, search.network)))
        else:
            places.append((where, lambda part: _copy(Path(where).expanduser(), part)))
    if search.source in ("auto", "upstream"):
        places += [(url, lambda part, url=url: _download(url, part, search.network)) for url in file.urls]  # type: ignore[misc]
    return places


def _nowhere(file: File, dataset: str, tried: list[str]) -> str:
    lines = "".join(f"\n  {line}" for line in tried) or "\n  nothing: HANDBOOK_MIRROR is not set"
    return (
        f"{dataset}/{file.name} could not be had. Tried:{lines}\n"
        "Two ways out: set HANDBOOK_MIRROR to a folder or http address laid out like data/, and: make data\n"
        f"          or: python -m handbook data {dataset} --source sample   (a stand-in, and marked as one)"
    )


def _copy(source: Path, part: Path) -> None:
    if not source.is_file():
        raise HandbookError("no such file")
    shutil.copyfile(source, part)


def _download(url: str, part: Path, network: Network) -> None:
    """Bring a file by http, going on where an earlier try broke off if the server can."""
    if "#" in url:
        _download_member(url, part, network)
        return
    have = part.stat().st_size if part.exists() else 0
    try:
        answer = network.open(url, have)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:  # 416: nothing beyond what is there already
            raise
        return
    with answer:
        resumed = answer.status == 206
        total = int(answer.headers.get("Content-Length") or 0) + (have if resumed else 0)
        with (
            part.open("ab" if resumed else "wb") as out,
            _bar(part.name, total, have if resumed else 0) as bar,
        ):
            while chunk := answer.read(CHUNK):
                out.write(chunk)
                bar.update(len(chunk))
    if total and part.stat().st_size < total:
        raise OSError(f"broke off after {part.stat().st_size:,} of {total:,} bytes; run again to go on")


def _download_member(url: str, part: Path, network: Network) -> None:
    """Bring a zip and copy one member out of it, by its name; nothing is written where the zip says."""
    address, *members = url.split("#")
    archive = part.with_name(f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.zip")
    _download(address, archive, network)
    try:
        with contextlib.ExitStack() as stack:
            stream: Any = archive
            for member in members:
                stream = stack.enter_context(stack.enter_context(zipfile.ZipFile(stream)).open(member))
            shutil.copyfileobj(stream, stack.enter_context(part.open("wb")))
    except (zipfile.BadZipFile, zlib.error, KeyError, RuntimeError) as error:
        part.unlink(missing_ok=True)
        raise HandbookError(f"not the expected archive ({error})") from None
    finally:
        archive.unlink()


def _bar(name: str, total: int, done: int) -> Any:
    from tqdm import tqdm

    return tqdm(
        total=total or None,
        initial=done,
        desc=name,
        unit="B",
        unit_scale=True,
        disable=not sys.stderr.isatty(),
    )


def _set_aside(place: Path, scratch: Path, stand_ins: set[str]) -> None:
    """Move what stands in the way to where it disturbs nobody and is not lost, unless it is a stand-in."""
    if not (place.exists() or place.is_symlink()):
        return
    if place.is_file() and sha256(place) in stand_ins:
        place.unlink()
        return
    aside = scratch / "replaced" / place.parent.name
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
    """Write the page's stand-in; refuses to overwrite files that are not a sample themselves."""
    directory.mkdir(parents=True, exist_ok=True)
    present = [file.name for files in forms(page).values() for file in files if (directory / file.name).exists()]
    if present and not is_sample(directory):
        raise HandbookError(
            f"{directory} holds files that are no sample ({', '.join(present)}); a sample would overwrite them.\n"
            f"Move the folder away first if that is what you want: mv {directory} {directory}.kept"
        )
    page.sample(directory, seed)
    return _write_provenance(page, directory, "sample")


def damaged(page: ModuleType, directory: Path) -> bool:
    """Whether a pinned file is there with other bytes than the pinned ones, and is no sample's either."""
    there = [file for files in forms(page).values() for file in files if (directory / file.name).exists()]
    return not is_sample(directory) and any(_fault(directory / file.name, file.sha256) for file in there)


def is_sample(directory: Path) -> bool:
    """Whether the directory says of itself that it holds a stand-in."""
    return (directory / PROVENANCE).exists() and provenance(directory)["kind"] == "sample"


def _write_provenance(page: ModuleType, directory: Path, kind: str, form: str = "") -> dict[str, Any]:
    """Nothing in it depends on the way the bytes came: the same bytes, the same file, the same hash in DVC."""
    files = {
        file.name: {"sha256": sha256(directory / file.name), "bytes": (directory / file.name).stat().st_size}
        for file in forms(page).get(form, page.FILES)
    }
    rows = page.ROWS if kind == "real" else page.SAMPLE_ROWS
    origin = {
        "dataset": directory.name,
        "kind": kind,
        "source": page.SOURCE if kind == "real" else f"made by {page.__name__}.sample",
        "licence": page.LICENCE if kind == "real" else page.SAMPLE_LICENCE,
        "rows": {form: rows[form]} if form else rows,
        "files": files,
    } | ({"form": form} if form else {})
    path = directory / PROVENANCE
    text = json.dumps(origin, indent=2, sort_keys=True) + "\n"
    if not path.exists() or path.read_text() != text:
        staged = path.with_name(f".{PROVENANCE}.new")
        staged.write_text(text)
        staged.replace(path)
    return origin
