"""Folders held against the sha256 of their files: no more, no less, and what is read is what was written down."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.files import integrity
from handbook.files.integrity import digest


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    sealed = integrity.Sealed(tmp_path, {"pipe": digest(b"")}, "this")
    with pytest.raises(HandbookError, match="pipe cannot be read"):
        sealed.read("pipe")
    assert sealed.faults() == [f"{tmp_path / 'pipe'} was changed: it is no file that can be read"]


@pytest.fixture
def sealed(tmp_path: Path) -> integrity.Sealed:
    """A folder of three files, as they were written down."""
    for name in ("a", "sub/b", "sub/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode() * 9)
    return integrity.Sealed(tmp_path, integrity.hashes(tmp_path), "this thing", "Bring it back")


def test_hashes_are_those_of_sha256sum_without_the_list_itself(sealed: integrity.Sealed) -> None:
    (sealed.place / integrity.FILES).write_text("{}")
    (sealed.place / "sub" / integrity.FILES).write_text("{}")
    done = subprocess.run(
        ["sha256sum", "a", "sub/b", "sub/c", f"sub/{integrity.FILES}"],
        cwd=sealed.place, capture_output=True, text=True, check=True,
    )  # fmt: skip
    theirs = {name: digest for digest, name in (line.split() for line in done.stdout.splitlines())}
    assert integrity.hashes(sealed.place) == theirs
    assert integrity.digest(b"a" * 9) == theirs["a"]


def test_each_fault_is_named_and_they_are_counted_from_the_sixth_on(sealed: integrity.Sealed) -> None:
    sealed.check()
    (sealed.place / "a").unlink()
    (sealed.place / "sub/b").write_text("other")
    for number in range(5):
        (sealed.place / f"new{number}").touch()
    with pytest.raises(HandbookError) as caught:
        sealed.check()
    place = sealed.place
    assert str(caught.value).splitlines() == [
        "this thing is not what was registered, and is not used:",
        f"  {place / 'a'} is missing",
        *(f"  {place / f'new{number}'} is new" for number in range(4)),
        "  and 2 more",
        "Bring it back",
    ]


def test_a_file_that_was_changed_or_never_written_down_is_not_read(sealed: integrity.Sealed) -> None:
    assert sealed.read("sub/b") == b"sub/b" * 9
    (sealed.place / "sub/b").write_bytes(b"other")
    with pytest.raises(HandbookError) as changed:
        sealed.read("sub/b")
    old, new = integrity.digest(b"sub/b" * 9), integrity.digest(b"other")
    assert f"{sealed.place / 'sub/b'} was changed: sha256 {old}, found {new}\nBring it back" in str(changed.value)
    (sealed.place / "d").touch()
    with pytest.raises(HandbookError, match=r"d was never written down"):
        sealed.read("d")
    (sealed.place / "a").unlink()
    with pytest.raises(HandbookError, match="a cannot be read: No such file or directory"):
        sealed.read("a")


def test_a_link_to_the_very_same_bytes_is_a_fault(sealed: integrity.Sealed, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "a"
    (sealed.place / "a").replace(elsewhere)
    (sealed.place / "a").symlink_to(elsewhere)
    assert sealed.faults() == [f"{sealed.place / 'a'} was changed: it is a link"]
    with pytest.raises(HandbookError, match="a cannot be read"):
        sealed.read("a")


def test_files_are_laid_out_under_other_names_byte_for_byte(sealed: integrity.Sealed, tmp_path_factory: Any) -> None:
    to = tmp_path_factory.mktemp("to")
    assert sealed.below("sub") == {"b": "sub/b", "c": "sub/c"}
    sealed.lay_out({"deep/er/x": "a"} | sealed.below("sub"), to)
    assert integrity.hashes(to) == {
        "b": sealed.files["sub/b"], "c": sealed.files["sub/c"], "deep/er/x": sealed.files["a"],
    }  # fmt: skip
    assert sealed.contents("sub") == {"b": b"sub/b" * 9, "c": b"sub/c" * 9}
