"""Servers on loopback: each in a process group of its own, waited for, and ended whatever happens."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flows.processes import stop, undisturbed
from handbook.errors import HandbookError

LOOPBACK = "127.0.0.1"
START = 180.0  # seconds; Prefect's very first start creates its database and takes up to 30 on two free cores
GRACE = 15.0  # seconds a server has to end by itself; Prefect's takes 2 to 5
PORTS_TRIED = 100

API = "PREFECT_API_URL"
# Where `make ui` shows MLflow and reports/, told to the flows that link to them.
MLFLOW, REPORTS = "HANDBOOK_MLFLOW_URL", "HANDBOOK_REPORTS_URL"

QUIET = {
    "DO_NOT_TRACK": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_TASKS_TAG_CONCURRENCY_SLOT_WAIT_SECONDS": "1",  # a free GPU need not wait for ten
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # a dozen processes for jobs that nobody sends
}


@dataclass(frozen=True)
class Server:
    """A process, the address it serves or works for, and the file that it writes to."""

    name: str
    address: str
    log: Path
    ready: Callable[[], bool]
    process: subprocess.Popen[bytes]


@contextmanager
def running(
    root: Path,
    name: str,
    module: list[str],
    *,
    address: str = "",
    ready: Callable[[], bool] | None = None,
    env: dict[str, str] | None = None,
) -> Iterator[Server]:
    """`python -m MODULE`, ended with the block. It is not waited for: see `wait`."""
    log = log_of(root, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    with undisturbed(), log.open("wb") as lines:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=root,
            env=environment(root) | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Server(name, address, log, ready or partial(answers, address), process)
    finally:
        stop(process, ask=signal.SIGTERM, grace=GRACE)


def log_of(root: Path, name: str) -> Path:
    """The file that a server writes to."""
    return root / ".cache" / "ui" / f"{name}.log"


def environment(root: Path) -> dict[str, str]:
    """What servers and flows find: no telemetry, Prefect's home in the project, no proxy before loopback."""
    direct = ",".join(filter(None, [os.environ.get("NO_PROXY"), LOOPBACK, "localhost"]))
    home = os.environ.get("PREFECT_HOME") or str(root / ".prefect")
    own = {"PREFECT_HOME": home, "NO_PROXY": direct, "no_proxy": direct, "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **QUIET, **own}


def free_address(first: int = 0) -> str:
    """http://127.0.0.1:PORT with `first` or the next port that nobody listens on; 0: the system's choice."""
    for port in range(first, first + PORTS_TRIED):
        with socket.socket() as trial, suppress(OSError):
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just given up is free
            trial.bind((LOOPBACK, port))
            return f"http://{LOOPBACK}:{trial.getsockname()[1]}"
    raise HandbookError(f"no free port from {first} to {first + PORTS_TRIED - 1}. Stop something or name another")


def port_of(address: str) -> str:
    return address.rsplit(":", 1)[1]


def wait(server: Server, seconds: float = START) -> None:
    """Until it is ready; HandbookError if it ends first or takes too long, with its log."""
    deadline = time.monotonic() + seconds
    while not server.ready():
        refuse_dead(server)
        if time.monotonic() > deadline:
            place = f" at {server.address}" if server.address else ""
            raise HandbookError(f"{server.name} is not ready{place} after {seconds:.0f} s. Its log: {server.log}")
        time.sleep(0.2)


def finish(server: Server) -> None:
    """Until it has ended, which is what it should do; HandbookError if it failed."""
    if server.process.wait():
        refuse_dead(server)


def refuse_dead(server: Server) -> None:
    """HandbookError if a server has ended: which, how, its last lines, and where all of them are."""
    code = server.process.poll()
    if code is not None:
        last = server.log.read_text(errors="replace").rstrip().splitlines()[-8:]
        told = "".join(f"  {line}\n" for line in last)
        raise HandbookError(f"{server.name} ended by itself with {code}:\n{told}Its log: {server.log}")


def answers(url: str) -> bool:
    """Does something say 200 there?"""
    import httpx

    try:
        return httpx.get(url, timeout=5, trust_env=LOOPBACK not in url).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


@contextmanager
def prefect(root: Path, first: int = 0) -> Iterator[Server]:
    """A Prefect server of the project's own; `wait` for it."""
    address = free_address(first)
    module = ["prefect", "server", "start", "--host", LOOPBACK, "--port", port_of(address)]
    # its pages ask the API that the environment names, and that may be another one
    env = {API: f"{address}/api"}
    ready = partial(answers, f"{address}/api/health")
    with running(root, "prefect", module, address=address, ready=ready, env=env) as server:
        yield server


@contextmanager
def prefect_api(root: Path) -> Iterator[dict[str, str]]:
    """Names a Prefect API to the environment: PREFECT_API_URL's, that of `make ui`, or a server's of our own."""
    given = os.environ.get(API)
    if given and not answers(f"{given}/health"):
        raise HandbookError(
            f"{API} is {given}, but {given}/health does not answer.\n"
            f"Start that server (prefect server start), or unset {API}: one is started here then"
        )
    known = {API: given} if given else _noted(root)
    if known:
        yield known
        return
    with prefect(root) as server:
        wait(server)
        yield {API: f"{server.address}/api"}


@contextmanager
def noted(root: Path, env: dict[str, str]) -> Iterator[None]:
    """Let `make flow` find the servers of `make ui`: two of Prefect's on one database get in each other's way."""
    note = _note(root)
    note.write_text(json.dumps(env))
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def _noted(root: Path) -> dict[str, str] | None:
    note = _note(root)
    env: dict[str, str] = json.loads(note.read_text()) if note.exists() else {}
    return env if env and answers(f"{env[API]}/health") else None


def _note(root: Path) -> Path:
    return root / ".cache" / "ui" / "servers.json"
