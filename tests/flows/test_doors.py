"""Attacks on what `make ui` starts: by pages of other origins, by foreign names, by a stranger on the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows import servers
from flows.pages import MLFLOW_AUTH
from flows.passwords import AUTH, SERVER_AUTH
from handbook.errors import HandbookError
from tests.flows.opened import Open, clean, send

FOREIGN = ("https://evil.example", "null", "http://127.0.0.1.evil.example:4200", "http://127.0.0.1")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def requests(ui: Open) -> list[tuple[str, str, Any]]:
    """What an attacker wants: to change a deployment, to start it, to read what ran; the same of MLflow; the report."""
    deployment = f"{ui.prefect}/api/deployments/{ui.deployment()['id']}"
    step = {"prefect.deployments.steps.run_shell_script": {"script": f"touch {ui.root / 'owned'}"}}
    return [
        ("PATCH", deployment, {"pull_steps": [step], "description": "owned"}),
        ("POST", f"{deployment}/create_flow_run", {"parameters": {"case": "apple"}}),
        ("POST", f"{ui.prefect}/api/flow_runs/filter", {}),
        ("GET", f"{ui.prefect}/api/admin/settings", None),
        ("POST", f"{ui.mlflow}/api/2.0/mlflow/experiments/create", {"name": "owned"}),
        ("GET", f"{ui.mlflow}/api/2.0/mlflow/experiments/search?max_results=9", None),
        ("POST", f"{ui.mlflow}/ajax-api/3.0/mlflow/logged-models/search", {"experiment_ids": ["0"]}),
        ("GET", f"{ui.reports}/health", None),
    ]


def test_pages_of_other_origins_are_refused_with_and_without_the_password(ui: Open) -> None:
    for origin in (*FOREIGN, ui.reports, ui.prefect.replace("http:", "https:")):
        for method, url, body in requests(ui):
            if origin == ui.reports and url.startswith(origin):
                continue
            for known in ({}, ui.key()):
                answer = send(method, url, json=body, headers={"Origin": origin} | known)
                assert answer.status_code == 403, (origin, url)
                assert "access-control-allow-origin" not in answer.headers
    ui.untouched()


def test_a_browser_that_asks_first_is_promised_nothing_for_another_origin(ui: Open) -> None:
    asks = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "content-type,authorization"}
    for origin in (*FOREIGN, ui.reports):
        for address in (f"{ui.prefect}/api/deployments/x", f"{ui.mlflow}/api/2.0/mlflow/runs/search"):
            answer = send("OPTIONS", address, headers={"Origin": origin} | asks)
            assert not [name for name in answer.headers if name.startswith("access-control")]
            assert answer.status_code == 403
    allowed = send("OPTIONS", f"{ui.prefect}/api/deployments/x", headers={"Origin": ui.prefect} | asks)
    assert allowed.headers["access-control-allow-origin"] == ui.prefect


def test_a_name_that_is_not_the_servers_own_is_refused(ui: Open) -> None:
    for server, health in ((ui.prefect, "/api/health"), (ui.mlflow, "/health"), (ui.reports, "/health")):
        port = servers.port_of(server)
        assert send("GET", server + health, headers={"Host": f"localhost:{port}"}).status_code == 200
        for host in (
            f"evil.example:{port}",
            "127.0.0.1",
            "localhost",
            f"10.0.0.1:{port}",
            f"127.0.0.1:{port}.evil",
            "",
        ):
            assert send("GET", server + health, headers={"Host": host}).status_code in (400, 421), (server, host)
    for method, url, body in requests(ui):
        assert send(method, url, json=body, headers={"Host": "evil.example"} | ui.key()).status_code == 421
    ui.untouched()


def test_a_stranger_on_this_machine_gets_nothing_of_prefect(ui: Open) -> None:
    for method, url, body in requests(ui)[:4]:
        for known in ({}, ui.key("handbook:guess"), {"Authorization": "Basic"}, {"Authorization": "Bearer x"}):
            answer = send(method, url, json=body, headers=known)
            assert answer.status_code in (401, 403)  # 403: no token against forged requests, which is asked for first
            assert not {"description", "id", "name"} & set(answer.json())
    assert send("GET", f"{ui.prefect}/api/admin/settings").status_code == 401
    ui.untouched()


def test_a_forged_request_lacks_the_token_even_where_the_password_is_known(ui: Open) -> None:
    method, url, body = requests(ui)[0]
    answer = send(method, url, json=body, headers=ui.key())
    assert (answer.status_code, answer.json()) == (403, {"detail": "Missing CSRF token."})


def test_web_sockets_are_as_closed_as_the_rest(ui: Open) -> None:
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    from websockets.sync.client import connect
    from websockets.typing import Origin, Subprotocol

    def speak(origin: str | None, password: str) -> Any:
        address = ui.prefect.replace("http", "ws") + "/api/events/out"
        prefect = [Subprotocol("prefect")]
        with connect(address, origin=Origin(origin) if origin else None, subprotocols=prefect) as socket:
            socket.send(json.dumps({"type": "auth", "token": password}))
            return json.loads(socket.recv(timeout=10))

    assert speak(ui.prefect, ui.password) == speak(None, ui.password) == {"type": "auth_success"}
    with pytest.raises(InvalidStatus, match="403"):
        speak("https://evil.example", ui.password)
    for wrong in ("", "handbook:guess"):
        with pytest.raises(ConnectionClosed):
            speak(None, wrong)


def test_mlflows_assistant_which_runs_commands_is_switched_off(ui: Open) -> None:
    top = f"{ui.mlflow}/ajax-api/3.0/mlflow/assistant"
    tries = [("GET", "/config"), ("PUT", "/config"), ("POST", "/message"), ("POST", "/skills/install"), ("GET", "")]
    for method, path in tries:
        assert send(method, top + path, json={}).status_code == 403
        assert send(method, top.replace("/mlflow/", "//mlflow/./") + path, json={}).status_code in (403, 404)


def test_whoever_has_the_password_is_let_in(ui: Open) -> None:
    assert ui.ask("GET", "/admin/version").status_code == 200
    own = ui.ask("PATCH", f"/deployments/{ui.deployment()['id']}", {"tags": ["handbook", "seen"]}, Origin=ui.prefect)
    assert own.status_code == 204
    assert "seen" in ui.deployment()["tags"]


def test_the_password_is_its_owners_alone_and_stands_in_no_command_line_log_or_note(ui: Open) -> None:
    file = ui.root / ".prefect" / "password"
    assert file.read_text() == f"{ui.password}\n"
    assert len(ui.password.split(":")[1]) >= 43
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    secret = ui.password.split(":")[1].encode()
    lines = [path.read_bytes() for path in readable(Path("/proc").glob("[0-9]*/cmdline"))]
    assert any(b"flows.pages\0prefect" in line for line in lines)
    assert not [line for line in lines if secret in line]
    written = [path for path in (ui.root / ".cache").rglob("*") if path.is_file()]
    assert {"servers.json", "prefect.log", "deployments.log"} <= {path.name for path in written}
    assert not [path for path in written if secret in path.read_bytes()]


def readable(paths: Iterator[Path]) -> list[Path]:
    """Processes come and go."""
    return [path for path in paths if os.access(path, os.R_OK) and path.exists()]


def test_what_a_run_is_started_from_lies_in_no_folder_that_users_share(ui: Open) -> None:
    """Prefect's own is below the folder for temporary files: whoever comes first owns it, and nobody else can start."""
    own = ui.root / ".prefect" / "runner"
    assert own.stat().st_mode & 0o777 == 0o700
    assert [*(own / "runner_storage").iterdir()]


