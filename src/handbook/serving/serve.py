"""python -m handbook serve: a case's champion over HTTP, in the protocol of MLflow's scoring server, until Ctrl-C."""

from __future__ import annotations

import errno
import ipaddress
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from handbook.errors import HandbookError, unknown
from handbook.files.integrity import Sealed
from handbook.project import Project
from handbook.registry import ledger, mlflow_model, standings
from handbook.serving import differences

PORT = 5001  # beside MLflow's own pages, which are at 5000
RECORDED = ("entry.json", "example.json")  # what a record's own service asks it for, beside what MLflow loads


def serve(  # noqa: PLR0917
    project: Project, name: str, host: str, port: int, version: str = "", options: Mapping[str, Any] | None = None
) -> NoReturn:
    """Become the server of a version of a case, by default of its champion.

    The port is taken before anything is loaded. The process is replaced, not forked: there is no child to outlive it,
    and nothing of today's code in it, since a model is served by the code that it was registered with. That code comes
    from the ledger, not from MLflow, whose files others may reach: what runs are bytes whose sha256 the ledger wrote.
    """
    if name not in project.cases():
        raise unknown("case", name, project.cases())
    version = version or "champion"
    content = ledger.sealed(project, name, ledger.chosen(project, name, version))
    content.check()
    given = dict(options or {})
    other = _in_the_shadow(project, name, content, given.pop("shadow", ""))
    taken = claim(host, port)
    place = _laid_out(project, content)
    if other:
        given["shadow"] = _shadow(project, name, content, other, place)
    title = content.title + (f" ({version})" if version in standings.ALIASES else "")
    if not _is_loopback(host):
        print(
            f"{host} can be reached by others: whoever reaches port {port} gets predictions, without a password",
            file=sys.stderr,
        )
    os.set_inheritable(taken.fileno(), True)
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # a model that lies here has nothing to ask a server for
    script = Path(__file__).with_name("server.py")
    given["names"] = [host if ":" in host else f"{host}:{taken.getsockname()[1]}" for host in given.get("names", ())]
    command = [str(script), str(place), str(taken.fileno()), title, json.dumps(given)]
    sys.stdout.flush()
    # -P: handbook/ itself must not be searched for modules; -B: no compiled code beside what was checked.
    # The socket lives on in the new programme
    os.execv(sys.executable, [sys.executable, "-P", "-B", *command])  # noqa: S606 (our own script by our own Python)


def _laid_out(project: Project, content: Sealed) -> Path:
    """A folder of this process with the files of a record, each checked as it was read."""
    place = private(project)
    try:
        content.lay_out(mlflow_model.layout(content) | {path: path for path in RECORDED}, place)
    except BaseException:
        shutil.rmtree(place)
        raise
    return place


def _in_the_shadow(project: Project, name: str, champion: Sealed, version: str) -> Sealed | None:
    """The record that is to be asked the same, checked; HandbookError where it is the one that answers."""
    if not version:
        return None
    content = ledger.sealed(project, name, ledger.chosen(project, name, version))
    if content.place == champion.place:
        raise HandbookError(
            f"{content.title} is the one that answers: there is nothing to compare. Name another, --shadow N, of the "
            f"versions that handbook lineage models:/{name}/N shows"
        )
    content.check()
    return content


def _shadow(project: Project, name: str, champion: Sealed, other: Sealed, place: Path) -> dict[str, Any]:
    """What `shadow.started` is given; if the challenger cannot be laid out, nothing of the champion stays either."""
    versions = ledger.state(project, name)["versions"]
    both = {"champion": champion.place.name, "challenger": other.place.name}
    try:
        theirs = _laid_out(project, other)
    except BaseException:
        shutil.rmtree(place)
        raise
    numbers = {f"{role}_version": versions.index(content) + 1 for role, content in both.items()}
    return {
        "place": str(theirs),
        "title": other.title,
        "folder": str(differences.home(project, name)),
        "pair": {"case": name, **both, **numbers},
    }


def private(project: Project) -> Path:
    """A new folder that its owner alone can enter, for the files of this process; those of processes that ended go."""
    home = project.cache / "served"
    home.mkdir(parents=True, exist_ok=True)
    for left in home.iterdir():
        if not _lives(left.name.partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=home))


def _lives(process: str) -> bool:
    """Whether a process of that number runs."""
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass
    return True


def claim(host: str, port: int) -> socket.socket:
    """A socket bound to host and port; HandbookError if that port is in use, not ours to take, or not on this host."""
    taken: socket.socket | None = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        taken = socket.socket(family, kind, protocol)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just given up is free
        taken.bind(address)
        return taken
    except OSError as error:
        if taken is not None:
            taken.close()
        why = {
            errno.EADDRINUSE: f"port {port} of {host} is in use. Stop what listens there (ss -ltnp shows it), or name "
            "another: --port N, 0 for any that is free",
            errno.EACCES: f"port {port} is not yours to take: below 1024 they are the system's. Name another: --port N",
            errno.EADDRNOTAVAIL: f"{host} is no address of this machine. Leave --host out, or use 0.0.0.0 for all",
        }.get(error.errno or 0, f"cannot listen at {host}:{port}: {error}")
        raise HandbookError(why) from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
