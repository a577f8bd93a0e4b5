"""Debian's package of Fashion-MNIST: its files with their publisher's headers are the pinned ones."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handbook import datasets
from handbook.data import fetch, provenance
from handbook.data.debian import Package, restored
from handbook.errors import HandbookError

MIRROR = Path(os.environ.get("HANDBOOK_MIRROR") or "/no mirror")
TIMES = {"a.gz": 0x59A7E9DE, "b.gz": 7}
ORIGINALS = {name: restored(gzip.compress(name.encode() * 99, mtime=3), name, time) for name, time in TIMES.items()}
needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")


def emptied(original: bytes, name: str) -> bytes:
    """A file as Debian packs it: no name in the header, and another time."""
    return b"\x1f\x8b\x08\x00" + (99).to_bytes(4, "little") + original[8:10] + original[11 + len(name) - 3 :]


def page_of(folder: Path) -> Any:
    package = Package("dataset-toy", folder, TIMES)
    files = tuple(
        provenance.File(name, hashlib.sha256(content).hexdigest(), (), None, *package.places(name))
        for name, content in ORIGINALS.items()
    )
    return SimpleNamespace(FILES=files, SOURCE="somewhere", LICENCE="none", ROWS={"all": 1}, __name__="toy")


def apt(tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An apt-get of ours, before all others; it counts its calls."""
    tool = tmp_path / "bin" / "apt-get"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n{script}\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    monkeypatch.delenv("HANDBOOK_MIRROR", raising=False)


def packed(tmp_path: Path, folder: Path, files: dict[str, bytes]) -> Path:
    """A package that installs these files there."""
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    control = "Package: dataset-toy\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: toy\n"
    (tree / "DEBIAN" / "control").write_text(control)
    place = tree / str(folder).lstrip("/")
    place.mkdir(parents=True)
    for name, content in files.items():
        (place / name).write_bytes(content)
    (place / "link.gz").symlink_to("/etc/hostname")
    for each in (tree, *tree.rglob("*")):
        if each.is_dir():
            each.chmod(0o755)  # whatever the umask: dpkg-deb packs nothing that is closed
    subprocess.run(["dpkg-deb", "--build", str(tree), str(tmp_path / "toy.deb")], check=True, capture_output=True)
    return tmp_path / "toy.deb"


DEBIAN = {name: emptied(content, name) for name, content in ORIGINALS.items()}
ANSWER = 'case "$*" in *--print-uris*) echo "\'http://deb/toy.deb\' toy.deb 999 SHA256:0" ;; *) {} ;; esac'


def test_a_header_that_was_emptied_is_put_back_and_nothing_else_changes() -> None:
    for name, content in ORIGINALS.items():
        assert restored(DEBIAN[name], name, TIMES[name]) == content
        assert gzip.decompress(content) == name.encode() * 99
    with pytest.raises(HandbookError, match="does not begin with an empty gzip header"):
        restored(ORIGINALS["a.gz"], "a.gz", 1)


def test_an_installed_package_is_read_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt(tmp_path, "exit 1", monkeypatch)
    (tmp_path / "share").mkdir()
    for name, content in DEBIAN.items():
        (tmp_path / "share" / name).write_bytes(content)
    search = fetch.Search("auto", tmp_path / "scratch")
    fetch.obtain(page_of(tmp_path / "share"), tmp_path / "data" / "toy", search)
    assert search.came["toy"] == "Debian's package dataset-toy, installed"
    assert (tmp_path / "data" / "toy" / "b.gz").read_bytes() == ORIGINALS["b.gz"]
    assert not (tmp_path / "calls").exists()


@needs_dpkg
def test_a_package_is_brought_once_for_all_its_files_and_nothing_of_it_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path("/usr/share/datasets/toy")
    package = packed(tmp_path, folder, DEBIAN | {"other.gz": b"other"})
    apt(tmp_path, ANSWER.format(f"cp {package} toy_1_all.deb"), monkeypatch)
    search = fetch.Search("auto", tmp_path / "scratch")
    fetch.obtain(page_of(folder), tmp_path / "data" / "toy", search)
    assert search.came["toy"] == "Debian's package dataset-toy, by apt-get download"
    files = {path.name: path.read_bytes() for path in (tmp_path / "data" / "toy").iterdir()}
    assert {name: files[name] for name in TIMES} == ORIGINALS
    assert len((tmp_path / "calls").read_text().splitlines()) == 2
    assert list((tmp_path / "scratch" / "downloads").iterdir()) == []


@needs_dpkg
@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'E: Unable to locate package dataset-toy' >&2; exit 100", "does not know it: E: Unable to locate"),
        (ANSWER.format("echo 'E: Failed to fetch http://deb' >&2; exit 100"), "download failed: E: Failed to fetch"),
        (ANSWER.format("true"), "download failed: it left no package"),
        (ANSWER.format("echo nonsense > toy.deb"), "toy.deb is no sound package"),
        (ANSWER.format("head -c 300 PACKAGE > toy.deb"), "toy.deb is no sound package"),
        (ANSWER.format("cp PACKAGE toy.deb"), "the package holds no /usr/share/datasets/toy/a.gz"),
    ],
)
def test_what_apt_does_not_bring_is_a_line_under_tried_and_is_not_tried_for_every_file(
    script: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path("/usr/share/datasets/toy")
    package = packed(tmp_path, folder, {"b.gz": b"neither"})
    apt(tmp_path, script.replace("PACKAGE", str(package)), monkeypatch)
    search = fetch.Search("auto", tmp_path / "scratch")
    with pytest.raises(HandbookError, match=message) as caught:
        fetch.obtain(page_of(folder), tmp_path / "data" / "toy", search)
    assert len(str(caught.value).splitlines()) == 5  # a line for what is installed, and one for apt
    if "download failed" in message or "know" in message:
        requested = (tmp_path / "calls").read_text()
        with pytest.raises(HandbookError, match="apt-get could not fetch it on an earlier try"):
            fetch.obtain(page_of(folder), tmp_path / "data" / "toy", search)
        assert (tmp_path / "calls").read_text() == requested
    assert list((tmp_path / "data" / "toy").iterdir()) == []


def test_a_machine_without_apt_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HANDBOOK_MIRROR", raising=False)
    with pytest.raises(HandbookError, match="by apt-get download: this machine has no apt-get"):
        fetch.obtain(page_of(tmp_path), tmp_path / "data" / "toy", fetch.Search("auto", tmp_path / "scratch"))


@pytest.mark.real
@pytest.mark.skipif(not MIRROR.is_dir(), reason="HANDBOOK_MIRROR is not a folder with the real data")
def test_the_real_files_differ_from_debians_in_their_headers_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = datasets.page("fashion_mnist")
    for file in page.FILES:
        original = (MIRROR / "fashion_mnist" / file.name).read_bytes()
        assert original[3] == 0x08
        assert original[10:].startswith(file.name.removesuffix(".gz").encode() + b"\0")
        assert restored(emptied(original, file.name), file.name, page.PINNED[file.name][1]) == original
