"""python -m handbook serve: a case's champion over HTTP, by MLflow's scoring server, until Ctrl-C."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from handbook import ledger
from handbook.errors import HandbookError, unknown
from handbook.project import Project

PORT = 5001  # beside MLflow's own pages, which are at 5000


def serve(project: Project, name: str, host: str, port: int, version: str = "") -> NoReturn:
    """Become MLflow's scoring server for a version of a case, by default its champion.

    The port is taken before anything is loaded. The process is replaced, not forked: there is no child to outlive it,
    and nothing of today's code in it, since a model is served by the code that it was registered with.
    """
    if name not in project.cases():
        raise unknown("case", name, project.cases())
    version = version or "champion"
    content = ledger.chosen(project, name, version)
    taken = claim(host, port)
    from handbook import tracking

    shown = tracking.numbers(project, name)
    if content not in shown:  # asked first, since to build it means to load the page, which takes seconds
        shown = tracking.follow(project, project.case(name), lambda: ledger.standing(project, name))
    model = shown[content]
    title = f"{name} version {model}" + (f" ({version})" if version in ledger.ALIASES else "")
    if not _is_loopback(host):
        print(f"{host} is open to others: whoever reaches port {port} can ask, without a password", file=sys.stderr)
    os.set_inheritable(taken.fileno(), True)
    os.environ["MLFLOW_TRACKING_URI"] = tracking.uri(project)
    script = Path(__file__).with_name("scoring.py")
    command = [str(script), f"models:/{name}/{model}", str(taken.fileno()), title]
    sys.stdout.flush()
    # -P: handbook/ itself must not be searched for modules. The socket lives on in the new programme
    os.execv(sys.executable, [sys.executable, "-P", *command])  # noqa: S606 (our own script by our own Python)


def claim(host: str, port: int) -> socket.socket:
    """A socket bound to host and port; HandbookError if that port is in use, not ours to take, or not on this host."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        taken = socket.socket(family, kind, protocol)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just given up is free
        taken.bind(address)
    except OSError as error:
        why = {
            errno.EADDRINUSE: f"port {port} of {host} is in use. Stop what listens there (ss -ltnp shows it), or name "
            "another: --port N, 0 for any that is free",
            errno.EACCES: f"port {port} is not yours to take: below 1024 they are the system's. Name another: --port N",
            errno.EADDRNOTAVAIL: f"{host} is no address of this machine. Leave --host out, or use 0.0.0.0 for all",
        }.get(error.errno or 0, f"cannot listen at {host}:{port}: {error}")
        raise HandbookError(why) from None
    return taken


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
