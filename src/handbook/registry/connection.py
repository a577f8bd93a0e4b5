"""MLflow opened for a project: where it is, whether it answers, and its own database made whole or made again.

The project's own database is a view of the ledger. It is made beside its place and moved in whole; one that is half
made, damaged, or of a newer MLflow is set aside, never deleted, and what it showed is shown again. A database or server
that the environment names is somebody else's: what is wrong with it is said, and it is left as it is.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import re
import secrets
import shutil
import sqlite3
import sys
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from handbook.errors import HandbookError, from_system
from handbook.files import locks
from handbook.project import Project

TRACKING = "MLFLOW_TRACKING_URI"
# What others, a scheduler's or a notebook's run say, leave in the environment for MLflow: none of it is meant for us.
FOREIGN = (
    "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_ACTIVE_MODEL_ID", "MLFLOW_REGISTRY_URI",
    "MLFLOW_RUN_CONTEXT", "MLFLOW_WORKSPACE", "MLFLOW_TRACKING_DIR", "MLFLOW_REGISTRY_DIR",
    "MLFLOW_ENABLE_ASYNC_LOGGING",
)  # fmt: skip
SCHEMES = ("http", "https", "sqlite", "postgresql", "mysql", "mssql")
PATIENCE = 4.0  # seconds until a server that says nothing is none
LOCKED = 90.0  # seconds that somebody else may hold the database
ASIDE = "set aside as {}; what was registered is shown again by: python -m handbook register"
REBUILD = "To build it again: move mlflow.db, artifacts and registered out of mlruns/, then dvc repro"
_whole: set[Path] = set()  # databases that this process has looked through


def uri(project: Project) -> str:
    """Where MLflow is: the server or database that the environment names, else a database of the project's own.

    Raises HandbookError for an address that MLflow cannot use.
    """
    named = os.environ.get(TRACKING, "").strip()
    if not named:
        return own_uri(project)
    scheme = named.partition("://")[0].partition("+")[0].lower() if "://" in named else ""
    if scheme not in SCHEMES:
        raise HandbookError(f"{TRACKING} is {without_password(named)}, {_why_not(named, scheme)}")
    return named


def _why_not(named: str, scheme: str) -> str:
    way = f"a server, http://HOST:PORT, or a database, postgresql://USER@HOST/NAME; or unset {TRACKING}"
    if scheme == "postgres":
        return f"which SQLAlchemy does not know; it is written postgresql://. Expected {way}"
    if re.fullmatch(r"[\w.-]+:\d+/?", named):
        return f"which lacks its scheme. Did you mean http://{named}? Expected {way}"
    if scheme in ("", "file"):
        return f"a folder, where MLflow keeps no registry any more. Expected {way}"
    return f"whose kind is not known here. Expected {way}"


def own_uri(project: Project) -> str:
    """The project's own database."""
    return f"sqlite:///{project.mlruns / 'mlflow.db'}"


def without_password(address: str) -> str:
    """An address as it may be shown."""
    return re.sub(r"(//[^/@:]*):[^/@]*@", r"\1:***@", address)


def answers(project: Project) -> None:
    """Raise a HandbookError if MLflow is a server that is not there, or is no MLflow: its client tries for minutes."""
    place = uri(project)
    if not place.lower().startswith("http"):
        return
    fault = ""
    try:
        with urllib.request.urlopen(f"{place.rstrip('/')}/health", timeout=PATIENCE) as answer:  # noqa: S310 (http)
            if answer.read(100).strip() != b"OK":
                fault = "what answers there is no MLflow"
    except urllib.error.HTTPError as error:
        if error.code not in (401, 403):  # it asks for a password, which MLflow's client knows how to give
            fault = f"what answers there is no MLflow (it says {error.code})"
    except (OSError, ValueError, http.client.HTTPException) as error:
        fault = f"no MLflow server answers there: {error}"
    if fault:
        raise HandbookError(
            f"{TRACKING} is {without_password(place)}, but {fault}.\n"
            f"Start it: make ui   or use the project's own database: unset {TRACKING}"
        )


@contextlib.contextmanager
def opened(project: Project) -> Iterator[Any]:
    """MLflow set up for this project, one user at a time: two first uses would race to create the database.

    What MLflow or its database refuses in here is a HandbookError.
    """
    answers(project)
    _neutral()
    _room(project)
    import mlflow
    import sqlalchemy.exc

    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    logging.getLogger("mlflow.store.db").setLevel(logging.CRITICAL)  # what it logs, with its stack, it raises as well
    with warnings.catch_warnings(), locks.alone(project.mlruns / ".lock"):
        warnings.filterwarnings("ignore", module="mlflow")  # hints on types that our signature settles
        try:
            if uri(project) == own_uri(project):
                _see_to(project.mlruns / "mlflow.db", mlflow)
            elif not uri(project).lower().startswith("http"):
                _reach(uri(project))
            mlflow.set_tracking_uri(uri(project))
            mlflow.set_registry_uri(uri(project))
            yield mlflow
        except (mlflow.exceptions.MlflowException, sqlalchemy.exc.SQLAlchemyError, ModuleNotFoundError) as error:
            if isinstance(error, ModuleNotFoundError) and not os.environ.get(TRACKING):
                raise
            raise from_system(error) or _refused(uri(project), error) from error


