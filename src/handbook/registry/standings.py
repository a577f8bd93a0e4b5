"""ledger.json: what was registered of a case, in which order, and who is champion.

Lost, damaged or edited by hand, it is an error, never a new beginning: nothing else knows what it holds. It is written
whole and brought to the disk before it counts, with a checksum in it and the file before it beside it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from handbook.errors import HandbookError
from handbook.files import leftovers
from handbook.files.integrity import digest

# versions and rejected (records, oldest first), the aliases, and the sha256 of each record's list of files
LedgerState = dict[str, Any]
ALIASES = ("challenger", "champion", "previous")
LEDGER, BEFORE = "ledger.json", "ledger.json.before"
CHECKSUM = "sha256"  # of everything else in the file
CONTENT = re.compile(r"[0-9a-f]{16}")


def blank() -> LedgerState:
    """The ledger of a case of which nothing is registered yet."""
    return {"versions": [], **dict.fromkeys(ALIASES), "files": {}}


def opened(store: Path) -> LedgerState | None:
    """The ledger that lies in a folder, or None if nothing was ever registered there; HandbookError if it is damaged.

    One that an older handbook wrote has no `files`, and no checksum to hold it against.
    """
    path = store / LEDGER
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        if records(store):
            raise _damaged(store, "it is missing, beside models that were registered") from None
        return None
    except OSError as error:
        raise _damaged(store, f"it cannot be read: {error.strerror}") from None
    try:
        return _checked(text)
    except ValueError as fault:
        raise _damaged(store, str(fault)) from None


def records(store: Path) -> list[str]:
    """The records that have a folder in the store, whether the ledger lists them or not."""
    folders = store.iterdir() if store.is_dir() else ()
    return sorted(folder.name for folder in folders if CONTENT.fullmatch(folder.name))


def write(store: Path, state: LedgerState) -> None:
    """Write the ledger, if it says something new; the one before stays beside it."""
    path = store / LEDGER
    body = {key: value for key, value in state.items() if key != CHECKSUM}
    text = json.dumps(body | {CHECKSUM: _checksum(body)}, indent=2, sort_keys=True) + "\n"
    before = path.read_bytes() if path.exists() else b""
    if before == text.encode():
        return
    store.mkdir(parents=True, exist_ok=True)
    if before:
        _durable(store / BEFORE, before)
    _durable(path, text.encode())


def _durable(path: Path, content: bytes) -> None:
    """Replace a file, so that after a power cut it is the old one or the new one, whole."""
    fresh = path.with_name(f".{path.name}.new")
    with leftovers.removed(path):
        with fresh.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _checked(text: bytes) -> LedgerState:
    """What the file holds; ValueError if that is no ledger."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON: {error}") from None
    if not isinstance(found, dict) or not _names(found.get("versions")):
        raise ValueError("it holds no list of versions")
    checksum = found.pop(CHECKSUM, None)
    if checksum is not None and checksum != _checksum(found):
        raise ValueError("it does not have the checksum that it was written with")
    versions = set(found["versions"])
    strange = {alias: found[alias] for alias in ALIASES if found.get(alias) not in [None, *versions]}
    if strange:
        raise ValueError(f"its aliases name {strange}, but its versions are {found['versions']}")
    for key, kind in (("rejected", list), ("files", dict)):
        named = found.get(key, kind())
        if not isinstance(named, kind) or not _names(list(named)) or not versions.issuperset(named):
            raise ValueError(f"`{key}` names what is no version")
    return {**dict.fromkeys(ALIASES), **found}


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and CONTENT.fullmatch(each) for each in value)


def _checksum(body: LedgerState) -> str:
    return digest(json.dumps(body, sort_keys=True).encode())


def _damaged(store: Path, fault: str) -> HandbookError:
    path, before = store / LEDGER, store / BEFORE
    way = (
        f"It is the registry of {store.name}, and nothing else knows what it held. Bring it back from a backup; or, if "
        f"nothing of {store.name} is worth keeping, move {store} away and register again: "
        f"python -m handbook register {store.name}"
    )
    try:
        _checked(before.read_bytes())
    except (OSError, ValueError):
        return HandbookError(f"{path} is damaged: {fault}.\n{way}")
    return HandbookError(f"{path} is damaged: {fault}.\n{way}\nAs it was before its last change: cp {before} {path}")
