"""Every upstream address, with a host behind it that behaves as hosts do: the pinned bytes come, or a line says why."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from handbook import datasets
from handbook.data import downloads, fetch, network, provenance
from handbook.data.provenance import File
from handbook.errors import HandbookError
from tests.hosts import (
    CONTENT,
    FAULTY,
    HONEST,
    PATIENT,
    Answer,
    Host,
    Server,
    a_page_of_403_with_status_200,
    body_of,
    by_ranges,
    moved,
    moved_to_another_host,
    plainly,
)

URLS = sorted(
    {
        url
        for name in datasets.names()
        for files in provenance.forms(datasets.page(name)).values()
        for file in files
        for url in file.urls
    }
)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A host of which the test chooses the manners, on a machine that may be busy with other things."""
    monkeypatch.delenv("HANDBOOK_MIRROR", raising=False)
    monkeypatch.setattr(network, "CONNECT_SECONDS", 60.0)
    monkeypatch.setattr(network, "ANSWER_SECONDS", 60.0)
    monkeypatch.setattr(network, "STALL_SECONDS", 60.0)
    server: Any = Server(("127.0.0.1", 0), Host)
    server.requested, server.answer, server.body, server.stop = [], None, b"", threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.stop.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch, host: Any) -> None:
    """A fetcher that waits moments where it would wait seconds, and takes little for much."""
    for module, name, value in (
        (network, "ANSWER_SECONDS", 0.4), (network, "STALL_SECONDS", 0.4), (downloads, "PACE_SECONDS", 0.2),
        (downloads, "MOST", 1 << 20),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)


def page_at(url: str) -> Any:
    """A dataset of one file, at the address."""
    file = File("thing.bin", hashlib.sha256(CONTENT).hexdigest(), (url,))
    return SimpleNamespace(FILES=(file,), SOURCE="somewhere", LICENCE="none", ROWS={"all": 1}, __name__="toy")


def moved_here(url: str, host: Any) -> str:
    """The address on this machine, path, query and members as they are."""
    parts = urlsplit(url.partition("#")[0])
    query = f"?{parts.query}" if parts.query else ""
    return f"{host.url}{parts.path}{query}{''.join(url.partition('#')[1:])}"


def obtained(url: str, tmp_path: Path) -> dict[str, Any]:
    return fetch.obtain(page_at(url), tmp_path / "data" / "toy", fetch.Search("auto", tmp_path / "scratch"))


def test_there_are_addresses_and_each_is_of_the_web() -> None:
    assert len(URLS) > 20
    assert {urlsplit(url).scheme for url in URLS} <= {"http", "https"}


@pytest.mark.parametrize("answer", HONEST, ids=lambda answer: answer.__name__)
def test_the_pinned_bytes_come_from_every_address_however_an_honest_host_sends_them(
    answer: Answer, host: Any, tmp_path: Path
) -> None:
    for number, url in enumerate(URLS):
        host.answer, host.body = answer, body_of(url)
        obtained(moved_here(url, host), tmp_path / str(number))
        files = {path.name for path in (tmp_path / str(number)).rglob("*") if path.is_file()}
        assert files == {"thing.bin", "provenance.json"}, url
        assert (tmp_path / str(number) / "data" / "toy" / "thing.bin").read_bytes() == CONTENT, url


@pytest.mark.parametrize("answer", FAULTY, ids=lambda answer: answer.__name__)
@pytest.mark.usefixtures("hurried")
def test_whatever_else_a_host_does_is_a_line_under_tried_and_nothing_half_written_is_left(
    answer: Answer, host: Any, tmp_path: Path
) -> None:
    for url in URLS[:4] if answer in PATIENT else URLS:
        host.answer, host.body = answer, body_of(url)
        with pytest.raises(HandbookError, match=r"could not be fetched") as caught:
            obtained(moved_here(url, host), tmp_path)
        said = str(caught.value).split("Two ways out")[0].splitlines()
        assert said[0].endswith("Tried:")
        assert [line.startswith(f"  {host.url}") for line in said[1:]] == [True], said
        assert said[1].isprintable()
        assert len(said[1]) < 600
        assert list((tmp_path / "data" / "toy").iterdir()) == []


def test_a_name_that_is_not_resolved_is_given_up_in_the_time_for_a_connection(
    host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "CONNECT_SECONDS", 0.1)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: host.stop.wait(20) or [])
    start = time.monotonic()
    with pytest.raises(HandbookError, match=r"no connection within 0\.1 seconds"):
        obtained("http://far.example/thing.bin", tmp_path)
    assert time.monotonic() - start < 10  # of the 20 that it would take; a machine with other work is slow


def test_a_web_page_in_the_files_place_is_called_one(host: Any, tmp_path: Path) -> None:
    host.answer = a_page_of_403_with_status_200
    with pytest.raises(HandbookError, match=r"found \w{64}, which is a web page"):
        obtained(f"{host.url}/thing.bin", tmp_path)


