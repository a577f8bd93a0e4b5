"""What must hold for servers and signals, tried with light but real processes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest
import yaml

from flows import deployments, processes, servers, ui
from handbook.errors import HandbookError

# Ignores SIGTERM, and so does its child: the worst a server can do.
STUBBORN = """
    import signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if len(sys.argv) == 1:
        subprocess.Popen([sys.executable, __file__, "child"])
    time.sleep(60)
"""
# What `make ui` is, with lighter servers: started, watched, and stopped however it ends.
LIKE_UI = """
    import sys, time
    from contextlib import ExitStack
    from pathlib import Path
    from flows import processes, servers

    try:
        with processes.interruptible(), ExitStack() as stack:
            for name in ("one", "two"):
                address = servers.free_address()
                module = ["http.server", servers.port_of(address), "--bind", "127.0.0.1"]
                server = servers.running(Path.cwd(), name, module, address=address)
                servers.wait(stack.enter_context(server))
            print("ready", flush=True)
            time.sleep(60)
    except KeyboardInterrupt:
        sys.exit(7)
"""


def listener(port: int = 0) -> socket.socket:
    taken = socket.socket()
    taken.bind((servers.LOOPBACK, port))
    taken.listen()
    return taken


def alive(family: list[psutil.Process]) -> list[psutil.Process]:
    """Those that go on: the killed need a moment to die, and without a parent stay listed as zombies."""
    _, left = psutil.wait_procs(family, timeout=5)
    return [member for member in left if member.is_running() and member.status() != psutil.STATUS_ZOMBIE]


def files(root: Path, name: str = "files") -> AbstractContextManager[servers.Server]:
    """The lightest real server: python's own, over a folder."""
    address = servers.free_address()
    module = ["http.server", servers.port_of(address), "--bind", servers.LOOPBACK]
    return servers.running(root, name, module, address=address)


def test_a_taken_port_gives_way_to_the_next_free_one() -> None:
    with listener() as taken:
        port = taken.getsockname()[1]
        assert int(servers.port_of(servers.free_address(port))) > port


def test_a_free_port_is_kept() -> None:
    with listener() as taken:
        port = taken.getsockname()[1]
    assert servers.free_address(port) == f"http://127.0.0.1:{port}"


def test_a_server_answers_in_its_block_and_is_gone_after_it(toy: Path) -> None:
    with files(toy) as server:
        servers.wait(server)
        assert servers.answers(server.address)
    assert not servers.answers(server.address)
    assert server.process.returncode is not None


def test_a_server_that_ends_by_itself_is_named_with_its_last_words(toy: Path) -> None:
    module = ["http.server", "--bind", "nowhere.invalid"]
    with (
        pytest.raises(HandbookError, match=r"broken ended by itself with 1:(.|\n)*Its log: .*broken.log"),
        servers.running(toy, "broken", module, address="http://127.0.0.1:9") as server,
    ):
        servers.wait(server)


def test_a_server_that_never_answers_is_given_up(toy: Path) -> None:
    with (
        pytest.raises(HandbookError, match=r"silent is not ready after 0 s. Its log: .*silent.log"),
        servers.running(toy, "silent", ["http.server", "0"], ready=lambda: False) as server,
    ):
        servers.wait(server, seconds=0.3)


