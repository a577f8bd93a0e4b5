"""The password of Prefect's server: made at its first start, kept for its owner alone, known to flows and commands."""

from __future__ import annotations

import os
import re
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from handbook.errors import HandbookError
from handbook.files.private import private_folder

# As Prefect calls them: what a server asks for, and what those who ask it give.
SERVER_AUTH, AUTH = "PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"
USER = "handbook"  # Prefect wants `user:password` and has one user
KEPT = re.compile(rf"{USER}:[A-Za-z0-9_-]{{43}}\n")  # 32 random bytes


def password(home: Path) -> str:
    """`user:password` of the server whose PREFECT_HOME this is: a person's own, else the one that is kept there.

    Raises HandbookError for a file that holds something else, and for a home that belongs to somebody else.
    """
    return os.environ.get(SERVER_AUTH) or os.environ.get(AUTH) or kept(home)


def place(home: Path) -> Path:
    """The file that keeps it."""
    return home / "password"


def kept(home: Path) -> str:
    """The password that is kept, made if there is none. Two that make it at once get the same one."""
    file = place(private_folder(home))
    _drop_what_others_read(file)
    if not file.exists():
        _make(file)
    text = file.read_text(errors="replace")
    if not KEPT.fullmatch(text):
        raise HandbookError(
            f"{file} holds no password of ours. Expected one line {USER}:PASSWORD, found {len(text)} characters.\n"
            "Delete it: the next start makes a new one"
        )
    return text.strip()


def _make(file: Path) -> None:
    """Written whole under a name of its own, and named only if nobody was faster: none is ever seen half written."""
    handle, new = tempfile.mkstemp(prefix=".password-", dir=file.parent)  # O_EXCL and 0600, whatever the umask
    try:
        with os.fdopen(handle, "w") as lines:
            lines.write(f"{USER}:{secrets.token_urlsafe(32)}\n")
        with suppress(FileExistsError):  # another first start made it
            os.link(new, file)
    finally:
        Path(new).unlink()


def _drop_what_others_read(file: Path) -> None:
    """A password that others could read or write is none: a new one is made, which a server takes at its next start."""
    try:
        found = file.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        file.unlink(missing_ok=True)
