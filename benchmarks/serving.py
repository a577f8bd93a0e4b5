"""The LeNet champion over HTTP: requests of 1 and of 32 test pictures, by one client and by 16 at a time.

*direct* is the page's own `predict` in this process, *MLflow* MLflow's scoring server over the same record, *LitServe*
that library's server over it (where it is installed), *serve* is `python -m handbook serve lenet`, asked in JSON and in
bytes (`.npy`). Each server stands alone on loopback while it is
measured; every client is a process of its own, sends one request at a time over one kept connection, and first sends
some that are not counted. Everything keeps to one thread of torch: a second waits for the first where a core is shared.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import pickle
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from handbook import datasets
from handbook.project import Project
from handbook.registry import ledger, mlflow_model
from handbook.serving import choice, serve

NAME, REQUESTS, WARM_UP, SIZES, CLIENTS = "lenet", 1000, 20, (1, 32), 16
PATIENCE = 300.0  # seconds that a server has to start
JSON, NPY = "application/json", "application/x-npy"
MLFLOW = """
import sys, warnings; warnings.simplefilter("ignore")
import mlflow, uvicorn
from mlflow.pyfunc import scoring_server
app = scoring_server.init(mlflow.pyfunc.load_model(sys.argv[1]))
uvicorn.run(app, port=int(sys.argv[2]), log_level="error")
"""
PEER = str(Path(__file__).with_name("peer.py"))
Address = tuple[str, int]


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}


@contextmanager
def ours() -> Iterator[Address]:
    """A server of the champion; ended with the block."""
    with served() as (_, address):
        yield address


@contextmanager
def served() -> Iterator[tuple[subprocess.Popen[Any], Address]]:
    """The process of such a server, and where it answers."""
    command = [sys.executable, "-W", "ignore", "-m", "handbook", "serve", NAME, "--port", "0"]
    with _ended(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())) as process:
        assert process.stdout
        output = ""
        while not (found := re.search(r"curl http://([\d.]+):(\d+)/", output)):
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"the server did not start: {output}")
            output += line
        yield process, (found[1], int(found[2]))


@contextmanager
def theirs(project: Project, *script: str) -> Iterator[Address]:
    """A server of others over the same record, started by `python SCRIPT FOLDER PORT`; ended with the block."""
    content = ledger.sealed(project, NAME, ledger.chosen(project, NAME, "champion"))
    place = serve.private(project)
    content.lay_out(mlflow_model.layout(content), place)
    with serve.claim("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-P", "-B", *script, str(place), str(port)]
    with _ended(subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)):
        deadline = time.monotonic() + PATIENCE
        while not _is_ready("127.0.0.1", port):
            if time.monotonic() > deadline:
                raise SystemExit(f"{script[-1][:40]} did not start")
            time.sleep(0.1)
        yield "127.0.0.1", port
    shutil.rmtree(place)


def _is_ready(host: str, port: int) -> bool:
    """Whether it answers, and that it is well; LitServe listens before its model is loaded."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def _ended(process: subprocess.Popen[Any]) -> Iterator[subprocess.Popen[Any]]:
    """Ended with the block, its children too: a server's workers may outlive it, and take a core from the next one."""
    family: list[psutil.Process] = []
    try:
        yield process
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        for each in [*family, process]:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                each.kill()
        process.wait()


def body(kind: str, pictures: Any) -> bytes:
    """Pictures as a request."""
    if kind == JSON:
        return json.dumps({"inputs": pictures.tolist()}).encode()
    raw = io.BytesIO()
    np.save(raw, pictures)
    return raw.getvalue()


def shared_by(address: Address, kind: str, requests: list[Any], clients: int) -> tuple[list[float], float]:
    """The seconds of each request when so many clients share them, and those from the first to the last."""
    with tempfile.TemporaryDirectory() as folder:
        script, processes = Path(__file__).with_name("client.py"), []
        for number in range(clients):
            path = Path(folder) / str(number)
            bodies = [body(kind, each) for each in requests[number::clients]]
            path.write_bytes(pickle.dumps((bodies[:WARM_UP], bodies)))
            command = [sys.executable, str(script), address[0], str(address[1]), kind, str(path)]
            processes.append(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
            )
        for process in processes:
            assert process.stdout
            process.stdout.readline()
        start = time.perf_counter()
        for process in processes:
            assert process.stdin
            process.stdin.write("\n")
        times = [seconds for process in processes for seconds in json.loads(process.communicate()[0])]
        return times, time.perf_counter() - start


def directly(predict: Callable[[Any], Any], requests: list[Any]) -> tuple[list[float], float]:
    """The same without a server."""
    for each in requests[:WARM_UP]:
        predict(each)
    times = []
    for each in requests:
        start = time.perf_counter()
        predict(each)
        times.append(time.perf_counter() - start)
    return times, sum(times)


def line(name: str, clients: int, size: int, times: list[float], seconds: float) -> str:
    p50, p99 = (1000 * statistics.quantiles(times, n=100)[k] for k in (49, 98))
    rate = len(times) / seconds
    return f"| {name} | {clients} | {size} | {p50:.2f} | {p99:.2f} | **{rate:,.0f}** | {rate * size:,.0f} |"


def run() -> list[str]:
    """The table, a line a contender, number of clients and size of request."""
    torch.set_num_threads(1)
    project = Project.here()
    images = datasets.page("fashion_mnist").load(project.data("fashion_mnist")).test_images
    rng = np.random.default_rng(0)
    requests = {size: [images[rng.integers(0, len(images), size)] for _ in range(REQUESTS)] for size in SIZES}
    chosen = choice.choose(project, NAME)
    lines = [
        "| | clients | pictures a request | p50, ms | p99, ms | requests/s | pictures/s |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for size in SIZES:
        measured = directly(lambda each: chosen.case.page.predict(chosen.model, each), requests[size])
        lines.append(line("direct", 1, size, *measured))
    peer = [("LitServe, JSON", theirs(project, PEER), (JSON,))] if find_spec("litserve") else []
    for name, server, kinds in (
        ("MLflow, JSON", theirs(project, "-c", MLFLOW), (JSON,)),
        *peer,
        ("serve", ours(), (JSON, NPY)),
    ):
        with server as address:
            for kind in kinds:
                title = name if len(kinds) == 1 else f"{name}, {'JSON' if kind == JSON else 'bytes'}"
                for clients, size in (*((1, size) for size in SIZES), (CLIENTS, 1)):
                    lines.append(line(title, clients, size, *shared_by(address, kind, requests[size], clients)))
    return lines
