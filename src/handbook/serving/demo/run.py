"""python -m handbook demo: the page on loopback, until Ctrl-C."""

from __future__ import annotations

import signal
import socket
from typing import Any

from handbook.project import Project
from handbook.serving.serve import claim

HOST = "127.0.0.1"  # this machine alone: the page has no password
GRACE = 3  # seconds that a request has to be answered after the server was asked to end


def demo(project: Project, port: int) -> None:
    """Serve the page until asked to end; HandbookError if the port is in use."""
    taken = claim(HOST, port)
    import uvicorn

    from handbook.serving.demo.app import application
    from handbook.serving.demo.models import Models
    from handbook.serving.guard import Guard

    pages = addresses(taken)
    config = uvicorn.Config(
        Guard(application(Models(project)), pages),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE,
    )

    class Announced(uvicorn.Server):
        """Says where it is, once it listens."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            print(f"The demo is at {pages[0]}, until Ctrl-C", flush=True)

    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn ends, and then raises what ended it once more
        signal.signal(number, signal.SIG_IGN)
    Announced(config).run(sockets=[taken])
    print("stopped")


def addresses(taken: Any) -> tuple[str, ...]:
    """The names under which the page may be opened."""
    port = taken.getsockname()[1]
    return tuple(f"http://{host}:{port}" for host in (HOST, "localhost"))