def test_databases_and_logs_are_read_by_their_owner_only(ui: Open) -> None:
    for folder in (ui.root / ".prefect", ui.root / ".cache" / "ui"):
        assert folder.stat().st_mode & 0o777 == 0o700
        kept = [path for path in folder.rglob("*") if path.suffix in (".db", ".log")]
        assert kept
        assert not [path for path in kept if path.stat().st_mode & 0o077]
    assert (ui.root / "mlruns" / "mlflow.db").stat().st_mode & 0o077 == 0


def test_a_flow_in_another_terminal_finds_the_servers_and_is_let_in(ui: Open) -> None:
    command = [sys.executable, "-m", "flows", "apple"]
    before = ui.ask("POST", "/flow_runs/count", {}).json()
    for given in ({}, {servers.API: f"{ui.prefect}/api"}):
        env = clean(ui.root) | given
        done = subprocess.run(command, cwd=ui.root, env=env, capture_output=True, text=True, timeout=250, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert ui.ask("POST", "/flow_runs/count", {}).json() == before + 2
    ui.forget_runs()


def test_a_server_that_asks_for_a_password_says_how_to_give_it(ui: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (AUTH, SERVER_AUTH):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(servers.API, f"{ui.prefect}/api")
    elsewhere = ui.root.parent  # its note is not there, as on another machine
    with pytest.raises(HandbookError, match=f"asks for a password: {AUTH} is not set. Set it"):
        servers.prefect_api(elsewhere).__enter__()
    monkeypatch.setenv(AUTH, "handbook:guess")
    with pytest.raises(HandbookError, match=r"is not it\. Set it"):
        servers.prefect_api(elsewhere).__enter__()
    monkeypatch.setenv(AUTH, ui.password)
    with servers.prefect_api(elsewhere) as found:
        assert found == {servers.API: f"{ui.prefect}/api"}


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_mlflow_with_a_password_keeps_runs_and_artifacts_of_those_who_know_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow
    from mlflow.exceptions import MlflowException

    (tmp_path / "note.txt").write_text("kept")
    env = {MLFLOW_AUTH: "handbook:secret", "MLFLOW_BACKEND_STORE_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    served = ["--serve-artifacts", str(tmp_path / "artifacts")]
    monkeypatch.setenv("PYTHONPATH", clean(tmp_path)["PYTHONPATH"])
    with servers.pages(tmp_path, "mlflow", 0, served, env=env) as server:
        servers.wait(server)
        client = mlflow.MlflowClient(server.address)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        with pytest.raises(MlflowException, match="401"):
            client.search_experiments()
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "handbook")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)
        run = client.create_run("0").info
        client.log_artifact(run.run_id, str(tmp_path / "note.txt"))
        assert [each.path for each in client.list_artifacts(run.run_id)] == ["note.txt"]
    assert [path.read_text() for path in (tmp_path / "artifacts").rglob("note.txt")] == ["kept"]
