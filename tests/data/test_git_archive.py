"""A selection of a commit becomes the same archive wherever its repository lies, and what it lacks is named."""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import threading
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from handbook import datasets
from handbook.data import fetch, git_archive, provenance
from handbook.data.git_archive import Git, Selection, listed
from handbook.data.network import Network
from handbook.errors import HandbookError

MIRROR = Path(os.environ.get("HANDBOOK_MIRROR") or "/no mirror")
pytestmark = [
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
    pytest.mark.usefixtures("no_mirror"),
]
PAGE = datasets.page("pokemon")
NAMES = "iii/emerald\n  1..3 201-a,b\niii/emerald/shiny\n  1 egg\n"
WANTED = {
    "iii/emerald/1.png": b"one", "iii/emerald/2.png": b"two", "iii/emerald/3.png": bytes(range(256)) * 40,
    "iii/emerald/201-a.png": b"a\n", "iii/emerald/201-b.png": b"", "iii/emerald/shiny/1.png": b"one",
    "iii/emerald/shiny/egg.png": b"egg",
}  # fmt: skip
UNWANTED = {"iii/emerald/4.png": b"not wanted", "iii/emerald/back/1.png": b"back", "../README": b"text"}


def repository(place: Path, files: Mapping[str, bytes], mode: Mapping[str, str] | None = None) -> str:
    """A bare repository that serves parts of its history, with one commit of these files; returns the commit's id."""
    git = ["git", "-C", str(place)]
    environment = os.environ | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", "init", "--quiet", "--bare", str(place)], check=True, env=environment)
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        subprocess.run([*git, "config", key, "true"], check=True)
    stream = BytesIO(b"")
    stream.write(b"commit refs/heads/main\ncommitter a <a@example.org> 1631836800 +0000\ndata 0\n")
    for name, content in files.items():
        path = os.path.normpath(f"sprites/versions/{name}")
        kind = (mode or {}).get(name, "100644")
        stream.write(f"M {kind} inline {path}\ndata {len(content)}\n".encode() + content + b"\n")
    subprocess.run([*git, "fast-import", "--quiet"], input=stream.getvalue(), check=True)
    return subprocess.check_output([*git, "rev-parse", "main"], text=True).strip()


@pytest.fixture
def selection(tmp_path: Path) -> Selection:
    """A selection of a small repository that this machine can read as file://."""
    (tmp_path / "names.txt").write_text(NAMES)
    commit = repository(tmp_path / "web" / "sprites", WANTED | UNWANTED)
    address = (tmp_path / "web" / "sprites").as_uri()
    return Selection(address, commit, "sprites/versions", "pokemon", tmp_path / "names.txt", (2021, 9, 17))


class Backend(http.server.BaseHTTPRequestHandler):
    """A git host: git's own program for the web, as a web server runs it."""

    server: Any

    def do_GET(self) -> None:
        self._run(b"")

    def do_POST(self) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self._run(body)

    def _run(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        self.server.requested.append(self.path)
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.server.root), "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command, "PATH_INFO": parts.path, "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "GIT_CONFIG_GLOBAL": os.devnull,
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment, check=False)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        lines = [line.decode().split(": ", 1) for line in head.split(b"\r\n")]
        status = next((value for name, value in lines if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in lines:
            if name != "Status":
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer[: self.server.cut if self.command == "POST" else None])

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Any]:
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    server.root, server.requested, server.cut = tmp_path / "web", [], None
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def brought(selection: Selection, tmp_path: Path) -> bytes:
    (tmp_path / "scratch").mkdir(exist_ok=True)
    selection.bring(tmp_path / "scratch" / "all.zip", Network())
    return (tmp_path / "scratch" / "all.zip").read_bytes()


