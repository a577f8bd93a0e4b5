"""Folders that only their owner can enter: what lies there is believed, so nobody else may put it there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from handbook.errors import HandbookError

OWNER, EVERYBODY = 0o700, 0o777  # modes of folders: open to their owner, to all
SITE_CACHE = "DVC_SITE_CACHE_DIR"


def private_folder(path: Path) -> Path:
    """The folder, made if it is not there, with mode 0700; a link to a folder stands for that folder.

    Raises HandbookError if it is no folder, or if somebody else owns it: who owns a folder can replace what is in it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=OWNER, exist_ok=True)
        if path.stat().st_uid not in _trusted(path):
            raise HandbookError(
                f"{path} belongs to {_owner(path)}, who could replace what is kept there.\n"
                f"Remove it: it is made again as yours"
            )
        if path.stat().st_mode & EVERYBODY != OWNER:
            path.chmod(OWNER)
    except FileExistsError:
        raise HandbookError(
            f"{path}: expected a folder, found something else. Move it away: it is made again"
        ) from None
    except PermissionError as error:
        raise HandbookError(f"{path} cannot be made, or closed to others: {error.strerror}") from error
    return path


def site_cache(root: Path) -> Path:
    """Where DVC keeps what it knows of a checkout's files, in part as pickles: DVC_SITE_CACHE_DIR, or .dvc/site.

    By itself DVC takes one folder for all users of a machine, which all of them can write to, and believes what it
    finds there. Here it is the owner's alone; what others could write to is closed.

    Raises HandbookError if others have put something there already.
    """
    site = private_folder(Path(os.environ.get(SITE_CACHE) or root / ".dvc" / "site"))
    for path in _below(site):
        try:
            found = path.lstat()
        except FileNotFoundError:  # DVC is at work, and its databases have files that come and go
            continue
        if found.st_uid not in _trusted(site):
            raise HandbookError(
                f"{path} belongs to {_owner(path)}, and DVC would run what is in it.\n"
                f"Remove the whole cache, which DVC makes again: rm -rf {site}"
            )
        if stat.S_ISDIR(found.st_mode) and found.st_mode & EVERYBODY & ~OWNER:
            path.chmod(OWNER)
    return site


def _below(folder: Path) -> Iterator[Path]:
    """Everything in it; links are not followed, and what has gone meanwhile is passed over."""
    for place, folders, files in os.walk(folder):
        yield from (Path(place, name) for name in sorted(folders + files))


def _trusted(path: Path) -> set[int]:
    """Who may own it: ourselves, and whoever owns the folder around it, whose code runs here anyway."""
    return {os.geteuid(), path.parent.stat().st_uid}


def _owner(path: Path) -> str:
    """A name if the machine knows one, else a number."""
    try:
        return path.owner()
    except KeyError:
        return f"user {path.lstat().st_uid}"
