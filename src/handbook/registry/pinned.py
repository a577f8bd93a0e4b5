"""Files by the names that DVC has for them: their md5."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def md5(path: Path) -> str:
    """As DVC names a file or a folder (dvc_data.hashfile.tree); nothing for what is not there."""
    if path.is_file():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if not path.is_dir():
        return ""
    files = sorted(each for each in path.rglob("*") if each.is_file() and "__pycache__" not in each.parts)
    listing = [{"md5": md5(each), "relpath": each.relative_to(path).as_posix()} for each in files]
    listing.sort(key=lambda each: each["relpath"])
    return hashlib.md5(json.dumps(listing, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