def _neutral() -> None:
    """MLflow as this project uses it, whatever else the environment says."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for name in FOREIGN:
        os.environ.pop(name, None)


def _room(project: Project) -> None:
    """A folder for the database, which can be written to; HandbookError where there can be none."""
    place = project.mlruns
    way = f"MLflow's database goes there. Move it away, or set {TRACKING}"
    if (place.exists() or place.is_symlink()) and not place.is_dir():
        what = "a link that leads nowhere" if place.is_symlink() else "a file"
        raise HandbookError(f"{place}: expected a folder, found {what}. {way}")
    place.mkdir(parents=True, exist_ok=True)
    if not os.access(place, os.W_OK | os.X_OK):
        raise HandbookError(f"{place} cannot be written to. {way}, or: chmod u+rwx {place}")


def _reach(place: str) -> None:
    """Connect once to a database that the environment names: MLflow itself tries for minutes, and says nothing."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(place)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


def _see_to(database: Path, mlflow: Any) -> None:
    """A whole database of this MLflow's in its place, looked through once in a process."""
    if database in _whole and database.exists():
        return
    if database.is_dir() or (database.is_symlink() and not database.exists()):
        raise HandbookError(f"{database}: expected MLflow's database, found no file. Move it away: it is made again")
    if database.exists() and (fault := _fault(database)):
        _set_aside(database, fault)
    if not database.exists():
        _make(database, mlflow)
    elif _revision(database) != _head():
        _upgrade(database)
    _whole.add(database)


def _make(database: Path, mlflow: Any) -> None:
    """Make it beside its place and move it in: half of one would stop every later use ("table already exists")."""
    for left in database.parent.glob(f".new-*-{database.name}*"):
        left.unlink()
    fresh = _new_name(database)
    mlflow.MlflowClient(tracking_uri=f"sqlite:///{fresh}").search_experiments(max_results=1)
    fresh.chmod(0o600)  # runs and parameters are their owner's to read
    fresh.replace(database)


def _new_name(database: Path) -> Path:
    """A name that was never used: MLflow takes a database whose address it has seen in this process for whole."""
    return database.with_name(f".new-{secrets.token_hex(8)}-{database.name}")


def _upgrade(database: Path) -> None:
    """Bring an older MLflow's database to today's schema, on a copy: it is the old one or the new one, whole."""
    import sqlalchemy
    from mlflow.store.db.utils import _upgrade_db

    fresh = _new_name(database)
    shutil.copyfile(database, fresh)
    engine = sqlalchemy.create_engine(f"sqlite:///{fresh}")
    _upgrade_db(engine)
    engine.dispose()
    shutil.copymode(database, fresh)
    fresh.replace(database)


def _fault(database: Path) -> str:
    """What makes a database useless, or nothing; waits while somebody else holds it."""
    deadline = time.monotonic() + LOCKED
    while True:
        try:
            with contextlib.closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=1)) as known:
                known.execute("BEGIN IMMEDIATE")
                found = known.execute("PRAGMA quick_check(1)").fetchone()
                known.rollback()
            if found != ("ok",):
                return f"it is damaged: {found[0] if found else 'it says nothing'}"
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise HandbookError(f"{database} cannot be written to: {error}") from None
            if time.monotonic() > deadline:
                raise HandbookError(
                    f"{database} is locked, and was for {LOCKED:.0f} s. See who holds it (fuser {database}), and end it"
                ) from None
            print(f"{database} is locked by somebody else; waiting", file=sys.stderr)
            time.sleep(4)
        except sqlite3.DatabaseError as error:
            return f"it is no database that can be read: {error}"
    revision = _revision(database)
    if not revision:
        return "it is half made"
    return "" if revision in _known() else f"it was made by another MLflow (its schema is {revision})"


def _revision(database: Path) -> str:
    """The schema of a database, or nothing."""
    try:
        with contextlib.closing(sqlite3.connect(database, timeout=LOCKED)) as known:
            found = known.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:  # no such table
        return ""
    return str(found[0]) if found else ""


def _scripts() -> Any:
    import mlflow.store.db_migrations as migrations
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    settings = Config()
    settings.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
    return ScriptDirectory.from_config(settings)


def _head() -> str:
    return str(_scripts().get_current_head())


def _known() -> set[str]:
    """The schemas that this MLflow can bring up to its own."""
    return {each.revision for each in _scripts().walk_revisions()}


def _set_aside(database: Path, fault: str) -> None:
    place = next(
        path for n in range(1 << 16) if not (path := database.with_name(f"{database.name}.aside.{n}")).exists()
    )
    database.replace(place)
    for extra in ("-journal", "-wal", "-shm"):  # they belong to it, and would spoil the new one
        if (extra_file := database.with_name(f"{database.name}{extra}")).exists():
            extra_file.replace(place.with_name(f"{place.name}{extra}"))
    print(f"{database}: {fault}; {ASIDE.format(place)}", file=sys.stderr)


def _refused(place: str, error: BaseException) -> HandbookError:
    """What MLflow or its database said, in a line, and the way out."""
    said = (
        without_password(next(iter(str(getattr(error, "orig", None) or error).strip().splitlines()), "")) or "nothing"
    )
    if place.lower().startswith("http"):
        way = f"See the server's log; or use the project's own database: unset {TRACKING}"
    elif os.environ.get(TRACKING):
        way = f"See whether the database is there and lets you in; or use the project's own: unset {TRACKING}"
    else:
        way = REBUILD
    return HandbookError(f"MLflow at {without_password(place)} cannot do it: {said}.\n{way}")
