"""Errors as a person needs them: the thing, the value and the way out."""

from __future__ import annotations

import errno
import shutil
import sqlite3

import pytest

from handbook.errors import HandbookError, from_system, unknown


@pytest.mark.parametrize(
    ("name", "choices", "message"),
    [
        ("lenett", {"mlp", "lenet"}, "no case 'lenett'; choose from lenet, mlp (did you mean lenet?)"),
        ("zzz", ["mlp", "lenet"], "no case 'zzz'; choose from lenet, mlp"),
        ("mlp", [], "no case 'mlp'; choose from none"),
    ],
)
def test_an_unknown_name_is_answered_with_all_names_and_the_nearest(name: str, choices: set[str], message: str) -> None:
    assert str(unknown("case", name, choices)) == message


def test_the_order_of_the_choices_changes_no_word_and_they_may_be_read_once() -> None:
    names = ["digits", "lenet", "dcgan"]
    one = unknown("case", "lenat", iter(names))
    assert isinstance(one, HandbookError)
    assert str(one) == str(unknown("case", "lenat", reversed(names)))


def raised(error: BaseException, around: type[Exception] | None = None) -> Exception:
    """An error as it arrives: by itself, or wrapped by a library's own."""
    try:
        try:
            raise error
        except Exception:
            if around is None:
                raise
            raise around("it failed") from error
    except Exception as found:
        return found


@pytest.mark.parametrize("around", [None, RuntimeError])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.json"), "no space is left: a.json. Make room"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "a.json"), "your quota of space is used up: a.json. Make room"),
        (OSError(errno.EROFS, "Read-only file system", "a.json"), "the file system is read only: a.json"),
        (PermissionError(errno.EACCES, "Permission denied", "a.json"), "permission is denied: a.json. Give yourself"),
        (OSError(errno.ENOSPC, "No space left on device"), "no space is left on the disk"),
        (sqlite3.OperationalError("database or disk is full"), "no space is left on the disk"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "the file system is read only"),
        (RuntimeError("PytorchStreamWriter failed writing file data/3"), "no space is left on the disk"),
        (ValueError("IoError(Os { code: 28, kind: StorageFull })"), "no space is left"),
        (shutil.Error([("a", "b", "[Errno 28] No space left on device: 'b'")]), "no space is left"),
    ],
)  # fmt: skip
def test_what_the_system_refuses_is_a_sentence_however_it_arrives(
    error: Exception, said: str, around: type[Exception] | None
) -> None:
    assert str(from_system(raised(error, around))).startswith(said)


@pytest.mark.parametrize(
    "error", [ValueError("no"), FileNotFoundError(errno.ENOENT, "No such file", "a"), KeyError("a")]
)
def test_a_fault_of_our_own_keeps_its_traceback(error: Exception) -> None:
    assert from_system(raised(error)) is None
    hidden = raised(error)
    hidden.__context__, hidden.__suppress_context__ = OSError(errno.ENOSPC, "full"), True
    assert from_system(hidden) is None