def by_hand() -> bytes:
    """The archive by its rules: sorted by name, stored, dated, mode 644."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        for name in sorted(f"pokemon/{name}" for name in WANTED):
            member = zipfile.ZipInfo(name, (2021, 9, 17, 0, 0, 0))
            member.create_system, member.external_attr = 3, 0o644 << 16
            out.writestr(member, WANTED[name.removeprefix("pokemon/")])
    return packed.getvalue()


def test_the_archive_is_the_same_from_a_folder_and_over_http(selection: Selection, host: Any, tmp_path: Path) -> None:
    assert brought(selection, tmp_path) == by_hand()
    assert brought(replace(selection, repository=f"{host.url}/sprites"), tmp_path) == by_hand()
    assert len(host.requested) < 12  # a fixed number of requests, not one a file
    assert [path.name for path in (tmp_path / "scratch").iterdir()] == ["all.zip"]


def test_only_what_is_named_is_fetched(selection: Selection, tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    git = Git(tmp_path / "room", selection.repository)
    git.fetch("commit", [selection.commit], "--depth=1")
    tree = git.run("ls-tree", "-r", selection.commit).decode().splitlines()
    objects = {line.split("\t")[1].removeprefix("sprites/versions/"): line.split()[2] for line in tree}
    git.fetch("files", [objects["iii/emerald/1.png"]])
    assert list(git.contents([objects["iii/emerald/1.png"]])) == [b"one"]
    with pytest.raises(HandbookError, match=r"found (missing|nothing)"):
        list(git.contents([objects["iii/emerald/4.png"]]))


@pytest.mark.parametrize("fault", ["absent", "a link", "a folder"])
def test_a_repository_that_lacks_a_file_is_refused_by_name(fault: str, selection: Selection, tmp_path: Path) -> None:
    files, name = dict(WANTED), "iii/emerald/201-b.png"
    files.pop(name)
    if fault == "a link":
        files[name] = b"/etc/hostname"
    if fault == "a folder":
        files[f"{name}/within.png"] = b"x"
    commit = repository(tmp_path / "other", files, {name: "120000"})
    other = replace(selection, repository=(tmp_path / "other").as_uri(), commit=commit)
    with pytest.raises(HandbookError, match=r"the commit lacks sprites/versions/iii/emerald/201-b\.png"):
        brought(other, tmp_path)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_several_files_that_are_lacking_are_counted(selection: Selection, tmp_path: Path) -> None:
    selection.names.write_text(NAMES + "iv/platinum\n  1..493\n")
    with pytest.raises(HandbookError, match=r"lacks sprites/versions/iv/platinum/1\.png and 492 more"):
        brought(selection, tmp_path)


def test_a_file_too_large_for_a_sprite_is_refused(
    selection: Selection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_archive, "LARGEST", 1000)
    with pytest.raises(HandbookError, match="expected a file of at most 1,000 bytes"):
        brought(selection, tmp_path)


def test_neither_the_users_settings_nor_the_repository_that_we_run_in_reach_git(
    selection: Selection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = (
        f'[url "file:///nowhere/"]\n insteadOf = file:///\n[core]\n hooksPath = {tmp_path}\n[fetch]\n fsck = maybe\n'
    )
    (tmp_path / ".gitconfig").write_text(settings)
    hook = tmp_path / "reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n")
    hook.chmod(0o755)
    for key, value in {
        "HOME": tmp_path, "GIT_CONFIG_GLOBAL": tmp_path / ".gitconfig", "GIT_DIR": tmp_path / "elsewhere",
        "GIT_OBJECT_DIRECTORY": tmp_path / "elsewhere", "GIT_TEMPLATE_DIR": tmp_path, "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.hooksPath", "GIT_CONFIG_VALUE_0": tmp_path,
    }.items():  # fmt: skip
        monkeypatch.setenv(key, str(value))
    assert brought(selection, tmp_path) == by_hand()
    assert not (tmp_path / "hooked").exists()
    assert not (tmp_path / "elsewhere").exists()


def cut(host: Any) -> None:
    host.cut = 900


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s, h: replace(s, commit="f" * 40), "git says: .*not our ref"),
        (lambda s, h: replace(s, repository=f"{h.url}/none"), "git says: .*not found"),
        (lambda s, h: replace(s, repository="http://127.0.0.1:1/sprites"), "refused"),
        (lambda s, h: replace(s, repository="file:///no/such"), "git says: "),
        (lambda s, h: replace(s, repository=f"{h.url}/sprites") if not cut(h) else s, "git says: "),
    ],
    ids=["no such commit", "no such repository", "no host", "no folder", "cut off"],
)
def test_what_goes_wrong_is_reported_in_a_line_and_leaves_nothing(
    spoil: Callable[[Selection, Any], Selection], message: str, selection: Selection, host: Any, tmp_path: Path
) -> None:
    file = provenance.File("all.zip", "0" * 64, (), far=(spoil(selection, host),))
    page: Any = type("page", (), {"FILES": (file,)})
    with pytest.raises(HandbookError, match=message) as caught:
        fetch.obtain(page, tmp_path / "data" / "toy", fetch.Search("auto", tmp_path / "scratch"))
    assert len(str(caught.value).splitlines()) == 4
    assert list((tmp_path / "scratch" / "downloads").iterdir()) == []
    assert list((tmp_path / "data" / "toy").iterdir()) == []


def test_without_git_that_is_what_is_said(
    selection: Selection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HandbookError, match="git is not installed"):
        brought(selection, tmp_path)


def test_the_list_of_sprites_has_as_many_of_each_game_as_the_page_says() -> None:
    names = listed(PAGE.SELECTION.names.read_text())
    assert len({*names}) == len(names) == PAGE.ROWS["sprites"]
    assert all(fetch_name.count("/") in (2, 3) for fetch_name in names)
    counts = Counter((*name.split("/")[:2], "/shiny/" in name) for name in names)
    for (generation, game), (normal, shiny) in PAGE.GAMES.items():
        assert (counts[generation, game, False], counts[generation, game, True]) == (normal, shiny)


@pytest.mark.real
@pytest.mark.skipif(not MIRROR.is_dir(), reason="HANDBOOK_MIRROR is not a folder with the real data")
@pytest.mark.parametrize("way", ["file", "http"])
def test_the_real_archive_comes_out_of_a_repository_byte_for_byte(way: str, host: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(MIRROR / "pokemon" / PAGE.ARCHIVE) as archive:
        files = {name.removeprefix("pokemon/"): archive.read(name) for name in archive.namelist()}
    assert sorted(files) == sorted(listed(PAGE.SELECTION.names.read_text()))
    unwanted = {"generation-v/black-white/10180.png": b"no image", "generation-v/black-white/back/1.png": b"back"}
    place = tmp_path / "web" / "sprites"
    commit = repository(place, {f"../pokemon/versions/{name}": content for name, content in (files | unwanted).items()})
    address = place.as_uri() if way == "file" else f"{host.url}/sprites"
    far = (replace(PAGE.SELECTION, repository=address, commit=commit),)
    page: Any = type(
        "page", (), {"FILES": (replace(PAGE.FILES[0], far=far),), "ROWS": PAGE.ROWS, "SOURCE": "", "LICENCE": ""}
    )
    search = fetch.Search("upstream", tmp_path / "scratch")
    assert fetch.obtain(page, tmp_path / "data" / "pokemon", search)["kind"] == "real"
    assert search.came["pokemon"] == f"{address} at commit {commit[:12]}"
