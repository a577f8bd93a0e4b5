"""Files written in one step under a name that nobody can foresee: two writers do not meet, and no link lies there."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def write_json(path: Path, content: Any) -> None:
    """Sorted keys, one line end at the end: a diff shows what changed and nothing else."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file in one step: it is the old one or the new one, whole, with the mode of any new file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """`write_text` of bytes, into a folder that is there."""
    handle, name = tempfile.mkstemp(prefix=".", suffix=".new", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        fresh.chmod(usual(0o666))  # mkstemp's is its owner's alone
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def usual(mode: int) -> int:
    """What a new file or folder of that mode has here: less the process's mask, which is known only by setting one."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mode & ~mask
