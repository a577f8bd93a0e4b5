"""What lies in a folder, held against the sha256 that was written down of each of its files: no more, no less.

A file is read once, hashed, and used as it was read: what is swapped after the check is not what runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handbook.errors import HandbookError

FILES = "files.json"  # what lies in a folder, by sha256; itself not in the list
NAMED = 5  # faults in a message; more of them tell nothing more


@dataclass(frozen=True)
class Sealed:
    """A folder and the sha256 of every file that belongs there, by its path in it; `title` names it in errors."""

    place: Path
    files: Mapping[str, str]
    title: str
    way: str = ""  # out of it, where something is not as it was written down

    def faults(self) -> list[str]:
        """What is missing, new or changed, links and compiled code included."""
        return differences(self.place, self.files, hashes(self.place))

    def check(self) -> None:
        """HandbookError that names what is not as it was written down."""
        if faults := self.faults():
            raise self.damaged("\n  ".join(faults[:NAMED] + [f"and {len(faults) - NAMED} more"][: len(faults) > NAMED]))

    def read(self, path: str) -> bytes:
        """The bytes of a file; HandbookError unless they are those that were written down."""
        if path not in self.files:
            raise self.damaged(f"{self.place / path} was never written down")
        try:
            content = _regular(self.place / path)
        except OSError as error:
            raise self.damaged(f"{self.place / path} cannot be read: {error.strerror}") from None
        if (found := hashlib.sha256(content).hexdigest()) != self.files[path]:
            raise self.damaged(f"{self.place / path} was changed: sha256 {self.files[path]}, found {found}")
        return content

    def json(self, path: str) -> Any:
        """A JSON file's content, checked as in `read`."""
        return json.loads(self.read(path))

    def below(self, folder: str) -> dict[str, str]:
        """The files below a folder, by their path in it."""
        return {path[len(folder) + 1 :]: path for path in self.files if path.startswith(f"{folder}/")}

    def contents(self, folder: str) -> dict[str, bytes]:
        """The bytes of the files below a folder, each checked as in `read`, by their path in it."""
        return {name: self.read(path) for name, path in self.below(folder).items()}

    def lay_out(self, layout: Mapping[str, str], to: Path) -> None:
        """Write files, each checked as it is read, to other paths in the folder `to`: new path by old."""
        for new, path in layout.items():
            (to / new).parent.mkdir(parents=True, exist_ok=True)
            (to / new).write_bytes(self.read(path))

    def damaged(self, fault: str) -> HandbookError:
        """The error for what is not as it was written down."""
        way = f"\n{self.way}" if self.way else ""
        return HandbookError(f"{self.title} is not what was registered, and is not used:\n  {fault}{way}")


def _regular(path: Path) -> bytes:
    """The bytes of a file that is one: no link, no pipe and no device, which may give others the next time."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as stream:  # noqa: PTH123 (a descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is no file")
        return stream.read()


def hashes(place: Path) -> dict[str, str]:
    """The sha256 of every file below a folder but the list of them, by its path there; what is no file says so."""
    found = {}
    for home, folders, names in os.walk(place):
        links = [name for name in folders if (Path(home) / name).is_symlink()]
        for name in [*names, *links]:
            path = Path(home) / name
            if path != place / FILES:
                found[path.relative_to(place).as_posix()] = _hash(path)
    return dict(sorted(found.items()))


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(_regular(path)).hexdigest()
    except OSError:
        return "a link" if path.is_symlink() else "no file that can be read"


def differences(place: Path, listed: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """What differs between the files that are listed and those that were found, a sentence each."""
    return [
        f"{place / path} {_fate(listed.get(path), found.get(path))}"
        for path in sorted(listed.keys() | found.keys())
        if listed.get(path) != found.get(path)
    ]


def _fate(listed: str | None, found: str | None) -> str:
    if found is None:
        return "is missing"
    if listed is None:
        return "is new"
    return "was changed" if len(found) == len(listed) else f"was changed: it is {found}"


def digest(content: bytes) -> str:
    """The sha256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
