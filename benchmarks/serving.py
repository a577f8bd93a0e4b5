"""The LeNet champion over HTTP, 1,000 requests of 1 and of 32 test pictures each, one client, one request at a time.

*served* is `python -m handbook serve lenet`, MLflow's scoring server on loopback, asked in JSON over one kept
connection; *pyfunc* is what that server calls, MLflow's model in this process, its checks of the input included;
*direct* is the page's own `predict`. Each keeps to one thread of torch: a second waits for the first where a core is
shared. Requests are the same, and each contender first answers 20 that are not counted.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from handbook import datasets
from handbook.project import Project
from handbook.registry import tracking
from handbook.serving import prediction

NAME, REQUESTS, WARM_UP, SIZES = "lenet", 1000, 20, (1, 32)


@contextmanager
def served() -> Iterator[Callable[[Any], Any]]:
    """Ask a server of the champion for the predictions of pictures; ended with the block."""
    command = [sys.executable, "-W", "ignore", "-m", "handbook", "serve", NAME, "--port", "0"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout
    output = ""
    try:
        while not (found := re.search(r"curl http://([\d.]+):(\d+)/", output)):
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"the server did not start: {output}")
            output += line
        connection = http.client.HTTPConnection(found[1], int(found[2]))

        def ask(pictures: Any) -> Any:
            body = json.dumps({"inputs": pictures.tolist()})
            connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())["predictions"]

        yield ask
        connection.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def direct(project: Project) -> Callable[[Any], Any]:
    chosen = prediction.choose(project, NAME)
    return lambda pictures: chosen.case.page.predict(chosen.model, pictures)


def pyfunc(project: Project) -> Callable[[Any], Any]:
    import mlflow

    os.environ["MLFLOW_TRACKING_URI"] = tracking.uri(project)
    model = mlflow.pyfunc.load_model(f"models:/{NAME}@champion")
    answer: Callable[[Any], Any] = model.predict
    return answer


def latencies(ask: Callable[[Any], Any], requests: list[Any]) -> list[float]:
    """Seconds of each request, one after another."""
    for request in requests[:WARM_UP]:
        ask(request)
    times = []
    for request in requests:
        start = time.perf_counter()
        ask(request)
        times.append(time.perf_counter() - start)
    return times


def run() -> list[str]:
    """The table, a line a contender and size of request."""
    torch.set_num_threads(1)
    project = Project.here()
    images = datasets.page("fashion_mnist").load(project.data("fashion_mnist")).test_images
    rng = np.random.default_rng(0)
    lines = [
        "| | pictures a request | p50, ms | p99, ms | requests/s | pictures/s |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    with served() as over_http:
        contenders = {"direct": direct(project), "pyfunc": pyfunc(project), "served": over_http}
        for size in SIZES:
            requests = [images[rng.integers(0, len(images), size)] for _ in range(REQUESTS)]
            for name, ask in contenders.items():
                times = latencies(ask, requests)
                p50, p99 = (1000 * statistics.quantiles(times, n=100)[k] for k in (49, 98))
                rate = REQUESTS / sum(times)
                lines.append(f"| {name} | {size} | {p50:.2f} | {p99:.2f} | **{rate:,.0f}** | {rate * size:,.0f} |")
    return lines