def test_a_server_that_will_not_end_is_ended_with_its_children(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "GRACE", 0.5)
    (toy / "stubborn.py").write_text(textwrap.dedent(STUBBORN))
    with servers.running(toy, "stubborn", ["stubborn"]) as server:
        process = psutil.Process(server.process.pid)
        deadline = time.monotonic() + 20
        while not process.children() and time.monotonic() < deadline:
            time.sleep(0.05)
        family = [process, *process.children()]
        assert len(family) == 2
    assert not alive(family)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_no_process_survives_however_the_user_interface_is_asked_to_end(toy: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", textwrap.dedent(LIKE_UI)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as ui:
        assert ui.stdout is not None
        assert ui.stdout.readline() == "ready\n"
        family = psutil.Process(ui.pid).children(recursive=True)
        assert len(family) == 3  # two servers, and who would end them if it were killed
        ui.send_signal(number)
        ui.send_signal(number)  # an impatient second time must not cut the stopping short
        assert ui.wait(30) == 7
    assert not alive(family)


def test_no_process_survives_a_user_interface_that_is_killed(toy: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(LIKE_UI)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as ui:
        assert ui.stdout is not None
        assert ui.stdout.readline() == "ready\n"
        family = psutil.Process(ui.pid).children(recursive=True)
        ui.kill()
    psutil.wait_procs(family, timeout=30)
    assert not alive(family)


@pytest.fixture
def own_signals() -> Iterator[None]:
    """Gives pytest its handlers back: who was asked to end stays deaf."""
    before = {number: signal.getsignal(number) for number in processes.SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("own_signals")
def test_a_signal_waits_until_what_must_not_be_disturbed_is_done() -> None:
    done = False
    with pytest.raises(KeyboardInterrupt), processes.interruptible(), processes.undisturbed():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)
        done = True
    assert done


def test_a_named_prefect_that_does_not_answer_is_an_error_with_two_ways_out(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", f"{servers.free_address()}/api")
    with (
        pytest.raises(HandbookError, match=r"does not answer(.|\n)*prefect server start(.|\n)*unset"),
        servers.prefect_api(toy),
    ):
        pass


def test_a_named_prefect_that_answers_is_used(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (toy / "api").mkdir()
    (toy / "api" / "health").touch()
    with files(toy) as server:
        servers.wait(server)
        monkeypatch.setenv("PREFECT_API_URL", f"{server.address}/api")
        with servers.prefect_api(toy) as env:
            assert env == {"PREFECT_API_URL": f"{server.address}/api"}


def test_a_flow_beside_the_user_interface_uses_its_servers_and_its_password(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(toy / ".prefect"))
    (toy / "api").mkdir()
    (toy / "api" / "health").touch()
    with files(toy) as server:
        servers.wait(server)
        env = {"PREFECT_API_URL": f"{server.address}/api", servers.MLFLOW: "http://127.0.0.1:5001"}
        with servers.noted(toy, env), servers.prefect_api(toy) as found:
            assert found == env | {"PREFECT_API_AUTH_STRING": servers.password(toy)}


def test_nothing_is_between_us_and_loopback_and_nothing_is_reported(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "example.org")
    env = servers.environment(toy)
    assert env["NO_PROXY"] == "example.org,127.0.0.1,localhost"
    assert env["DO_NOT_TRACK"] == env["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert env["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


@pytest.mark.slow
def test_the_user_interface_comes_up_on_loopback_and_leaves_no_process(toy: Path) -> None:
    command = [sys.executable, "-m", "flows.ui"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as ui:
        assert ui.stdout is not None
        output = ""
        while "Ctrl-C" not in output:
            line = ui.stdout.readline()
            assert line, "it ended before it was up"
            output += line
        family = psutil.Process(ui.pid).children(recursive=True)
        listening = [each.laddr.ip for one in family for each in one.net_connections() if each.status == "LISTEN"]
        assert len(listening) >= 3
        assert set(listening) == {servers.LOOPBACK}
        for address in re.findall(r"http://127\.0\.0\.1:\d+(?=\s)", output):
            assert servers.answers(f"{address}/api/health") or servers.answers(address)
        ui.send_signal(signal.SIGTERM)
        assert ui.wait(60) == 0
    assert not alive(family)


@pytest.mark.slow
def test_when_one_server_dies_the_others_are_stopped_and_it_is_named(toy: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "flows.ui"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as ui:
        assert ui.stdout is not None
        assert ui.stderr is not None
        while "Ctrl-C" not in (line := ui.stdout.readline()):
            assert line, "it ended before it was up"
        family = psutil.Process(ui.pid).children(recursive=True)
        next(member for member in family if {"flows.pages", "reports"} <= set(member.cmdline())).kill()
        output = ui.stderr.read()
        assert ui.wait(60) == 1
    assert output.startswith("error: reports ended by itself with -9")
    assert "reports.log" in output
    assert not alive(family)


def test_one_declaration_serves_make_ui_and_work_pools_one_run_at_a_time() -> None:
    declared = yaml.safe_load(deployments.DECLARED.read_text())["deployments"]
    assert [each.name for each in deployments.offered()] == [each["name"] for each in declared]
    assert {each["concurrency_limit"] for each in declared} == {1}
    assert not any(plan["active"] for each in declared for plan in each.get("schedules", []))


def test_pages_of_a_registry_that_is_on_a_server_are_not_started_here(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    with pytest.raises(HandbookError, match=r"names a server(.|\n)*Unset it"), ui.registry(toy, 0):
        pass
