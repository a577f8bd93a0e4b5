"""Servers on loopback: each in a process group of its own, waited for, and ended whatever happens."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path

from flows import passwords
from flows.passwords import AUTH, SERVER_AUTH
from flows.processes import entrusted, stop, undisturbed
from handbook.errors import HandbookError
from handbook.files.private import private_folder

LOOPBACK = "127.0.0.1"
OWNER_ONLY = 0o077  # umask of servers: their databases and logs are nobody else's to read
START = 180.0  # seconds; Prefect's very first start creates its database and takes up to 30 on two free cores
GRACE = 15.0  # seconds a server has to end by itself; Prefect's takes 2 to 5
PORTS_TRIED = 100

API = "PREFECT_API_URL"
# Where `make ui` shows MLflow and reports/, passed to the flows that link to them.
MLFLOW, REPORTS = "HANDBOOK_MLFLOW_URL", "HANDBOOK_REPORTS_URL"

QUIET = {
    "DO_NOT_TRACK": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",  # a server that Prefect starts by itself lets everybody in
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
    listener: socket.socket | None = None,
    umask: int = -1,
) -> Iterator[Server]:
    """`python -m MODULE`, ended with the block. It is not waited for: see `wait`.

    A `listener` becomes the process's own, under the same number. umask: -1 is ours.
    """
    log = log_of(root, name)
    private_folder(log.parent)
    with undisturbed(), os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as lines:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=root,
            env=environment(root) | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[listener.fileno()] if listener else [],
            umask=umask,
        )
    with entrusted(process, signal.SIGTERM, GRACE):
        try:
            yield Server(name, address, log, ready or partial(answers, address), process)
        finally:
            stop(process, ask=signal.SIGTERM, grace=GRACE)


@contextmanager
def pages(
    root: Path, name: str, first: int, arguments: list[str], *, health: str = "/health", env: dict[str, str]
) -> Iterator[Server]:
    """One of `flows.pages` on `first` or the next free port; `wait` for it.

    It is handed a socket that listens already: while it loads, nobody else can take its port and be asked in its place.
    """
    with listening(first) as listener:
        address = address_of(listener)
        module = ["flows.pages", name, "--fd", str(listener.fileno()), *arguments]
        ready = partial(answers, f"{address}{health}")
        server = running(root, name, module, address=address, ready=ready, env=env, listener=listener, umask=OWNER_ONLY)
        with server as started:
            listener.close()
            yield started


def log_of(root: Path, name: str) -> Path:
    """The file that a server writes to."""
    return root / ".cache" / "ui" / f"{name}.log"


def environment(root: Path) -> dict[str, str]:
    """What servers and flows find: no telemetry, Prefect's home in the project, no proxy before loopback."""
    direct = ",".join(filter(None, [os.environ.get("NO_PROXY"), LOOPBACK, "localhost"]))
    own = {"PREFECT_HOME": str(home(root)), "NO_PROXY": direct, "no_proxy": direct, "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **QUIET, **own}


def listening(first: int = 0) -> socket.socket:
    """A socket that listens on loopback at `first` or the next port that nobody listens on; 0: the system's choice."""
    for port in range(first, first + PORTS_TRIED):
        with suppress(OSError):
            return socket.create_server((LOOPBACK, port))
    raise HandbookError(f"no free port from {first} to {first + PORTS_TRIED - 1}. Stop something or name another")


def address_of(listener: socket.socket) -> str:
    return f"http://{LOOPBACK}:{listener.getsockname()[1]}"


def free_address(first: int = 0) -> str:
    """http://127.0.0.1:PORT with `first` or the next port that nobody listens on; 0: the system's choice."""
    with listening(first) as trial:
        return address_of(trial)


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
        last_lines = "".join(f"  {line}\n" for line in last)
        raise HandbookError(f"{server.name} ended by itself with {code}:\n{last_lines}Its log: {server.log}")


def answers(url: str) -> bool:
    """Does something say 200 there?"""
    return _status(url) == HTTPStatus.OK


def _status(url: str, password: str = "") -> int:
    """The status with which something answers there, 0 if nothing does; asked with `user:password` if there is one."""
    import httpx

    key = {"Authorization": "Basic " + base64.b64encode(password.encode()).decode()} if password else {}
    try:
        return httpx.get(url, headers=key, timeout=5, trust_env=LOOPBACK not in url).status_code
    except httpx.HTTPError:
        return 0


@contextmanager
def prefect(root: Path, first: int = 0) -> Iterator[Server]:
    """A Prefect server of the project's own, which asks for the project's password; `wait` for it."""
    with pages(root, "prefect", first, [], health="/api/health", env={SERVER_AUTH: password(root)}) as server:
        yield server


def home(root: Path) -> Path:
    """PREFECT_HOME: in the project, unless the environment names another."""
    return Path(os.environ.get("PREFECT_HOME") or root / ".prefect")


def password(root: Path) -> str:
    """`user:password` of the project's own Prefect server."""
    return passwords.password(home(root))


@contextmanager
def prefect_api(root: Path) -> Iterator[dict[str, str]]:
    """Names a Prefect API to the environment: PREFECT_API_URL's, that of `make ui`, or a server's of our own."""
    given, ours = os.environ.get(API), _noted(root)
    if given and not (ours and ours[API] == given):
        _refuse_closed(given, os.environ.get(AUTH, ""))
        yield {API: given}
        return
    with nullcontext(ours) if ours else _own(root) as known:
        secret = password(root)
        _refuse_closed(known[API], secret)
        yield known | {AUTH: secret}


def known_api(root: Path) -> dict[str, str] | None:
    """The Prefect API that the environment names, or that of `make ui`; None if there is neither.

    HandbookError if it does not answer, or does not let us in.
    """
    given, ours = os.environ.get(API), _noted(root)
    if given and not (ours and ours[API] == given):
        _refuse_closed(given, os.environ.get(AUTH, ""))
        return {API: given}
    return ours | {AUTH: password(root)} if ours else None


@contextmanager
def _own(root: Path) -> Iterator[dict[str, str]]:
    with prefect(root) as server:
        wait(server)
        yield {API: f"{server.address}/api"}


def _refuse_closed(api: str, secret: str) -> None:
    """HandbookError if nothing answers there, or if what answers does not let us in."""
    if not answers(f"{api}/health"):
        raise HandbookError(
            f"{API} is {api}, but {api}/health does not answer.\n"
            f"Start that server (prefect server start), or unset {API}: one is started here then"
        )
    if _status(f"{api}/admin/version", secret) == HTTPStatus.UNAUTHORIZED and not os.environ.get("PREFECT_API_KEY"):
        found = "the one that is known here is not it" if secret else f"{AUTH} is not set"
        raise HandbookError(f"{api} asks for a password: {found}. Set it: export {AUTH}=user:password")


@contextmanager
def noted(root: Path, env: dict[str, str]) -> Iterator[None]:
    """Let `make flow` find the servers of `make ui`: two of Prefect's on one database get in each other's way.

    Addresses, no password. The note is locked while we live: what a killed one left leads to nobody, least of all to
    whoever has taken its port since.
    """
    private_folder(_note(root).parent)
    with _note(root).open("a") as note:
        try:
            fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # a `make ui` that was here before us: flows go on to find that one
            yield
            return
        note.truncate(0)
        note.write(json.dumps(env))
        note.flush()
        try:
            yield
        finally:
            _note(root).unlink(missing_ok=True)


def _noted(root: Path) -> dict[str, str] | None:
    try:
        with _note(root).open() as note:
            try:
                fcntl.flock(note, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                env: dict[str, str] = json.loads(note.read())
                return env if answers(f"{env[API]}/health") else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # none, or half of one: then there is no server
        pass
    return None


def _note(root: Path) -> Path:
    return root / ".cache" / "ui" / "servers.json"
