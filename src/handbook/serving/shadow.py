"""The champion's shadow: what it has answered is asked of a challenger as well, by a process that nobody waits for.

Clients are answered first, and by the champion alone. Then request and answer are put into a queue that a thread hands
on to `challenger.py`; where the queue is full, or the challenger is gone, the request is passed over and counted. Both
files are loaded by their paths, beside server.py: `handbook` is there what was kept with the models.
"""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOM = 64  # requests that wait for the challenger at most
BYTES = 32 << 20  # of the requests and answers that wait, all together
LARGEST = 8 << 20  # of one request, or one answer
Application = Callable[..., Awaitable[None]]


class Shadow:
    """Hands answered requests on to a challenger at the other end of a socket, in a thread of its own."""

    def __init__(self, link: socket.socket, title: str) -> None:
        self.link, self.title = link, title
        self.waiting: queue.Queue[tuple[str, bytes, bytes]] = queue.Queue(ROOM)
        self.held = self.passed = 0  # bytes that wait; requests that were passed over
        self.alive = True
        self.counts: dict[str, int] = {"inputs": 0, "differ": 0, "failed": 0}
        threading.Thread(target=self._hand_on, name="shadow", daemon=True).start()

    def offer(self, kind: str, body: bytes, answer: bytes) -> None:
        """A request that was answered, with its content type; returns at once, whatever becomes of it."""
        size = len(body) + len(answer)
        if not self.alive or self.held + size > BYTES:
            self.passed += 1
            return
        try:
            self.waiting.put_nowait((kind, body, answer))
            self.held += size
        except queue.Full:
            self.passed += 1

    def _hand_on(self) -> None:
        replies = self.link.makefile("rb")
        try:
            while True:
                kind, body, answer = self.waiting.get()
                sizes = {"type": kind, "body": len(body), "answer": len(answer), "passed": self.passed}
                self.link.sendall(json.dumps(sizes).encode() + b"\n" + body + answer)
                if not (line := replies.readline()):
                    raise OSError("its process has ended")
                self.counts = json.loads(line)
                self.held -= len(body) + len(answer)
        except (OSError, ValueError) as error:
            self.alive = False
            self.passed += self.waiting.qsize() + 1
            print(f"{self.title}, in the shadow, answers no more ({error}); the champion does", file=sys.stderr)

    def around(self, app: Application) -> Application:
        """The application, of which the shadow sees what was asked and answered; `/metrics` has its counts as well."""

        async def shadowed(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
            request = scope.get("path"), scope.get("method")
            if request == ("/metrics", "GET"):
                await self._with_counts(app, scope, receive, send)
            elif request == ("/invocations", "POST"):
                await self._overheard(app, scope, receive, send)
            else:
                await app(scope, receive, send)

        return shadowed

    async def _overheard(self, app: Application, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        body, answer = _Kept(), _Kept()
        status = 0

        async def heard() -> Any:
            message = await receive()
            body.take(message.get("body", b""))
            return message

        async def said(message: Any) -> None:
            nonlocal status
            await send(message)
            status = message.get("status", status)
            answer.take(message.get("body", b""))

        await app(scope, heard, said)
        if status == 200 and body.whole and answer.whole:
            kind = next((value.decode("latin-1") for key, value in scope["headers"] if key == b"content-type"), "")
            self.offer(kind, body.content(), answer.content())
        elif status == 200:
            self.passed += 1

    async def _with_counts(self, app: Application, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """The application's own metrics, and the shadow's after them."""
        start: dict[str, Any] = {}
        parts: list[bytes] = []

        async def gathered(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await app(scope, receive, gathered)
        content = b"".join(parts) + self.text()
        headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(len(content)).encode())]})
        await send({"type": "http.response.body", "body": content})

    def text(self) -> bytes:
        """The shadow's counts in Prometheus' format."""
        from prometheus_client import CollectorRegistry, generate_latest

        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Any]:
        """The counts, as Prometheus' client asks for them."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        meanings = {
            "inputs": "inputs that the challenger has answered as well",
            "differ": "of these, inputs that it has answered otherwise",
            "failed": "requests that it could not answer",
            "passed": "requests that it was not asked, since too many were waiting or it is gone",
        }
        found = self.counts | {"passed": self.passed}
        for name, meaning in meanings.items():
            yield CounterMetricFamily(f"handbook_shadow_{name}", meaning, value=found[name])
        yield GaugeMetricFamily("handbook_shadow_waiting", "requests that wait for it", value=self.waiting.qsize())
        yield GaugeMetricFamily("handbook_shadow_up", "whether it answers", value=int(self.alive))


class _Kept:
    """The parts of a message as they come, unless they are too many to be kept."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def take(self, part: bytes) -> None:
        self.size += len(part)
        self.parts.append(part) if self.whole else self.parts.clear()

    @property
    def whole(self) -> bool:
        return self.size <= LARGEST

    def content(self) -> bytes:
        return b"".join(self.parts)


def started(given: Mapping[str, Any]) -> Shadow:
    """Start a challenger beside the server; it ends when the server does, however that is.

    Args:
        given: `place`, the folder with the files of its record; `title`, its name; `folder`, where what is found is
            written; `pair`, what is written of the two.
    """
    ours, theirs = socket.socketpair()
    command = [
        sys.executable, "-P", "-B", str(Path(__file__).with_name("challenger.py")), given["place"],
        str(theirs.fileno()), given["title"], json.dumps({"folder": given["folder"], "pair": given["pair"]}),
    ]  # fmt: skip
    # A session of its own: Ctrl-C is for the server. One thread of the least priority, whatever the server has.
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.Popen(
        command, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment,
        start_new_session=True,
    )  # fmt: skip
    theirs.close()
    return Shadow(ours, str(given["title"]))
