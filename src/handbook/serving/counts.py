"""What a server counts, for Prometheus: requests by status, errors, seconds by part, inputs a batch."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

PARTS = ("read", "wait", "predict", "write")
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
INPUTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 8192)


class Counts:
    """The counters of one server, apart from those of any other in the process."""

    def __init__(self, title: str) -> None:
        self.registry = CollectorRegistry()
        known: Any = {"registry": self.registry}
        self.requests = Counter("handbook_requests", "requests to /invocations, by HTTP status", ["status"], **known)
        self.errors = Counter("handbook_errors", "requests that failed by a fault of the server", **known)
        self.left = Counter("handbook_clients_left", "clients that left before their answer", **known)
        self.inputs = Counter("handbook_inputs", "inputs that were answered", **known)
        self.doubtful = Counter("handbook_doubtful", "answered inputs with a note", **known)
        self.batch = Histogram("handbook_batch_inputs", "inputs predicted at once", buckets=INPUTS, **known)
        self.working = Gauge("handbook_requests_in_progress", "requests that are being answered", **known)
        seconds = Histogram("handbook_seconds", "seconds of a request, by part", ["part"], buckets=SECONDS, **known)
        self.seconds = {part: seconds.labels(part) for part in PARTS}
        Gauge("handbook_model_info", "which model is served", ["model"], **known).labels(title).set(1)

    def text(self) -> bytes:
        """All counters in Prometheus' format."""
        return generate_latest(self.registry)
