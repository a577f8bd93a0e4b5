"""Prefect starts `retrain` on drift and calls an address; nowhere to call, nothing is called."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.events.worker import EventsWorker

from flows import automations, deployments, events
from handbook.errors import HandbookError
from handbook.project import Project

LINE = 'apple: 2 of the last 3 batches have drifted; "quoted" and <tagged>\nin two lines'


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[Any]]]:
    """An address on loopback, and what was posted there."""
    heard: list[Any] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Ear) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", heard
        server.shutdown()


def project_with(webhook: Any) -> Any:
    return SimpleNamespace(numbers=lambda: {"monitor": {"webhook": webhook}})


def test_the_address_is_that_of_the_environment_or_of_params_and_what_is_none_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(automations.ADDRESS, raising=False)
    for nothing in ("", None):
        assert automations.address(project_with(nothing)) == ""
    assert automations.address(project_with("https://host/a")) == "https://host/a"
    with pytest.raises(HandbookError, match=r"params\.yaml, monitor\.webhook: expected an address"):
        automations.address(project_with("host/a"))
    monkeypatch.setenv(automations.ADDRESS, "ftp://host")
    with pytest.raises(HandbookError, match=r"^HANDBOOK_WEBHOOK: expected an address as https://HOST/PATH"):
        automations.address(project_with("https://host/a"))


def test_the_deployment_retrain_has_the_trigger_and_it_bears_the_name_that_is_looked_for() -> None:
    (trigger,) = next(each for each in deployments.offered() if each.name == "retrain").triggers
    assert trigger.name == automations.RETRAIN
    assert trigger.expect == {events.DRIFTED}


@pytest.mark.usefixtures("server")
def test_drift_starts_a_retraining_of_that_case_and_calls_the_address(
    toy: Path, receiver: tuple[str, list[Any]]
) -> None:
    url, heard = receiver
    deployed = next(each for each in deployments.offered() if each.name == "retrain").apply()
    with get_client(sync_client=True) as client:
        try:
            automations.call(url)
            automations.call(url)  # made again, not twice
            assert len(client.read_automations_by_name(automations.WEBHOOK)) == 1
            assert automations.retrains()
            time.sleep(1)  # the server loads automations as they are made known to it
            events.emit(events.BATCH_DRIFTED, "apple", "one batch")
            events.emit(events.DRIFTED, "apple", LINE)
            EventsWorker.drain_all(timeout=20)
            runs = wait_for(lambda: started(client, deployed))
            assert [each.parameters for each in runs] == [{"case": "apple", "only_if_due": True}]
            wait_for(lambda: len(heard) >= 2)
            heard_of = {each["event"]: each for each in heard}
            assert set(heard_of) == {events.BATCH_DRIFTED, events.DRIFTED}
            assert (heard_of[events.DRIFTED]["case"], heard_of[events.DRIFTED]["said"]) == ("apple", LINE)
        finally:
            automations.call("")
            client.delete_deployment(deployed)
            for known in client.read_automations_by_name(automations.RETRAIN):
                client.delete_automation(known.id)
    assert Project.here().root == toy


def started(client: Any, deployment: Any) -> list[Any]:
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId

    wanted = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
    return list(client.read_flow_runs(deployment_filter=wanted))


def wait_for(found: Any, seconds: float = 60.0) -> Any:
    """What is there within a minute."""
    deadline = time.monotonic() + seconds
    while not (there := found()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.2)
    return there