@pytest.mark.parametrize("answer", [by_ranges, plainly], ids=lambda answer: answer.__name__)
@pytest.mark.parametrize("left", [CONTENT[:999], b"of another host", CONTENT, CONTENT + b"more"])
def test_what_another_try_has_left_is_gone_on_with_or_brought_again(
    answer: Answer, left: bytes, host: Any, tmp_path: Path
) -> None:
    host.answer, host.body = answer, CONTENT
    part = tmp_path / "scratch" / "downloads" / f"{hashlib.sha256(CONTENT).hexdigest()[:16]}-thing.bin"
    part.parent.mkdir(parents=True)
    part.write_bytes(left)
    obtained(f"{host.url}/thing.bin", tmp_path)
    assert (tmp_path / "data" / "toy" / "thing.bin").read_bytes() == CONTENT


def test_an_answer_of_other_bytes_than_asked_for_is_no_continuation(host: Any, tmp_path: Path) -> None:
    part = tmp_path / "scratch" / "downloads" / f"{hashlib.sha256(CONTENT).hexdigest()[:16]}-thing.bin"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:999])
    host.answer = lambda host, _: host.send(
        206, CONTENT[5:], Content_Range=f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}"
    )
    with pytest.raises(HandbookError, match="asked for the bytes from 999 on"):
        obtained(f"{host.url}/thing.bin", tmp_path)


def mirrored(mirror: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str = "mirror") -> fetch.Search:
    monkeypatch.setenv("HANDBOOK_MIRROR", mirror)
    search = fetch.Search(source, tmp_path / "scratch")
    fetch.obtain(page_at("http://127.0.0.1:1/thing.bin"), tmp_path / "data" / "toy", search)
    return search


@pytest.mark.parametrize("path", ["/my%20data", "/my data", "/daten/ü/", "/%C3%BC", "/a@b"])
def test_a_mirror_may_be_written_in_any_way_that_an_address_can_be(
    path: str, host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.answer, host.body = plainly, CONTENT
    search = mirrored(host.url.replace("http", "HTTP") + path, tmp_path, monkeypatch)
    assert host.requested[0][0].replace("%20", " ").endswith("/toy/thing.bin")
    assert "%25" not in host.requested[0][0]
    assert search.came["toy"].startswith("mirror HTTP://")


def test_a_folder_may_be_written_as_an_address_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "my data" / "toy"
    folder.mkdir(parents=True)
    (folder / "thing.bin").write_bytes(CONTENT)
    mirrored((tmp_path / "my data").as_uri(), tmp_path, monkeypatch)
    assert (tmp_path / "data" / "toy" / "thing.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("mirror", "message"),
    [
        ("http://127.0.0.1:port/data", "the port is no number"),
        ("http://127.0.0.1:99999/data", "the port is no number"),
        ("http://[::1/data", "IPv6"),
        ("https://", "names no host"),
        ("s3://bucket/data", "neither a folder nor an http address"),
        ("/no/such/folder", "no such file"),
    ],
)
def test_a_mirror_that_is_none_is_a_line_under_tried(
    mirror: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(HandbookError, match=message) as caught:
        mirrored(mirror, tmp_path, monkeypatch)
    assert "Tried:\n  " in str(caught.value)


def test_the_user_and_password_of_a_mirror_are_used_and_never_shown(
    host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def closed(host: Host, body: bytes) -> None:
        login = "Basic dXNlcjpzL2VjQHJldA=="  # user:s/ec@ret
        host.send(200, body) if host.headers.get("Authorization") == login else host.send(401)

    host.answer, host.body = closed, CONTENT
    address = host.url.removeprefix("http://")
    search = mirrored(f"http://user:s%2Fec%40ret@{address}/data", tmp_path, monkeypatch)
    assert search.came["toy"] == f"mirror http://{address}/data"
    for mirror in (f"http://user:other-s/ec@ret@{address}/data", f"http://user:s%2Fec@{address}/data",
                   f"http://user:s#ec@{address}:99999/", "http://user:12/ec@ret@127.0.0.1:1/"):  # fmt: skip
        with pytest.raises(HandbookError) as caught:
            mirrored(mirror, tmp_path / "other", monkeypatch)
        assert not any(secret in str(caught.value) for secret in ("ec", "ret@", "user:"))
    assert "ret" not in "".join(capfd.readouterr())


def test_a_login_goes_along_to_the_same_host_and_to_no_other(
    host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.body = CONTENT
    for answer, times in ((moved, 2), (moved_to_another_host, 1)):
        host.answer, host.requested = answer, []
        mirrored(host.url.replace("//", "//user:secret@"), tmp_path / answer.__name__, monkeypatch)
        assert ["Authorization" in headers for _, headers in host.requested] == [True, times == 2]


def test_a_mirror_that_does_not_answer_does_not_speak_for_the_network(
    host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.answer, host.body = plainly, CONTENT
    monkeypatch.setenv("HANDBOOK_MIRROR", "http://127.0.0.1:1/")
    search = fetch.Search("auto", tmp_path / "scratch")
    search.network.in_a_row = 1  # one more silent host, and the network would be given up
    fetch.obtain(page_at(f"{host.url}/sub/thing.bin"), tmp_path / "data" / "toy", search)
    assert search.came["toy"] == f"upstream {host.url}/sub/"
    fetch.obtain(page_at(""), tmp_path / "data" / "toy", search)
    assert search.came["toy"] == "already there"
