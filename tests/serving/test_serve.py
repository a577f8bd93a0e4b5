"""The champion over HTTP: the code that it was registered with, a port that is ours, and nothing left behind."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from benchmarks import endurance
from handbook.errors import HandbookError
from handbook.files.integrity import FILES, digest, hashes
from handbook.project import Project
from handbook.registry import ledger, standings, tracking
from handbook.serving import serve

NAME = "lenet"
PATIENCE = 120.0  # seconds; two cold starts of Python with torch and MLflow take 10 on a free core
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(HandbookError, match=rf"port {port} of 127.0.0.1 is in use.*--port N"):
            serve.claim("127.0.0.1", port)
    serve.claim("127.0.0.1", port).close()


def test_an_address_that_is_not_this_machine_is_refused() -> None:
    with pytest.raises(HandbookError, match=r"192\.0\.2\.1 is no address of this machine"):
        serve.claim("192.0.2.1", 0)


@pytest.mark.parametrize("how", [{}, {"version": "3"}, {"version": "previous"}])
def test_nothing_is_served_that_is_not_registered(how: dict[str, str], project: Project) -> None:
    with pytest.raises(HandbookError, match="nothing is registered of lenet"):
        serve.serve(project, NAME, "127.0.0.1", 0, **how)
    with pytest.raises(HandbookError, match=r"no case 'lenett'; .*did you mean lenet\?"):
        serve.serve(project, "lenett", "127.0.0.1", 0, **how)


def started(project: Project, *more: str) -> tuple[subprocess.Popen[str], str]:
    """A server of the champion, and what it said once it answered."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "handbook", "serve", NAME, "--port", "0", *more],
        cwd=project.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    output, deadline = "", time.monotonic() + PATIENCE
    assert process.stdout
    for line in process.stdout:
        output += line
        if line.startswith("curl ") or time.monotonic() > deadline:
            break
    return process, output


def posted(address: str, body: bytes) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


def _registered_with_other_code(project: Project) -> None:
    """The ledger as if the champion had been registered with code that answers otherwise than today's."""
    store, known = ledger.store(project, NAME), ledger.state(project, NAME)
    place = store / known["champion"]
    code = place / "handbook" / "evaluation" / "recognition.py"
    code.write_text(code.read_text().replace('{"label": label,', '{"by": "kept code", "label": label,'))
    listed = json.dumps(hashes(place)).encode()
    (place / FILES).write_bytes(listed)
    standings.write(store, known | {"files": {known["champion"]: digest(listed)}})


def _answers_bytes_while_others_hang(address: str, pictures: Any, expected: list[str]) -> None:
    """A picture is answered while others send half a request, a deep list, or leave; a foreign Host is refused."""
    host, port = re.findall(r"//([\d.]+):(\d+)/", address)[0]
    head = f"POST /invocations HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    raw = io.BytesIO()
    np.save(raw, pictures)
    with contextlib.ExitStack() as stack:
        for start in (
            head,
            head + "Content-Length: 100\r\n\r\n{",
            head + "Content-Length: 1000000\r\n\r\n" + "[" * 9999,
        ):
            hanging = stack.enter_context(socket.create_connection((host, int(port))))
            hanging.sendall(start.encode())
        with socket.create_connection((host, int(port))) as leaving:
            leaving.sendall(f"{head}Content-Length: 2\r\n\r\n{{}}".encode())
        begun = time.monotonic()
        request = urllib.request.Request(address, raw.getvalue(), {"Content-Type": "application/x-npy"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            assert [each["name"] for each in json.loads(answer.read())["predictions"]] == expected
        assert time.monotonic() - begun < 5  # a second on a free core
    foreign = urllib.request.Request(address, b"{}", {"Host": "evil.example"})  # noqa: S310
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(foreign, timeout=60)  # noqa: S310
    with refused.value:
        assert refused.value.code == 421


@pytest.mark.slow  # 20 s of one core: a registration, and two cold starts of torch and MLflow
def test_the_champion_answers_over_http_by_its_own_code_and_ends_when_asked(
    placed: Callable[..., Any], project: Project, fitted: Any
) -> None:
    """One real server for all of this: it takes seconds to start."""
    tracking.register(project, placed(NAME))
    _registered_with_other_code(project)
    case, data, model = fitted(NAME)
    process, output = started(project)
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/invocations", output)
        assert address, output
        assert "lenet version 1 (champion) is at" in output
        body = Path(shlex.split(output.splitlines()[-1])[-1].removeprefix("@")).read_bytes()
        status, answer = posted(address[0], body)
        expected = case.page.predict(model, data.test_images[:4])["name"].tolist()
        assert status == 200
        assert [each["name"] for each in answer["predictions"]] == expected
        assert {each["by"] for each in answer["predictions"]} == {"kept code"}
        status, answer = posted(address[0], b'{"inputs": [[[1, 2], [3, 4]]]}')
        assert status == 400
        assert "(N, 28, 28)" in answer["message"]
        _answers_bytes_while_others_hang(address[0], data.test_images[:4], expected)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stdout
        assert process.stdout.read().splitlines() == ["stopped"]
        assert not [each for each in family if each.is_running()]
        serve.claim("127.0.0.1", int(address[0].split(":")[2].split("/")[0])).close()
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


@pytest.mark.slow  # a minute of 16 clients
def test_no_good_request_suffers_by_the_broken_ones_beside_it_and_nothing_of_them_is_left(
    placed: Callable[..., Any], project: Project, fitted: Any
) -> None:
    tracking.register(project, placed(NAME))
    case, data, model = fitted(NAME)
    pictures = data.test_images[:32]
    labels = case.page.predict(model, pictures)["label"].tolist()
    process, output = started(project)
    try:
        place = re.search(r"http://(127\.0\.0\.1):(\d+)/invocations", output)
        assert place, output
        found = endurance.endure(process.pid, (place[1], int(place[2])), pictures, labels, 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()
    assert not found.failures
    assert found.counts["broken"] > 20
    assert 0.08 < found.counts["broken"] / found.counts.total() < 0.12
    assert found.growth < 1.05
    assert not found.left
    assert not [*(project.cache / "served").iterdir()]
