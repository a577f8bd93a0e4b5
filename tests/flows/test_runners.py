"""What must hold wherever tasks run: the same stages, no more trainers than allowed, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect import Task, allow_failure
from prefect.client.orchestration import get_client

from flows import everything, machine, runners, tasks
from handbook.errors import HandbookError
from tests.flows.test_flows import ALL, SHOWN, run

# Dask and Ray leave loops and sockets to the garbage collector when a cluster is closed
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
# Each train notes when it begins and ends, so that two at once can be seen.
NOTED = 'sleep $(cat slow) && echo "+" >> trainers && sleep {} && echo "-" >> trainers &&'


def noted(toy: Path, seconds: float = 0.5) -> None:
    pipeline = toy / "dvc.yaml"
    train = NOTED.format(seconds)
    pipeline.write_text(pipeline.read_text().replace("sleep $(cat slow) &&", train))


def most_at_once(toy: Path) -> int:
    """The most trainers that were at work together."""
    busy = most = 0
    for sign in (toy / "trainers").read_text().split():
        busy += 1 if sign == "+" else -1
        most = max(most, busy)
    return most


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dask", "ray"])
@pytest.mark.usefixtures("server")
def test_a_cluster_runs_every_stage_one_trainer_at_a_time_and_then_finds_them_cached(toy: Path, name: str) -> None:
    pytest.importorskip(f"prefect_{name}")
    noted(toy)
    state, rows = run(everything.everything, 1, name)
    assert state.is_completed(), state.message
    assert rows == dict.fromkeys(ALL, "Completed") | SHOWN
    assert most_at_once(toy) == 1
    assert (toy / "reports" / "index.html").read_text() == "apple\npear_book\n"
    assert run(everything.everything)[1] == dict.fromkeys(ALL, "Cached") | SHOWN  # and threads agree that all is done


def test_every_task_has_a_place_on_a_cluster() -> None:
    assert {each.name for each in vars(tasks).values() if isinstance(each, Task)} == {*runners.VERBS}


def test_what_may_fail_reaches_a_worker_of_dask_as_such() -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.Client(processes=False, n_workers=1, dashboard_address=None) as client:
        waited_for = [runners.Despite(client.submit(int)), runners.Despite(client.submit(str))]
        seen = client.submit(lambda given: [(isinstance(each, allow_failure), *each) for each in given], waited_for)
        assert seen.result() == [(True, 0), (True, "")]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dask", "ray"])
@pytest.mark.usefixtures("server")
def test_a_cluster_with_two_places_trains_two_at_once_and_a_failure_stops_no_other(toy: Path, name: str) -> None:
    pytest.importorskip(f"prefect_{name}")
    noted(toy, 4)  # two workers that start on busy cores may be seconds apart
    assert run(everything.everything, 2, name)[0].is_completed()
    assert most_at_once(toy) == 2
    (toy / "broken").mkdir()
    (toy / "broken" / "apple").touch()
    (toy / "params.yaml").write_text((toy / "params.yaml").read_text().replace("seed: 0", "seed: 1"))
    state, rows = run(everything.everything, 2, name)
    assert state.is_failed()
    assert "apple is broken" in state.message
    assert rows["evaluate@apple"] == "NotReady"
    assert (rows["train@pear_book"], rows["register"]) == ("Completed", "Cached")  # the same model as before


@pytest.mark.slow
@pytest.mark.usefixtures("server")
def test_tasks_on_the_gpu_run_one_at_a_time_by_a_limit_on_their_tag(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (machine, runners):
        monkeypatch.setattr(module, "gpus", lambda: 1)
    noted(toy)
    state, _ = run(everything.everything, 2)
    assert state.is_completed()
    assert most_at_once(toy) == 1
    with get_client(sync_client=True) as client:
        assert client.read_concurrency_limit_by_tag(runners.GPU).concurrency_limit == 1
        client.delete_concurrency_limit_by_tag(runners.GPU)


def test_a_cluster_that_is_started_here_lets_in_who_has_its_keys_and_an_open_one_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("prefect_dask")
    known = runners._dask(2, None)[0].cluster_kwargs
    parts = [known["scheduler"]["options"], *(each["options"] for each in known["workers"].values())]
    assert {(each["protocol"], each["security"].require_encryption) for each in parts} == {("tls://", True)}
    assert known["security"] is parts[0]["security"]
    runners._dask(1, "tls://127.0.0.1:8786")
    assert not capsys.readouterr().err
    runners._dask(1, "tcp://127.0.0.1:8786")
    assert "tcp://127.0.0.1:8786 has no TLS: whoever reaches it can run code" in capsys.readouterr().err


def test_a_runner_that_is_not_installed_is_reported_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runners, "find_spec", lambda name: None)
    with pytest.raises(HandbookError, match=r"runner ray needs the package prefect-ray. Install it: pip install"):
        runners.needed("ray")
    runners.needed("threads")


@pytest.mark.parametrize(("arguments", "reported"), [(("dusk", 1), "no runner 'dusk'"), (("threads", 1, "tcp://x"), "need none")])  # fmt: skip  # noqa: E501
def test_a_runner_that_cannot_be_is_refused(arguments: Any, reported: str) -> None:
    with pytest.raises(HandbookError, match=reported), runners.using(*arguments):
        pass


def test_a_stage_under_the_supervisor_ends_with_the_process_that_held_it(toy: Path) -> None:
    holder = (
        "import subprocess, sys; subprocess.run([sys.executable, '-m', 'flows.supervisor', 'sleep', '100'], stdin=-1)"
    )
    code = holder.replace("subprocess.run(", "p = subprocess.Popen(") + "; p.wait()"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        family: list[psutil.Process] = []
        deadline = time.monotonic() + 30
        while len(family) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
            family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) == 2
        os.kill(process.pid, signal.SIGKILL)
    _, left = psutil.wait_procs(family, timeout=10)
    assert not [each for each in left if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
