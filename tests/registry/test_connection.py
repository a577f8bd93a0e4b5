"""MLflow opened: addresses that cannot be are refused in a sentence, and its own database is whole or made again."""

from __future__ import annotations

import contextlib
import http.server
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.registry import connection

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("mlruns", "a folder, where MLflow keeps no registry any more"), ("file:///mlruns", "a folder, where"),
        ("localhost:5000", "which lacks its scheme. Did you mean http://localhost:5000?"),
        ("postgres://me:secret@host/mlflow", "it is written postgresql://"), ("ftp://host", "whose kind is not known"),
        ("databricks", "a folder"),
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_is_refused_without_its_password(
    address: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(HandbookError) as refused:
        connection.uri(Project(tmp_path))
    assert fault in str(refused.value)
    assert "unset MLFLOW_TRACKING_URI" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_an_empty_address_is_none_and_a_good_one_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", " ")
    assert connection.uri(project) == connection.own_uri(project)
    for address in (
        "http://127.0.0.1:5000",
        "sqlite:////tmp/a.db",
        "postgresql+psycopg2://u@h/n",
        "HTTPS://host/mlflow",
    ):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        assert connection.uri(project) == address


@contextlib.contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that says the same to everybody."""

    class Same(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Same)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (200, b"OK", ""), (401, b"", ""), (200, b"<!doctype html>", "what answers there is no MLflow"),
        (404, b"", "is no MLflow (it says 404)"), (503, b"", "it says 503"),
    ],
)  # fmt: skip
def test_a_server_that_is_no_mlflow_is_known_from_one(
    status: int, body: bytes, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(status, body) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        said = ""
        try:
            connection.answers(Project(tmp_path))
        except HandbookError as error:
            said = str(error)
    assert (fault in said) if fault else not said


@pytest.mark.parametrize("address", ["http://", "http://127.0.0.1:1", "http://127.0.0.1:port", "http://[::1"])
def test_a_server_that_does_not_answer_is_a_sentence(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(HandbookError, match="no MLflow server answers there"):
        connection.answers(Project(tmp_path))


def test_a_place_that_can_hold_no_database_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path)
    project.mlruns.write_text("")
    with pytest.raises(HandbookError, match="expected a folder, found a file"), connection.opened(project):
        pass
    project.mlruns.unlink()
    project.mlruns.symlink_to("gone")
    with pytest.raises(HandbookError, match="found a link that leads nowhere"), connection.opened(project):
        pass
    project.mlruns.unlink()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(HandbookError, match="cannot be written to"), connection.opened(project):
        pass


def tables(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(statement)


ALEMBIC = "CREATE TABLE alembic_version (version_num TEXT)"
DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "it is half made"),
    "text": (lambda path: path.write_bytes(b"no database" * 99), "it is no database that can be read"),
    "half made": (lambda path: tables(path, "CREATE TABLE experiments (name TEXT)"), "it is half made"),
    "just begun": (lambda path: tables(path, ALEMBIC), "it is half made"),
    "newer": (lambda path: tables(path, ALEMBIC, "INSERT INTO alembic_version VALUES ('9f')"), "by another MLflow"),
    "cut": (
        lambda path: (
            tables(path, ALEMBIC, *(f"CREATE TABLE t{k} AS SELECT randomblob(9000)" for k in range(9))),
            os.truncate(path, 4096 * 5),
        ),
        "it is",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_database_that_is_of_no_use_is_known_as_such(kind: str, tmp_path: Path) -> None:
    damage, fault = DAMAGE[kind]
    damage(tmp_path / "mlflow.db")
    assert fault in connection._fault(tmp_path / "mlflow.db")


def test_a_database_that_somebody_holds_is_waited_for_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mlflow.db"
    tables(path, ALEMBIC, "INSERT INTO alembic_version VALUES ('9f')")
    waited: list[float] = []
    with contextlib.closing(sqlite3.connect(path, check_same_thread=False)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(connection.time, "sleep", lambda seconds: (waited.append(seconds), holder.rollback()))
        assert "by another MLflow" in connection._fault(path)
        assert (len(waited), "waiting" in capsys.readouterr().err) == (1, True)
        holder.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(connection, "LOCKED", 0.0)
        with pytest.raises(HandbookError, match="is locked, and was for 0 s"):
            connection._fault(path)


def test_a_half_made_database_is_set_aside_and_made_again_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "a notebook's")
    project = Project(tmp_path)
    project.mlruns.mkdir()
    tables(project.mlruns / "mlflow.db", "CREATE TABLE experiments (name TEXT)")
    (project.mlruns / ".new-1-mlflow.db").write_bytes(b"left by a kill")
    with connection.opened(project) as mlflow:
        mlflow.create_experiment("a")
        with mlflow.start_run(experiment_id=mlflow.get_experiment_by_name("a").experiment_id) as run:
            assert run.info.status == "RUNNING"
    assert sorted(path.name for path in project.mlruns.iterdir()) == [".lock", "mlflow.db", "mlflow.db.aside.0"]
    assert "it is half made; set aside as" in capsys.readouterr().err
    assert (project.mlruns / "mlflow.db").stat().st_mode & 0o777 == 0o600
    with pytest.raises(HandbookError, match="MLflow at sqlite"), connection.opened(project) as mlflow:
        mlflow.get_run("0" * 32)
    assert connection._fault(project.mlruns / "mlflow.db") == ""
    assert connection._revision(project.mlruns / "mlflow.db") == connection._head()
