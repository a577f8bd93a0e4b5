"""What `handbook serve` becomes: MLflow's scoring server on a socket that is bound already. Run as a file.

It imports nothing of the handbook: MLflow puts the code that was kept with the model in its place. The folder that it
loads from is its own: `serving` wrote it for this process, and it goes with it.
"""

from __future__ import annotations

import atexit
import logging
import os
import shlex
import shutil
import signal
import socket
import sys
import warnings
from pathlib import Path
from typing import Any

GRACE = 10  # seconds that a request has to be answered after the server was asked to end
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Load the model, answer until asked to end, and end with 0 then."""
    folder, descriptor, title = sys.argv[1:]
    place = Path(folder)
    atexit.register(shutil.rmtree, place, ignore_errors=True)

    def leave(*_: object) -> None:
        """Before the server listens there is nothing to close."""
        shutil.rmtree(place, ignore_errors=True)
        os._exit(0)

    for number in ENDINGS:
        signal.signal(number, leave)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    warnings.filterwarnings("ignore", module="mlflow")
    import mlflow
    import uvicorn
    from mlflow.pyfunc import scoring_server

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    try:
        model = mlflow.pyfunc.load_model(str(place))
    except (mlflow.exceptions.MlflowException, OSError) as error:
        sys.exit(f"error: {title} cannot be loaded: {error}")
    taken = socket.socket(fileno=int(descriptor))
    app: Any = scoring_server.init(model)
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE)

    class Announced(uvicorn.Server):
        """Says where it is, once it listens."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            print(announcement(title, taken, place / "serving_input_example.json"), flush=True)

    server = Announced(config)
    for number in ENDINGS:  # uvicorn ends the requests that run, and then raises what ended it once more
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, lambda _, frame: server.handle_exit(signal.SIGTERM, frame))  # unknown to uvicorn
    server.run(sockets=[taken])
    print("stopped")


def announcement(title: str, taken: socket.socket, example: Path) -> str:
    """Where the model is, and a line to try it with."""
    host, port = taken.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    address = f"http://{host}:{port}"
    return (
        f"{title} is at {address}/invocations, until Ctrl-C. Try it:\n"
        f"curl {address}/invocations -H 'Content-Type: application/json' -d {shlex.quote(f'@{example}')}"
    )


if __name__ == "__main__":
    main()
