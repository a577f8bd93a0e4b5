"""Prefect and MLflow over Postgres, as compose.yaml has them: a real server, started here and thrown away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flows import servers, ui
from handbook.project import Case, Project
from handbook.registry import shown, tracking
from tests.conftest import ROOT

OWNER = "postgres"  # who runs it where we are root, whom Postgres refuses


def programs() -> Path | None:
    """The folder of initdb and postgres: Debian keeps them off the PATH, a folder a version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(programs() is None, reason="no Postgres here: apt install postgresql"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"),
    pytest.mark.timeout(300),
]


@contextmanager
def _postgres(home: Path) -> Iterator[str]:
    """Postgres on a free port of loopback, its files in `home`; what comes before the name of a database."""
    here = programs()
    assert here is not None
    as_owner: dict[str, Any] = {}
    if os.geteuid() == 0:
        shutil.chown(home, OWNER)
        as_owner = {"user": OWNER, "group": OWNER, "extra_groups": []}
    quiet = {"stdout": subprocess.DEVNULL, "cwd": home, **as_owner}
    data = home / "data"
    subprocess.run([here / "initdb", "-D", data, "-U", "handbook", "--auth", "trust", "--no-sync"], check=True, **quiet)
    port = servers.port_of(servers.free_address())
    options = ["-D", data, "-h", servers.LOOPBACK, "-p", port, "-k", home, "-F"]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen([here / "postgres", *options], stderr=log, **quiet)
    try:
        ask = ["psql", "-h", servers.LOOPBACK, "-p", port, "-U", "handbook", "-d", "postgres", "-qc"]
        servers.wait(servers.Server("postgres", "", home / "log", partial(_open, int(port)), server), 60)
        for name in ("prefect", "mlflow"):
            subprocess.run([*ask, f"CREATE DATABASE {name}"], check=True)
        yield f"handbook@{servers.LOOPBACK}:{port}"
    finally:
        server.send_signal(signal.SIGINT)  # SIGTERM would wait for clients, and MLflow in this process stays one
        server.wait(60)


def _open(port: int) -> bool:
    """Does it take connections? It listens before it does."""
    return not subprocess.run(["pg_isready", "-q", "-h", servers.LOOPBACK, "-p", str(port)], check=False).returncode


@pytest.fixture
def postgres() -> Iterator[str]:
    """In a folder of its own below /tmp: pytest's are closed to other users, of whom Postgres is one."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        Path(home).chmod(0o755)
        with _postgres(Path(home)) as place:
            yield place


def rows(place: str, database: str, query: str) -> list[tuple[Any, ...]]:
    """What Postgres itself answers."""
    import psycopg2

    connection = psycopg2.connect(f"postgresql://{place}/{database}")
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())
    finally:
        connection.close()


def test_a_flow_is_kept_in_postgres(toy: Path, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", f"postgresql+asyncpg://{postgres}/prefect")
    env = os.environ | {"PREFECT_HOME": str(toy / ".prefect")}
    done = subprocess.run(
        [sys.executable, "-m", "flows", "apple"], cwd=toy, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kept = rows(postgres, "prefect", "SELECT state_type::text FROM flow_run")
    assert kept == [("COMPLETED",)]
    assert not list(toy.glob(".prefect/*.db"))


def test_the_registry_and_its_pages_are_kept_in_postgres(
    placed: Callable[..., Case], project: Project, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # its pages are served from elsewhere
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"postgresql+psycopg2://{postgres}/mlflow")
    for number, accuracy in enumerate((0.9, 0.95), start=1):
        reported = tracking.register(project, placed("lenet", accuracy))
        assert reported == f"lenet: version {number} passes the gate and is champion (accuracy {accuracy:.4f})"
    aliases = rows(postgres, "mlflow", "SELECT alias, version FROM registered_model_aliases ORDER BY alias")
    assert aliases == [("challenger", 2), ("champion", 2), ("previous", 1)]
    assert not (project.mlruns / "mlflow.db").exists()
    found, _ = shown.recorded(project, "lenet")
    assert [each.version for each in found] == ["1", "2"]
    for each in found:
        assert each.ours
        assert each.place.startswith(project.mlruns.as_uri())
        assert "MLmodel" in each.files
    with ui.registry(project.root, 0) as pages:
        servers.wait(pages)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", pages.address)
        assert shown.recorded(project, "lenet")[0] == found
