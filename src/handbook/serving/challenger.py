"""What runs in the champion's shadow: a challenger, by the code that it was registered with. Run as a file.

It is asked what the champion was asked, after the champion has answered, and compares. What it finds is kept in a
folder that stays small: the counts and a table of each run, and a list of the inputs that were answered otherwise. It
ends when its socket does, and so with the server. Like server.py it imports nothing of the handbook itself.
"""

from __future__ import annotations

import asyncio
import atexit
import csv
import importlib.util
import io
import json
import logging
import os
import shutil
import signal
import socket
import sys
import time
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NICE = 10  # less than the server's priority
CLOSE = 1e-5  # that numbers may differ by and count as the same, by their size
PAIRS = 1000  # of answers in the table at most; what comes beyond is counted together
RUNS = 50  # whose counts are kept; the oldest go
LISTED = 4 << 20  # bytes of the list, and of the list before it
EVERY = 1.0  # seconds between two times that the counts are written
SAID = ("name", "label", "dex", "suspicious", "text")  # what an answer is called by, the first that it has
NUMBERS = ("probability", "value", "outlier_score")  # and how sure it is, or how much
COLUMNS = ("time", "request", "input", "champion", "champion_number", "challenger", "challenger_number")
Answer = tuple[str, float | None]  # what is answered, and the number beside it


class Tally:
    """What was compared so far, in memory and in the folder.

    Args:
        folder: Where it is kept; made if it is not there.
        pair: What is written of the two models: the case, and the version and the record of each.
    """

    def __init__(self, folder: Path, pair: Mapping[str, Any]) -> None:
        self.folder, self.pair = folder, dict(pair)
        self.since = datetime.now(UTC)
        self.counts = {"inputs": 0, "differ": 0, "failed": 0}
        self.requests = self.passed = 0
        self.pairs: dict[tuple[str, str], int] = {}
        self.apart, self.most, self.numbers = 0.0, 0.0, 0  # of the numbers: the sum and the most of the differences
        folder.mkdir(parents=True, exist_ok=True)
        self.place = folder / f"{self.since:%Y%m%dT%H%M%S.%fZ}-{os.getpid()}.json"
        self.written = 0.0

    def take(self, champion: list[Any], challenger: list[Any] | None) -> None:
        """The answers of both to one request; None where the challenger has none."""
        self.requests += 1
        if challenger is None or len(challenger) != len(champion):
            self.counts["failed"] += 1
            return
        lines = []
        for k, (one, other) in enumerate(zip(map(said, champion), map(said, challenger), strict=True), start=1):
            self.counts["inputs"] += 1
            if self._differ(one, other):
                self.counts["differ"] += 1
                lines.append([self.requests, k, *one, *other])
        if lines:
            self._list(lines)

    def _differ(self, one: Answer, other: Answer) -> bool:
        """Whether two answers differ: in what they say, or, where they only are numbers, in these."""
        key = (one[0], other[0])
        if key not in self.pairs and len(self.pairs) >= PAIRS:
            key = ("others", "others")
        self.pairs[key] = self.pairs.get(key, 0) + 1
        if one[1] is None or other[1] is None:
            return one != other
        off = abs(one[1] - other[1])
        self.apart, self.most, self.numbers = self.apart + off, max(self.most, off), self.numbers + 1
        return one[0] != other[0] if one[0] or other[0] else off > CLOSE * max(1.0, abs(one[1]))

    def _list(self, lines: list[list[Any]]) -> None:
        place = self.folder / "differences.csv"
        if place.exists() and place.stat().st_size > LISTED:
            place.replace(place.with_name("differences.before.csv"))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not place.exists():
            writer.writerow(COLUMNS)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        writer.writerows([now, *map(harmless, line)] for line in lines)
        with place.open("a", encoding="utf-8", newline="") as stream:
            stream.write(text.getvalue())

    def write(self, at_once: bool = False) -> None:
        """Keep the counts, in one step, if there is something new and the last time is a while ago."""
        now = time.monotonic()
        if not self.requests or (now - self.written < EVERY and not at_once):
            return
        self.written = now
        pairs = sorted(self.pairs.items(), key=lambda each: (-each[1], each[0]))
        content = self.pair | self.counts | {
            "since": self.since.isoformat(timespec="seconds"),
            "until": datetime.now(UTC).isoformat(timespec="seconds"),
            "requests": self.requests,
            "passed": self.passed,
            "numbers": self.numbers,
            "apart": self.apart,
            "most": self.most,
            "pairs": [[*both, count] for both, count in pairs],
        }  # fmt: skip
        fresh = self.place.with_name(f".{self.place.name}.new")
        fresh.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        fresh.replace(self.place)
        for old in sorted(self.folder.glob("*.json"))[:-RUNS]:
            old.unlink(missing_ok=True)


