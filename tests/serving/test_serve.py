"""The champion over HTTP: the code that it was registered with, a port that is ours, and nothing left behind."""

from __future__ import annotations

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

import psutil
import pytest

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


def started(project: Project) -> tuple[subprocess.Popen[str], str]:
    """A server of the champion, and what it said once it answered."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "handbook", "serve", NAME, "--port", "0"],
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
    code = place / "handbook" / "recognition.py"
    code.write_text(code.read_text().replace('{"label": label,', '{"by": "kept code", "label": label,'))
    listed = json.dumps(hashes(place)).encode()
    (place / FILES).write_bytes(listed)
    standings.write(store, known | {"files": {known["champion"]: digest(listed)}})


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
        assert "(-1, 28, 28)" in answer["message"]
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
