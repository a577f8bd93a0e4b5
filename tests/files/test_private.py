"""What must hold for folders whose content is believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from handbook.errors import HandbookError
from handbook.files import private


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o277])
def test_a_private_folder_is_its_owners_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        created = private.private_folder(tmp_path / "made")
    finally:
        os.umask(before)
    assert mode(created) == 0o700


def test_one_that_was_open_is_closed_and_keeps_what_it_holds(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    (tmp_path / "kept").write_text("kept")
    assert (private.private_folder(tmp_path) / "kept").read_text() == "kept"
    assert mode(tmp_path) == 0o700


def test_one_of_somebody_elses_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "_trusted", lambda path: {4242})
    with pytest.raises(HandbookError, match=r"belongs to [\w ]+, who could replace what is kept there.\nRemove it"):
        private.private_folder(tmp_path)


def test_a_file_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HandbookError, match=r"file: expected a folder, found something else. Move it away"):
        private.private_folder(tmp_path / "file")


def test_a_site_cache_that_others_can_write_to_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(private.SITE_CACHE, raising=False)
    checkout = tmp_path / ".dvc" / "site" / "repo" / "0123"
    checkout.mkdir(parents=True)
    for folder in (checkout, *checkout.parents[:2]):
        folder.chmod(0o777)
    assert private.site_cache(tmp_path) == tmp_path / ".dvc" / "site"
    assert {mode(folder) for folder in (checkout, *checkout.parents[:2])} == {0o700}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_site_cache_in_which_others_have_put_something_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(private.SITE_CACHE, str(tmp_path / "site"))
    planted = private.site_cache(tmp_path) / "repo" / "cache.db"
    planted.parent.mkdir()
    planted.touch()
    os.chown(planted, 4242, 4242)
    with pytest.raises(HandbookError, match=r"cache.db belongs to user 4242, and DVC would run(.|\n)*rm -rf .*/site"):
        private.site_cache(tmp_path)
