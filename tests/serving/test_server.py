"""The server says where it is, by an address that can be typed, and answers to its own names alone."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from handbook.serving import server


@pytest.mark.parametrize(("host", "typed"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")])  # noqa: S104
def test_the_line_to_try_is_one_that_a_shell_takes_whatever_the_folder_is_called(host: str, typed: str) -> None:
    example = Path("/a folder/it's here.json")
    with socket.socket() as taken:
        taken.bind((host, 0))
        address = f"http://{typed}:{taken.getsockname()[1]}/invocations"
        said, line = server.announcement("toy version 1", taken, example).splitlines()
    docs = address.replace("/invocations", "/docs")
    assert said == f"toy version 1 is at {address}, until Ctrl-C; {docs} describes it. Try it:"
    words = shlex.split(line)
    assert words[:2] == ["curl", address]
    assert words[-1] == f"@{example}"


def test_the_server_knows_nothing_of_the_handbook_that_starts_it() -> None:
    loaded = "print([name for name in sys.modules if name.partition('.')[0] == 'handbook'])"
    script = f"import runpy, sys; runpy.run_path({server.__file__!r}); {loaded}"
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def status_of(server_name: str, *headers: tuple[str, str], names: tuple[str, ...] = ()) -> int:
    """The status that a request with these headers is answered with; 200 is the application's own."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    raw = [(key.encode(), value.encode()) for key, value in headers]
    scope = {"type": "http", "headers": raw, "server": (server_name, 5001)}
    asyncio.run(server.named(app, 5001, names)(scope, None, send))
    assert (b"x-content-type-options", b"nosniff") in sent[0]["headers"]
    return int(sent[0]["status"])


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:5001", 200), ("localhost:5001", 200), ("LocalHost:5001", 200), ("[::1]:5001", 200),
        ("10.0.0.7:5001", 200), ("model.example:8080", 200), (f"{socket.gethostname()}:5001", 200),
        ("evil.example:5001", 421), ("127.0.0.1:5002", 421), ("127.0.0.1", 421), ("10.0.0.8:5001", 421), ("", 421),
        ("127.0.0.1.evil.example:5001", 421), ("model.example:5001", 421),
    ],
)  # fmt: skip
def test_a_host_that_is_not_this_server_is_refused(host: str, status: int) -> None:
    assert status_of("10.0.0.7", ("host", host), names=("model.example:8080",)) == status


def test_no_host_two_hosts_and_pages_of_others_are_refused() -> None:
    host = ("host", "127.0.0.1:5001")
    assert status_of("127.0.0.1") == 421
    assert status_of("127.0.0.1", host, host) == 421
    assert status_of("127.0.0.1", host, ("origin", "http://127.0.0.1:5001")) == 200
    assert status_of("127.0.0.1", host, ("origin", "https://evil.example")) == 421
    assert status_of("127.0.0.1", host, ("origin", "null")) == 421


async def echoed(scope: Any, receive: Any, send: Any) -> None:
    """An application that reads the whole request and answers with the size of its body."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message.get("more_body", False)
    text = str(size).encode()
    length = [(b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": text})


@contextmanager
def listening(protocol: str, loop: str) -> Iterator[int]:
    """The port of a server with a protocol and a loop of uvicorn's; ended with the block."""
    from uvicorn import Config, Server
    from uvicorn.protocols.http import auto
    from uvicorn.protocols.http.h11_impl import H11Protocol

    for library in {"httptools": ("httptools",), "h11": ()}[protocol] + (("uvloop",) if loop == "uvloop" else ()):
        pytest.importorskip(library)
    if protocol == "httptools":
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    with pytest.MonkeyPatch.context() as patch, socket.socket() as taken:
        patch.setattr(auto, "AutoHTTPProtocol", HttpToolsProtocol if protocol == "httptools" else H11Protocol)
        patch.setattr(server, "ASKING", 0.5)
        taken.bind(("127.0.0.1", 0))
        config = Config(echoed, http=server.impatient(), loop=loop, lifespan="off", log_level="critical", ws="none")
        config.timeout_keep_alive = 1
        running = Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [taken]})
        thread.start()
        try:
            while not running.started:
                time.sleep(0.01)
            yield taken.getsockname()[1]
        finally:
            running.should_exit = True
            thread.join()


def said(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """What a server sends until it closes the connection, when these parts are sent to it one after another."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client, contextlib.suppress(ConnectionError):
        for part in parts:
            client.sendall(part)
            time.sleep(pause)
        while piece := client.recv(1 << 16):
            found += piece
    return found


POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


LATER = [pytest.param(*each, marks=pytest.mark.slow) for each in (("h11", "asyncio"), ("httptools", "asyncio"))]
LOOPS = [("httptools", "uvloop"), *LATER]  # the first is what is installed wherever it can be


@pytest.mark.parametrize(("protocol", "loop"), LOOPS)
def test_what_asks_too_slowly_or_without_end_is_closed_and_all_others_are_answered(protocol: str, loop: str) -> None:
    with listening(protocol, loop) as port:
        start = time.monotonic()
        assert said(port) == b""  # no byte; neither half a head, nor one that goes on and on:
        assert said(port, b"POST / HT") == b""
        assert said(port, POST, *[b"X: y\r\n"] * 20, pause=0.1) == b""
        assert time.monotonic() - start < 9
        for endless in (POST + b"X: " + b"y" * 200_000, b"GET /" + b"y" * 200_000, POST + b"X: y\r\n" * 30_000):
            assert said(port, endless, b"y" * 100_000)[:12] in (b"HTTP/1.1 400", b"")
        assert b"\r\n\r\n3" not in said(port, CHUNKED + b"3\r\nabc\r\n0\r\n", *[b"X: y\r\n" * 5_000] * 10)
        for broken in (b"\0", b"GET\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"):
            assert said(port, broken)[:12] == b"HTTP/1.1 400"
        slow = said(port, POST + b"Content-Length: 12\r\n\r\n", *[b"abcd"] * 3, pause=0.4)
        assert slow.startswith(b"HTTP/1.1 200")  # the application times a body
        assert slow.endswith(b"\r\n\r\n12")
        large = said(port, POST + b"Connection: close\r\nContent-Length: 300000\r\n\r\n" + b"z" * 300_000)
        assert large.endswith(b"\r\n\r\n300000")
        small = b"".join(b"1;%d\r\nz\r\n" % k for k in range(20_000))  # the frames are seven times the body
        assert said(port, CHUNKED + small + b"0\r\n\r\n").endswith(b"\r\n\r\n20000")
        many = said(port, (POST + b"Content-Length: 0\r\n\r\n") * 3000)
        assert many.count(b"HTTP/1.1 200") == 3000


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_record_of_an_older_handbook_is_served_by_mlflows_scoring_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlflow.pyfunc import scoring_server

    monkeypatch.setattr(scoring_server, "init", lambda model: ("mlflow", model))
    assert server.application("a model", tmp_path, "toy version 1", {}) == ("mlflow", "a model")
    assert "older handbook" in capsys.readouterr().out