def said(answer: Any) -> Answer:
    """What an answer says and how surely; of a picture or a plain value its text alone."""
    if not isinstance(answer, dict):
        return json.dumps(answer)[:200], None
    number = next((float(answer[key]) for key in NUMBERS if isinstance(answer.get(key), int | float)), None)
    return next((str(answer[key])[:200] for key in SAID if key in answer), ""), number


def harmless(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


async def answered(app: Any, kind: str, body: bytes) -> list[Any] | None:
    """What an application answers to a request; None where that is no answer."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]
    status, parts = 0, list[bytes]()

    async def receive() -> dict[str, Any]:
        if not waiting:  # a client that waits, and never leaves
            await asyncio.Event().wait()
        return waiting.pop()

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)
        parts.append(message.get("body", b""))

    headers = [(b"content-type", kind.encode("latin-1", "replace")), (b"content-length", str(len(body)).encode())]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": "/invocations",
        "raw_path": b"/invocations", "root_path": "", "scheme": "http", "query_string": b"", "headers": headers,
        "client": ("127.0.0.1", 0), "server": ("127.0.0.1", 0),
    }  # fmt: skip
    try:
        await app(scope, receive, send)
        found = json.loads(b"".join(parts))["predictions"] if status == 200 else None
    except Exception:  # whatever is wrong with a challenger is a request that it could not answer
        return None
    return found if isinstance(found, list) else None


def compare(link: socket.socket, app: Any, tally: Tally) -> None:
    """Answer what comes in by the socket, and say after each request what was counted, until the other end closes."""
    with link, link.makefile("rb") as stream, asyncio.Runner() as runner:
        while line := stream.readline():
            sizes = json.loads(line)
            body, answer = stream.read(sizes["body"]), stream.read(sizes["answer"])
            if len(body) < sizes["body"] or len(answer) < sizes["answer"]:
                break  # the server went in its midst
            tally.passed = sizes["passed"]
            tally.take(json.loads(answer)["predictions"], runner.run(answered(app, sizes["type"], body)))
            tally.write()
            link.sendall(json.dumps(tally.counts).encode() + b"\n")
    tally.write(at_once=True)


def main() -> None:
    """Load the challenger and compare, until the server is gone."""
    folder, descriptor, title, given = sys.argv[1:]
    place, options = Path(folder), json.loads(given)
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.nice(NICE)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    warnings.filterwarnings("ignore", module="mlflow")
    import mlflow

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    spec = importlib.util.spec_from_file_location("server", Path(__file__).with_name("server.py"))
    assert spec and spec.loader
    server = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(server)
    try:
        model = mlflow.pyfunc.load_model(str(place))
        app = server.application(model, place, title, {})
    except Exception as error:  # it runs in the shadow: the champion's log says so, in a sentence
        sys.exit(f"{title} cannot run in the shadow: {type(error).__name__}: {' '.join(str(error).split())}")
    compare(socket.socket(fileno=int(descriptor)), app, Tally(Path(options["folder"]), options["pair"]))


if __name__ == "__main__":
    main()
