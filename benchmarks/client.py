"""One client of `serving.py`, in a process of its own, by the standard library alone so that sixteen start quickly.

Reads requests from a file, waits for a line on stdin, sends them one after another over one connection, and prints the
seconds of each.
"""

from __future__ import annotations

import http.client
import json
import pickle
import sys
import time
from pathlib import Path


def latencies(host: str, port: int, kind: str, bodies: list[bytes]) -> list[float]:
    """The seconds of each request; SystemExit if one is not answered."""
    connection = http.client.HTTPConnection(host, port)
    times = []
    for body in bodies:
        start = time.perf_counter()
        connection.request("POST", "/invocations", body, {"Content-Type": kind})
        answer = connection.getresponse()
        content = answer.read()
        times.append(time.perf_counter() - start)
        if answer.status != 200:
            raise SystemExit(f"{answer.status}: {content[:200]!r}")
    return times


def main() -> None:
    host, port, kind, path = sys.argv[1:]
    bodies = pickle.loads(Path(path).read_bytes())  # noqa: S301 (written by serving.py a moment ago)
    warm, counted = bodies
    latencies(host, int(port), kind, warm)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(latencies(host, int(port), kind, counted)), flush=True)


if __name__ == "__main__":
    main()
