"""The LeNet champion behind `serve` for ten minutes: 16 clients at a time, and one in ten of their requests is broken.

Broken is JSON that ends early or holds no picture, an array of another shape, a content type that is not taken, bytes
that are no HTTP, a client that leaves in the middle of its request or before its answer. Every good request must be
answered, as the page's own `predict` answers in this process. *memory* is the server's own (resident set), the median
of the second tenth of the time and of the last; *left* is what the server holds once all clients have gone, beyond what
it held after its first requests: files and connections, threads, requests in progress.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import statistics
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil
import torch

from benchmarks.serving import NAME, NPY, Address, body, served
from handbook import datasets
from handbook.project import Project
from handbook.serving import choice

MINUTES, CLIENTS, BROKEN = 10, 16, 0.1
PATIENCE = 30.0  # seconds that a client waits for an answer
SETTLING = 20.0  # seconds in which a server has to let go of what left


@dataclass
class Outcome:
    """What came of all requests, and what the server held meanwhile."""

    counts: Counter[str] = field(default_factory=Counter)  # good, broken, and each failure in words
    memory: list[int] = field(default_factory=list)  # bytes, at equal distances
    left: dict[str, int] = field(default_factory=dict)  # held at the end beyond the start; nothing: {}

    @property
    def growth(self) -> float:
        """Memory of the last tenth over that of the second, by their medians."""
        tenth = max(1, len(self.memory) // 10)
        return statistics.median(self.memory[-tenth:]) / statistics.median(self.memory[tenth : 2 * tenth])

    @property
    def failures(self) -> dict[str, int]:
        """What should not have happened, and how often."""
        return {what: count for what, count in self.counts.items() if what not in ("good", "broken")}


def broken(picture: Any) -> list[tuple[str, bytes]]:
    """Requests that must be refused, each a content type and a body."""
    return [
        ("application/json", b'{"inputs": [[[0, 1'),
        ("application/json", b'{"inputs": [[["a picture"]]]}'),
        ("application/json", b"[" * 10_000),
        (NPY, body(NPY, picture[:, :, :-1])),
        (NPY, body(NPY, picture)[:-100]),
        (NPY, body(NPY, picture / 255)),
        ("image/png", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        ("text/html", b"<html>"),
    ]


def strange(address: Address, picture: Any, kind: int) -> None:
    """Send what is no request, or leave in the middle of one, or before its answer."""
    raw = body(NPY, picture)
    head = f"POST /invocations HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nContent-Type: {NPY}\r\n".encode()
    length = f"Content-Length: {len(raw)}\r\n\r\n".encode()
    sent = (b"\x16\x03\x01\x02\x00\x01\x00", head, head + length + raw[:100], head + length + raw)[kind]
    with socket.create_connection(address, timeout=PATIENCE) as client:
        client.sendall(sent)


def ask(connection: http.client.HTTPConnection, kind: str, content: bytes) -> tuple[int, bytes]:
    connection.request("POST", "/invocations", content, {"Content-Type": kind})
    answer = connection.getresponse()
    return answer.status, answer.read()


def client(address: Address, pictures: Any, labels: Sequence[int], until: float, seed: int) -> Counter[str]:
    """What came of one request after another over a kept connection."""
    rng, connection = np.random.default_rng(seed), http.client.HTTPConnection(*address, timeout=PATIENCE)
    good, counts = [body(NPY, picture[None]) for picture in pictures], Counter[str]()
    while time.monotonic() < until:
        k = int(rng.integers(len(pictures)))
        try:
            if rng.random() >= BROKEN:
                status, content = ask(connection, NPY, good[k])
                counts["good" if right(status, content, labels[k]) else f"a good one: {status} {content!r}"] += 1
            elif (which := int(rng.integers(12))) < 4:
                strange(address, pictures[k][None], which)
                counts["broken"] += 1
            else:
                kind, content = broken(pictures[k][None])[which - 4]
                status, _ = ask(connection, kind, content)
                counts["broken" if status in (400, 415) else f"a broken one: {status}, {kind} {content[:20]!r}"] += 1
        except (OSError, http.client.HTTPException) as error:
            counts[f"no answer: {error!r}"] += 1
            connection.close()
    connection.close()
    return counts


def right(status: int, content: bytes, label: int) -> bool:
    """Whether this is the answer to a picture of that label."""
    return status == 200 and [each["label"] for each in json.loads(content)["predictions"]] == [label]


def held(server: psutil.Process, address: Address) -> dict[str, int]:
    """What a server holds; the request that asks it for its metrics is none."""
    with urllib.request.urlopen(f"http://{address[0]}:{address[1]}/metrics", timeout=PATIENCE) as answer:
        text = answer.read().decode()
    working = re.search(r"^handbook_requests_in_progress (\S+)$", text, re.MULTILINE)
    assert working
    return {"files": server.num_fds(), "threads": server.num_threads(), "requests": int(float(working[1]))}


def endure(pid: int, address: Address, pictures: Any, labels: Sequence[int], seconds: float) -> Outcome:
    """So many seconds of requests for these pictures (N, 28, 28), whose right labels (N,) are given."""
    server, found = psutil.Process(pid), Outcome()
    _all(lambda k, until: client(address, pictures, labels, until, k + CLIENTS), min(10.0, seconds / 10))
    before, ended = _settled(server, address, {}), threading.Event()

    def watch() -> None:
        while not ended.wait(seconds / 200):
            found.memory.append(server.memory_info().rss)

    watching = threading.Thread(target=watch)
    watching.start()
    found.counts = _all(lambda k, until: client(address, pictures, labels, until, k), seconds)
    ended.set()
    watching.join()
    after = _settled(server, address, before)
    found.left = {what: count - before[what] for what, count in after.items() if count > before[what]}
    return found


def _all(work: Callable[[int, float], Counter[str]], seconds: float) -> Counter[str]:
    """What came of so many clients at a time, until the time is up."""
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(work, range(CLIENTS), [until] * CLIENTS), Counter[str]())


def _settled(server: psutil.Process, address: Address, aim: dict[str, int]) -> dict[str, int]:
    """What is held once it is no more than `aim`, or after a while; without an aim, the least within a while."""
    deadline, least = time.monotonic() + SETTLING, held(server, address)
    while time.monotonic() < deadline and (not aim or any(least[what] > aim[what] for what in aim)):
        time.sleep(0.5)
        now = held(server, address)
        least = {what: min(count, now[what]) for what, count in least.items()}
    return least


def run() -> list[str]:
    """The table; and each failure, should there be one."""
    torch.set_num_threads(1)
    project = Project.here()
    images = datasets.page("fashion_mnist").load(project.data("fashion_mnist")).test_images[:64]
    chosen = choice.choose(project, NAME)
    labels = chosen.case.page.predict(chosen.model, images)["label"].tolist()
    with served() as (process, address):
        found = endure(process.pid, address, images, labels, MINUTES * 60)
    first, last = found.memory[len(found.memory) // 10], found.memory[-1]
    return [
        "| minutes | good requests answered | broken ones | failures | memory, MB | grown to | left |",
        "|---:|---:|---:|---:|---:|---:|---|",
        f"| {MINUTES} | {found.counts['good']:,} | {found.counts['broken']:,} "
        f"| {sum(found.failures.values())} | {first / 1e6:.0f}, {last / 1e6:.0f} | {found.growth:.1%} "
        f"| {found.left or 'nothing'} |",
        *(f"\n{what}: {count}" for what, count in found.failures.items()),
    ]
