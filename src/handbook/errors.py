"""Errors as a person needs them: what went wrong, where, what was expected, what was found, and what to do."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from difflib import get_close_matches


class HandbookError(Exception):
    """An error whose message is the whole story; shown without a traceback."""


def unknown(kind: str, name: str, choices: Iterable[str]) -> HandbookError:
    """`no case 'lenett'; choose from lenet, digits (did you mean lenet?)`."""
    names = sorted(choices)
    near = get_close_matches(name, names, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return HandbookError(f"no {kind} {name!r}; choose from {', '.join(names) or 'none'}{hint}")


# What the system refuses, whoever asks: said in a sentence with a way out, for nothing in our code is at fault.
_REFUSALS = {
    errno.ENOSPC: ("no space is left", "Make room (.cache, .sample and old files in mlruns can go), and run again"),
    errno.EDQUOT: ("your quota of space is used up", "Make room, or ask for more, and run again"),
    errno.EROFS: ("the file system is read only", "Mount it writable, or work in a copy elsewhere"),
    errno.EACCES: ("permission is denied", "Give yourself the right to read and write there: chmod, chown; run again"),
    errno.EPERM: ("the system does not permit it", "See who owns the file and how it is mounted; run again"),
    errno.EIO: ("the disk answers with errors", "See the system's log before you go on: files may be damaged"),
    errno.EMFILE: ("this process has too many files open", "Allow it more: ulimit -n 4096; run again"),
    errno.ENFILE: ("the system has too many files open", "End other programmes, and run again"),
    errno.ENAMETOOLONG: ("a name or path is too long", "Work in a folder with a shorter path"),
    errno.ENOTDIR: ("a file stands where a folder is expected", "Move it away, and run again"),
    errno.EISDIR: ("a folder stands where a file is expected", "Move it away, and run again"),
    errno.ELOOP: ("a link leads to itself", "Remove it, and run again"),
}
# The same, as libraries write it that hand on a text and no number.
_WORDS = {
    errno.ENOSPC: r"No space left on device|database or disk is full|StorageFull|PytorchStreamWriter failed writing",
    errno.EDQUOT: r"Disk quota exceeded|QuotaExceeded",
    errno.EROFS: r"Read-only file system|attempt to write a readonly database|ReadOnlyFilesystem",
    errno.EACCES: r"Permission denied|PermissionDenied|unable to open database file",
    errno.EIO: r"disk I/O error|Input/output error",
}


_NONE = 1 << 22  # bytes: so little is no room


def from_system(error: BaseException) -> HandbookError | None:
    """The sentence for what the system refused, a full disk say, wherever in a chain of errors it began; else None."""
    for each in _chain(error):
        number = each.errno if isinstance(each, OSError) else None
        if number not in _REFUSALS:
            number = next((known for known, words in _WORDS.items() if re.search(words, str(each))), None)
        if number is not None:
            return _refusal(number, each)
    return None


def sentence(error: Exception) -> HandbookError:
    """What a programme says of an error before it ends with 1: our own, or what the system refused.

    Any other error is raised again, with its traceback: that is a fault of ours.
    """
    said = error if isinstance(error, HandbookError) else from_system(error)
    if said is None:
        raise error
    return said


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__ if each.__suppress_context__ else each.__context__, each.__cause__]


def _refusal(number: int, error: BaseException) -> HandbookError:
    what, way = _REFUSALS[number]
    return HandbookError(f"{what}{_place(number, error)}. {way}")


def _place(number: int, error: BaseException) -> str:
    """Where it happened: the file that the error names, or else the file systems that have no room."""
    if named := getattr(error, "filename", None):
        return f": {named if isinstance(named, str) else str(named)}"
    if number != errno.ENOSPC:
        said = [line.strip() for line in str(error).splitlines() if line.strip()]
        return f": {said[0][:200]}" if said else ""
    full = [place for place in (os.getcwd(), tempfile.gettempdir()) if shutil.disk_usage(place).free < _NONE]  # noqa: PTH109
    return f" on the disk of {' and of '.join(dict.fromkeys(full))}" if full else " on the disk"
