"""What `handbook serve` becomes: a model behind a socket that is bound already. Run as a file.

It imports nothing of the handbook: MLflow puts the code that was kept with the model in its place, and that code's own
`serving.service` answers; for a record of an older handbook, which has none, MLflow's scoring server does. The folder
that it loads from is its own: `serve` wrote it for this process, and it goes with it.

What holds for both stands here: by which names the server is addressed, how long a client may take to ask, and that the
process ends when it is asked to.
"""

from __future__ import annotations

import asyncio
import atexit
import importlib.util
import json
import logging
import os
import shlex
import shutil
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

GRACE = 10  # seconds that a request has to be answered after the server was asked to end
ASKING = 10.0  # seconds that a client has from its first byte, or from its connection, to the end of a request's head
HEAD = 1 << 16  # bytes of a request beside its body, at a stretch: h11 stops there itself, httptools nowhere
CONNECTIONS = 512  # at a time; a process may have 1,024 files open
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
HEADERS = ((b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY"))
Application = Callable[..., Any]


def main() -> None:
    """Load the model, answer until asked to end, and end with 0 then."""
    folder, descriptor, title, given = sys.argv[1:]
    place, options = Path(folder), json.loads(given)
    atexit.register(shutil.rmtree, place, ignore_errors=True)

    def leave(*_: object) -> None:
        """Before the server listens, and after its time is up, there is nothing to close."""
        shutil.rmtree(place, ignore_errors=True)
        os._exit(0)

    for number in ENDINGS:
        signal.signal(number, leave)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    warnings.filterwarnings("ignore", module="mlflow")
    import mlflow
    import uvicorn

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    try:
        model = mlflow.pyfunc.load_model(str(place))
    except (mlflow.exceptions.MlflowException, OSError) as error:
        sys.exit(f"error: {title} cannot be loaded: {error}")
    taken = socket.socket(fileno=int(descriptor))
    try:
        service = application(model, place, title, options)
    except Exception as error:
        if type(error).__name__ != "HandbookError":  # of the package that was kept: it cannot be named here
            raise
        sys.exit(f"error: {error}")
    answering = _sibling("shadow").started(options["shadow"]).around(service) if options.get("shadow") else service
    app = named(answering, taken.getsockname()[1], options.get("names", ()))
    config = uvicorn.Config(
        app, http=impatient(), ws="none", lifespan="off", access_log=False,
        log_level="error",  # its warnings are of bytes that are no HTTP: whoever sends them could fill a disk with them
        timeout_graceful_shutdown=GRACE, limit_concurrency=CONNECTIONS,
    )  # fmt: skip

    class Announced(uvicorn.Server):
        """Says where it is, once it listens; ends soon after it was asked to, whatever runs in other threads."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            print(announcement(title, taken, place / "serving_input_example.json"), flush=True)

        def handle_exit(self, sig: int, frame: Any) -> None:
            late = threading.Timer(GRACE + 1, leave)
            late.daemon = True
            late.start()
            super().handle_exit(sig, frame)

    server = Announced(config)
    for number in ENDINGS:  # uvicorn ends the requests that run, and then raises what ended it once more
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, lambda _, frame: server.handle_exit(signal.SIGTERM, frame))  # unknown to uvicorn
    server.run(sockets=[taken])
    getattr(service, "close", lambda: None)()
    print("stopped", flush=True)
    leave()  # not by the end of `main`: that would wait for the threads, and so for work that nobody waits for


def _sibling(name: str) -> Any:
    """A module that lies beside this file: of today's code, as this one is, not of the code that was kept."""
    spec = importlib.util.spec_from_file_location(f"_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def application(model: Any, place: Path, title: str, options: Mapping[str, Any]) -> Application:
    """What answers: the service that was kept with the model, or MLflow's scoring server where none was."""
    if (place / "code" / "handbook" / "serving" / "service.py").is_file():
        service = importlib.import_module("handbook.serving.service")
        return service.application(model, place, title, options)  # type: ignore[no-any-return]
    from mlflow.pyfunc import scoring_server

    print(f"{title} was registered by an older handbook: MLflow's scoring server answers, without limits", flush=True)
    return scoring_server.init(model)  # type: ignore[no-any-return]


def named(app: Application, port: int, names: Any) -> Application:
    """The application for requests that name this server in `Host` and come from no other page.

    A page of the web can have its own name point to loopback and read what is answered there (DNS rebinding); it cannot
    forge `Host` and `Origin`. Names are loopback's, this machine's, that of the connection, and `names`; but for
    `names`, which say it themselves where they have one, with this port.
    """
    known = {f"{_bracketed(name)}:{port}" for name in (*LOOPBACK, socket.gethostname())} | {*names}

    def refusal(scope: Mapping[str, Any]) -> str:
        here = known | {f"{_bracketed(scope['server'][0])}:{scope['server'][1]}"} if scope.get("server") else known
        here = here | {name.removesuffix(":80") for name in here}  # clients leave http's own port out
        hosts = [value.decode("latin-1").lower() for key, value in scope["headers"] if key == b"host"]
        origins = [value.decode("latin-1").lower() for key, value in scope["headers"] if key == b"origin"]
        if len(hosts) != 1 or hosts[0] not in here:
            found = ", ".join(map(repr, hosts)) or "none"
            return f"Host {found[:80]} is not this server; expected {', '.join(sorted(known))}. More: serve --name HOST"
        if any(urlsplit(origin).netloc not in here for origin in origins):
            return f"pages of {origins[0][:80]!r} may not use this server"
        return ""

    async def guarded(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        async def sent(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = message | {"headers": [*message.get("headers", ()), *HEADERS]}
            await send(message)

        if scope["type"] != "http" or not (reason := refusal(scope)):
            await app(scope, receive, sent)
            return
        body = json.dumps({"error_code": "PERMISSION_DENIED", "message": reason}).encode()
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await sent({"type": "http.response.start", "status": 421, "headers": headers})
        await sent({"type": "http.response.body", "body": body})

    return guarded


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host.lower()


def impatient() -> type[asyncio.Protocol]:
    """uvicorn's protocol, but what no request's head arrives on within a while, or one without end, is closed.

    That is httptools' protocol where it is installed, else h11's; what is overridden and called here is in both.
    """
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    class Impatient(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        """Times and bounds the head of each request; its body is timed and bounded by the application."""

        def __init__(self, *given: Any, **known: Any) -> None:
            super().__init__(*given, **known)
            self.late: asyncio.TimerHandle | None = self.loop.call_later(ASKING, self._close)
            self.since = 0  # bytes since the last of a body, or since the last head's end

        def _close(self) -> None:
            if self.transport is not None:
                self.transport.close()

        def data_received(self, data: bytes) -> None:
            if self.late is None and not self._in_request():
                self.late = self.loop.call_later(ASKING, self._close)
            self.since += len(data)
            super().data_received(data)
            if self.late is not None and self._in_request():
                self._arrived()
            if self.since > HEAD and hasattr(self, "parser") and not self.transport.is_closing():
                self._refuse_head()

        def on_headers_complete(self) -> None:  # httptools alone calls this and the next
            self.since = 0
            super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            self.since = 0
            super().on_body(body)

        def _refuse_head(self) -> None:
            """End a head, or what stands after a body, that goes on and on: httptools keeps all of it."""
            if self._in_request():  # an answer may be under way: nothing else can be said
                self.transport.abort()
            else:
                self.send_400_response(f"expected at most {HEAD:,} bytes before the body of a request")

        def connection_lost(self, exc: Exception | None) -> None:
            self._arrived()
            super().connection_lost(exc)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.transport.is_closing():  # a client that never reads would keep it so for ever
                self.loop.call_later(ASKING, self.transport.abort)

        def timeout_keep_alive_handler(self) -> None:
            super().timeout_keep_alive_handler()
            self.loop.call_later(ASKING, self.transport.abort)

        def _in_request(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

        def _arrived(self) -> None:
            if self.late is not None:
                self.late.cancel()
            self.late = None

    return Impatient


def announcement(title: str, taken: socket.socket, example: Path) -> str:
    """Where the model is, and a line to try it with."""
    host, port = taken.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    address = f"http://{host}:{port}"
    return (
        f"{title} is at {address}/invocations, until Ctrl-C; {address}/docs describes it. Try it:\n"
        f"curl {address}/invocations -H 'Content-Type: application/json' -d {shlex.quote(f'@{example}')}"
    )


if __name__ == "__main__":
    main()
