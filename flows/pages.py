"""python -m flows.pages prefect|mlflow|reports: one server with its pages, behind the guard, until it is ended.

What it takes from the environment, never from its command line, which every user of the machine can read:

    PREFECT_SERVER_API_AUTH_STRING   user:password of Prefect; needed
    MLFLOW_BACKEND_STORE_URI         MLflow's database; needed
    HANDBOOK_MLFLOW_AUTH_STRING      user:password of MLflow; on loopback it may go without
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from flows.entrance import Entrance
from flows.passwords import SERVER_AUTH
from flows.servers import QUIET
from handbook.errors import HandbookError
from handbook.serving.guard import Guard

MLFLOW_AUTH = "HANDBOOK_MLFLOW_AUTH_STRING"
# MLflow's assistant runs shell commands for whoever asks from this machine, and takes its orders from any address
# that it is given: another user of the machine would work as the owner of the server.
ASSISTANT = "/ajax-api/3.0/mlflow/assistant"

Options = dict[str, Any]  # for uvicorn


def main() -> int:
    """The exit code: 0 ended as asked, 1 something is missing."""
    arguments = parser().parse_args()
    os.environ.update(QUIET | os.environ)  # in a container nobody has set it
    try:
        listener = _listener(arguments)
        pages, names = arguments.pages or _own(listener), tuple(arguments.names)
        app, options = SERVERS[arguments.server](arguments, pages, names)
    except HandbookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    config = uvicorn.Config(app, **{"log_level": "warning", "timeout_graceful_shutdown": 3, **options})
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="flows.pages", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    top.add_argument("server", choices=sorted(SERVERS))
    top.add_argument("--fd", type=int, help="a socket that listens already, given by whoever starts us")
    top.add_argument("--host", default="127.0.0.1", help="without --fd (default: %(default)s)")
    top.add_argument("--port", type=int, default=0, help="without --fd (default: any)")
    shown = "addresses at which people open it, the first for messages (default: its own on loopback)"
    top.add_argument("--pages", nargs="+", type=str.lower, metavar="ADDRESS", help=shown)
    called = "HOST:PORT by which programs call it besides"
    top.add_argument("--names", nargs="+", type=str.lower, metavar="NAME", default=[], help=called)
    top.add_argument("--artifacts", help="mlflow: where artifacts lie, for clients that reach them themselves")
    top.add_argument("--serve-artifacts", metavar="FOLDER", help="mlflow: artifacts pass through the server")
    top.add_argument("--directory", type=Path, default=Path("reports"), help="reports: default %(default)s")
    return top


def _listener(arguments: argparse.Namespace) -> socket.socket:
    if arguments.fd is not None:
        return socket.socket(fileno=arguments.fd)
    try:
        return socket.create_server((arguments.host, arguments.port))
    except OSError as error:
        raise HandbookError(
            f"{arguments.host}:{arguments.port} cannot be served: {error}. Choose another --port"
        ) from error


def _own(listener: socket.socket) -> tuple[str, ...]:
    port = listener.getsockname()[1]
    return tuple(f"http://{host}:{port}" for host in ("127.0.0.1", "localhost"))


def prefect(arguments: argparse.Namespace, pages: tuple[str, ...], names: tuple[str, ...]) -> tuple[ASGIApp, Options]:
    """Prefect as `prefect server start` runs it, which has no check of the Host, nor by default of anything else.

    The password is Prefect's own check: its pages and its WebSockets know how to give it.
    """
    if not os.environ.get(SERVER_AUTH):
        raise HandbookError(f"no password for Prefect. Set one: {SERVER_AUTH}=user:password")
    os.environ["PREFECT_API_URL"] = f"{pages[0]}/api"  # what its pages ask; the environment may name another server
    os.environ.setdefault("PREFECT_SERVER_CORS_ALLOWED_ORIGINS", ",".join(pages))
    os.environ.setdefault("PREFECT_SERVER_CSRF_PROTECTION_ENABLED", "true")
    # Prefect reads its settings when it is imported, so not before they are set
    from prefect.server.api.server import create_app
    from prefect.settings import get_current_settings

    api = get_current_settings().server.api
    options = {
        "timeout_keep_alive": api.keepalive_timeout,
        "ws_ping_interval": api.websocket_ping_interval,
        "ws_ping_timeout": api.websocket_ping_timeout,
    }
    return Guard(Entrance(create_app(final=True)), pages, names), options


def mlflow(arguments: argparse.Namespace, pages: tuple[str, ...], names: tuple[str, ...]) -> tuple[ASGIApp, Options]:
    """MLflow as `mlflow server` runs it, whose own check lets in every page of loopback, whichever its port."""
    database = os.environ.get("MLFLOW_BACKEND_STORE_URI")
    if not database:
        raise HandbookError("no database for MLflow. Set one: MLFLOW_BACKEND_STORE_URI=sqlite:////absolute/path")
    hosts = [page.split("://")[1] for page in pages]
    os.environ["MLFLOW_SERVER_ALLOWED_HOSTS"] = ",".join([*hosts, *names])
    os.environ["MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"] = ",".join(pages)
    from mlflow.server import constants

    root = arguments.artifacts or "mlflow-artifacts:/"
    os.environ[constants.BACKEND_STORE_URI_ENV_VAR] = database
    os.environ[constants.ARTIFACT_ROOT_ENV_VAR] = root
    if arguments.serve_artifacts:
        os.environ[constants.SERVE_ARTIFACTS_ENV_VAR] = "true"
        os.environ[constants.ARTIFACTS_DESTINATION_ENV_VAR] = arguments.serve_artifacts
    from mlflow.server.fastapi_app import app
    from mlflow.server.handlers import initialize_backend_stores

    initialize_backend_stores(database, database, root)
    return Guard(app, pages, names, os.environ.get(MLFLOW_AUTH, ""), closed=(ASSISTANT,)), {}


def reports(arguments: argparse.Namespace, pages: tuple[str, ...], names: tuple[str, ...]) -> tuple[ASGIApp, Options]:
    """A folder as a web site: the report, and Data Docs below it."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Mount, Route
    from starlette.staticfiles import StaticFiles

    async def missing(request: Request, _: Exception) -> PlainTextResponse:
        way_out = "The report is made by `make report`, Data Docs by the stages `validate`"
        return PlainTextResponse(f"{request.url.path} is not there. {way_out}\n", 404)

    async def health(_: Request) -> PlainTextResponse:
        return PlainTextResponse("OK")

    # figures are links where DVC is set to make links
    site = StaticFiles(directory=arguments.directory, html=True, follow_symlink=True)
    routes = [Route("/health", health), Mount("/", site)]
    return Guard(Starlette(routes=routes, exception_handlers={404: missing}), pages, names), {}


SERVERS: dict[str, Callable[..., tuple[ASGIApp, Options]]] = {"prefect": prefect, "mlflow": mlflow, "reports": reports}

if __name__ == "__main__":
    sys.exit(main())
