"""What is pinned of a dataset, and what lies in its folder: the files with their sha256, and `provenance.json` beside.

`kind` there is `real` or `sample`, and `form`, where the data are published in several, says which; both travel into
everything that is made from the files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from handbook import contract
from handbook.data.network import Network
from handbook.errors import HandbookError

PROVENANCE = "provenance.json"


class Place(Protocol):
    """Where a file lies that no address alone leads to: a package, a repository."""

    @property
    def where(self) -> str:
        """The place in words, as it stands in messages."""

    def bring(self, part: Path, network: Network) -> None:
        """Write the file to `part`; an OSError or a HandbookError says why not."""


@dataclass(frozen=True)
class File:
    """One file of a dataset: its name, the sha256 of its bytes, and the addresses that publish it.

    `address#member` is a file in a zip, `address#inner.zip#member` one in a zip in a zip. What a library that we need
    anyway carries, is written by `bundle`. `near` are places on this machine, `far` are places beyond the addresses.
    """

    name: str
    sha256: str
    urls: tuple[str, ...]
    bundle: Callable[[Path], None] | None = None
    near: tuple[Place, ...] = ()
    far: tuple[Place, ...] = ()


def sha256(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def forms(page: ModuleType) -> Mapping[str, tuple[File, ...]]:
    """The forms in which the data are published, the best first; data published in one have one without a name."""
    return contract.dataset(page).forms


def provenance(directory: Path) -> dict[str, Any]:
    """What lies in a dataset's directory, as written beside it."""
    path = directory / PROVENANCE
    try:
        origin = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise HandbookError(f"{path} is missing: nothing says what these data are. Write it: make data") from None
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no JSON, or no UTF-8
        raise HandbookError(f"{path} is not JSON ({error}). Write it again: make data") from None
    fault = _misshapen(origin)
    if fault:
        raise HandbookError(f"{path}: {fault}. Write it again: make data")
    return dict(origin)


def _misshapen(origin: Any) -> str:
    """What is wrong with the contents of a provenance, or nothing."""
    if not isinstance(origin, dict):
        return f"expected an object with dataset, kind and files, found {type(origin).__name__}"
    missing = [key for key in ("dataset", "kind", "files") if key not in origin]
    if missing:
        return f"expected dataset, kind and files, found no {missing[0]}"
    if origin["kind"] not in ("real", "sample"):
        return f"expected the kind real or sample, found {origin['kind']!r}"
    if not isinstance(origin["files"], dict) or not all(
        isinstance(facts, dict) and isinstance(facts.get("sha256"), str) for facts in origin["files"].values()
    ):
        return "expected the sha256 of each file under files"
    return ""


def is_sample(directory: Path) -> bool:
    """Whether the directory says of itself that it holds a stand-in."""
    return (directory / PROVENANCE).exists() and provenance(directory)["kind"] == "sample"


def verify(page: ModuleType, directory: Path) -> dict[str, Any]:
    """The provenance of a dataset whose every file is as pinned; a HandbookError names the first that is not."""
    origin = provenance(directory)
    pinned = {file.name: file.sha256 for file in forms(page).get(origin.get("form", ""), page.FILES)}
    if origin["kind"] == "sample":
        pinned = {name: facts["sha256"] for name, facts in origin["files"].items()}
    for name, expected in pinned.items():
        problem = fault(directory / name, expected)
        if problem:
            diagnosis = _diagnosis(page, directory) if "damaged" in problem else ""
            raise HandbookError(f"{problem}{diagnosis}\n{_repair(origin['dataset'])}")
    return origin


def fault(path: Path, expected: str) -> str | None:
    """Why a file is not the pinned one, or None."""
    if path.is_dir():
        return f"{path} is a directory\n  expected a file with sha256 {expected}"
    if not path.exists():
        return f"{path} is missing\n  expected a file with sha256 {expected}"
    if path.stat().st_size == 0:
        return f"{path} is empty\n  expected sha256 {expected}"
    found = sha256(path)
    return None if found == expected else f"{path} is damaged\n  expected sha256 {expected}\n  found    sha256 {found}"


def damaged(page: ModuleType, directory: Path) -> bool:
    """Whether a pinned file is there with other bytes than the pinned ones, and is no sample's either."""
    there = [file for files in forms(page).values() for file in files if (directory / file.name).exists()]
    return not is_sample(directory) and any(fault(directory / file.name, file.sha256) for file in there)


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


def write(page: ModuleType, directory: Path, dataset: str, kind: str, form: str = "") -> dict[str, Any]:
    """Say beside the files what they are, and return it.

    Nothing in it depends on the way the bytes came: the same bytes, the same file, the same hash in DVC.
    """
    files = {
        file.name: {"sha256": sha256(directory / file.name), "bytes": (directory / file.name).stat().st_size}
        for file in forms(page).get(form, page.FILES)
    }
    rows = page.ROWS if kind == "real" else page.SAMPLE_ROWS
    origin = {
        "dataset": dataset,
        "kind": kind,
        "source": page.SOURCE if kind == "real" else f"made by {page.__name__}.sample",
        "licence": page.LICENCE if kind == "real" else page.SAMPLE_LICENCE,
        "rows": {form: rows[form]} if form else rows,
        "files": files,
    } | ({"form": form} if form else {})
    path = directory / PROVENANCE
    text = (json.dumps(origin, indent=2, sort_keys=True) + "\n").encode()
    if not path.is_file() or path.read_bytes() != text:
        staged = path.with_name(f".{PROVENANCE}.new")
        staged.write_bytes(text)
        staged.replace(path)
    return origin
