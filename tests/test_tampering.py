"""Attacks on what was registered: nothing runs but what the ledger wrote down, byte for byte; verify names the rest."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.files.integrity import FILES, hashes
from handbook.project import Project
from handbook.registry import (
    connection,
    kept,
    ledger,
    mlflow_model,
    mlflow_run,
    shown,
    standings,
    tracking,
    verification,
)
from handbook.serving import choice, commands, serve
from tests.serving.test_serve import posted, started

NAME = "lenet"
PLANTED = "open({!r}, 'w').close()\n"
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The file that planted code writes, wherever it runs."""
    return tmp_path / "it-ran"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the ledger's folder of the champion lies once the first test has made it."""
    return tmp_path_factory.mktemp("whole") / NAME


@pytest.fixture
def champion(project: Project, placed: Callable[..., Any], whole: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a champion that is in the ledger, with what MLflow wants, and in no MLflow."""
    case = placed(NAME)
    entry, store = ledger.entry(project, case), ledger.store(project, NAME)
    if whole.exists():
        shutil.copytree(whole, store)
        return store / str(entry["content"])
    with connection.opened(project) as mlflow:
        kept.keep(project, case, entry, store / entry["content"], tracking._describer(mlflow))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)  # which MLflow sets for its own process
    ledger.enter(case, store, entry["content"])
    shutil.copytree(store, whole)
    return store / str(entry["content"])


def plant(path: Path, mark: Path) -> None:
    """A line at the end of a file, or a new file with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "") + "\n" + PLANTED.format(str(mark)))


def _loader(place: Path, mark: Path) -> None:
    """Another loader_module, which lies in the package's copy."""
    plant(place / "handbook" / "loader.py", mark)
    model = place / "mlflow" / "MLmodel"
    model.write_text(model.read_text().replace("mlflow.pyfunc.loaders.code_model", "handbook.loader"))


def _weights(place: Path, mark: Path) -> None:
    path = place / "model" / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def _list_too(place: Path, mark: Path) -> None:
    """A file is changed, and the list of the files' sha256 with it."""
    plant(place / "handbook" / "registry" / "served.py", mark)
    (place / FILES).write_text(json.dumps(hashes(place)))


def _link(place: Path, mark: Path) -> None:
    """The same bytes by way of a link, which may lead elsewhere the next time."""
    path = place / "handbook" / "registry" / "served.py"
    path.rename(mark.with_name("elsewhere.py"))
    path.symlink_to(mark.with_name("elsewhere.py"))


def _folder_link(place: Path, mark: Path) -> None:
    (place / "model").rename(mark.with_name("elsewhere"))
    (place / "model").symlink_to(mark.with_name("elsewhere"))


def _compiled(place: Path, mark: Path) -> None:
    """Compiled code that Python takes for that of a module whose source is untouched."""
    source = place / "handbook" / "training" / "models.py"
    blocked = source.parent / "__pycache__"
    blocked.unlink()
    before, facts = source.read_bytes(), source.stat()
    source.write_text(PLANTED.format(str(mark)))
    code = compile(source.read_text(), str(source), "exec")
    from importlib._bootstrap_external import _code_to_timestamp_pyc  # type: ignore[attr-defined]

    blocked.mkdir()
    compiled = blocked / f"models.{sys.implementation.cache_tag}.pyc"
    compiled.write_bytes(_code_to_timestamp_pyc(code, int(facts.st_mtime), len(before)))
    source.write_bytes(before)
    os.utime(source, ns=(facts.st_atime_ns, facts.st_mtime_ns))


ATTACKS: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "a line in served.py": (
        lambda place, mark: plant(place / "handbook" / "registry" / "served.py", mark),
        "served.py was changed",
    ),
    "a module that shadows a library": (lambda place, mark: plant(place / "mlflow/code/yaml.py", mark), "yaml.py is"),
    "another loader_module": (_loader, "MLmodel was changed"),
    "a line in the package": (lambda place, mark: plant(place / "handbook/project.py", mark), "project.py was changed"),
    "other weights": (_weights, "model.safetensors was changed"),
    "a file and the list of files": (_list_too, f"{FILES} was changed"),
    "a link for a file": (_link, "served.py was changed: it is a link"),
    "a link for a folder": (_folder_link, "model is new"),
    "one file more": (lambda place, mark: (place / "model" / "more").touch(), "more is new"),
    "a file less": (lambda place, mark: (place / "model" / "facts.json").unlink(), "facts.json is missing"),
    "compiled code": (_compiled, "models.cpython"),
    "no list of files": (lambda place, mark: (place / FILES).unlink(), f"{FILES} cannot be read"),
}  # fmt: skip


def handbook(project: Project, *requested: str) -> subprocess.CompletedProcess[str]:
    """What `python -m handbook ...` does in the project."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("MLFLOW_TRACKING_URI", None)  # which MLflow sets for its own process
    command = [sys.executable, "-W", "ignore", "-m", "handbook", *requested]
    return subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_was_changed_in_the_ledgers_folder_is_not_served_but_named(
    attack: str, champion: Path, project: Project, mark: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, fault = ATTACKS[attack]
    spoil(champion, mark)
    with pytest.raises(HandbookError, match="lenet version 1 is not what was registered, and is not used") as refused:
        serve.serve(project, NAME, "127.0.0.1", 0)
    assert fault in str(refused.value)
    with pytest.raises(HandbookError, match="no longer match"):
        commands.verify(project, NAME)
    assert fault in capsys.readouterr().out
    assert not mark.exists()
    assert not list((project.cache / "served").glob("*"))


def test_a_process_that_is_asked_to_serve_what_was_changed_ends_with_a_sentence(
    champion: Path, project: Project, mark: Path
) -> None:
    spoil, fault = ATTACKS["compiled code"]
    spoil(champion, mark)
    done = handbook(project, "serve", NAME, "--port", "0")
    assert done.returncode == 1, done.stdout
    assert fault in done.stderr
    assert "Traceback" not in done.stderr
    assert fault in handbook(project, "verify", NAME).stdout
    assert not mark.exists()


def test_what_is_swapped_after_the_check_is_not_what_runs(champion: Path, project: Project, tmp_path: Path) -> None:
    content = ledger.sealed(project, NAME, champion.name)
    content.check()
    plant(champion / "handbook" / "registry" / "served.py", tmp_path / "it-ran")
    with pytest.raises(HandbookError, match=r"served\.py was changed: sha256 [0-9a-f]{64}, found"):
        content.lay_out(mlflow_model.layout(content), tmp_path / "private")


def test_a_model_with_any_bit_changed_is_never_loaded(champion: Path, project: Project) -> None:
    """Of a hundred such files of weights most load without a word, if nobody looks at their sha256."""
    path = champion / "model" / "model.safetensors"
    whole = path.read_bytes()
    for k in range(100):
        content = bytearray(whole)
        content[len(whole) * k // 100] ^= 1 << k % 8
        path.write_bytes(content)
        with pytest.raises(HandbookError, match=r"model\.safetensors was changed"):
            choice.choose(project, NAME)
    path.write_bytes(whole)
    assert choice.choose(project, NAME).title == "lenet version 1"


@pytest.mark.parametrize("content", [b"", b"null", b"{}", b'{"versions"', b"\xff\xfe", None])
def test_a_lost_or_broken_ledger_is_an_error_and_never_a_new_beginning(
    content: bytes | None, champion: Path, project: Project, placed: Callable[..., Any], capsys: Any
) -> None:
    path = ledger.store(project, NAME) / standings.LEDGER
    path.unlink() if content is None else path.write_bytes(content)
    case = placed(NAME, 0.95)
    for ask in (
        lambda: tracking.register(project, case),
        lambda: serve.serve(project, NAME, "127.0.0.1", 0),
        lambda: choice.choose(project, NAME),
        lambda: ledger.roll_back(project, case),
    ):
        with pytest.raises(HandbookError, match=r"ledger\.json is damaged.*\n.*backup"):
            ask()
    assert path.exists() == (content is not None)
    with pytest.raises(HandbookError, match="no longer match"):
        commands.verify(project, NAME)
    assert "ledger.json is damaged" in capsys.readouterr().out


def test_a_ledger_edited_by_hand_is_found_and_the_one_before_it_is_offered(
    champion: Path, project: Project, entered: Callable[..., str]
) -> None:
    path = ledger.store(project, NAME) / standings.LEDGER
    before = path.read_bytes()
    entered(NAME, 0.95)
    assert path.with_name(standings.BEFORE).read_bytes() == before
    known = json.loads(path.read_text())
    path.write_text(json.dumps(known | {"champion": known["previous"]}))
    with pytest.raises(HandbookError, match=r"checksum(.|\n)*cp .*ledger\.json\.before .*ledger\.json"):
        ledger.state(project, NAME)
    shutil.copy(path.with_name(standings.BEFORE), path)
    assert ledger.state(project, NAME)["champion"] == champion.name


def test_a_damaged_model_is_kept_again_when_the_same_is_registered_again(
    champion: Path, project: Project, placed: Callable[..., Any], capsys: Any
) -> None:
    _weights(champion, champion)
    tracking.register(project, placed(NAME))
    assert "It is stored again" in capsys.readouterr().err
    ledger.sealed(project, NAME, champion.name).check()


def test_the_folder_that_is_served_from_is_its_owners_alone_and_those_of_the_dead_go(project: Project) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = project.cache / "served" / f"{gone.pid}-left"
    left.mkdir(parents=True)
    place = serve.private(project)
    assert place.stat().st_mode & 0o777 == 0o700
    assert not left.exists()
    assert serve.private(project) != place
    assert place.exists()


def in_mlflow(project: Project) -> Path:
    """The folder of the champion's model in MLflow's own store."""
    return next(project.mlruns.glob(f"artifacts/{NAME}/models/*/artifacts"))


def _other_loader(place: Path, mark: Path) -> None:
    plant(place / "code" / "loader.py", mark)
    model = place / "MLmodel"
    model.write_text(model.read_text().replace("mlflow.pyfunc.loaders.code_model", "loader"))


IN_MLFLOW: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "a line in served.py": (lambda place, mark: plant(place / "served.py", mark), "served.py was changed"),
    "a module that shadows a library": (lambda place, mark: plant(place / "code" / "yaml.py", mark), "yaml.py is new"),
    "another loader_module": (_other_loader, "MLmodel was changed"),
    "a line in the package": (lambda place, mark: plant(place / "code/handbook/cases/lenet.py", mark), "lenet.py was"),
    "a note that is none": (lambda place, mark: plant(place / "registered_model_meta", mark), "registered_model_meta"),
    "weights": (lambda place, mark: plant(place / "artifacts/model/facts.json", mark), "facts.json was changed"),
}  # fmt: skip


def findings(project: Project) -> str:
    """What `verify` says of MLflow; it must find fault."""
    found = [each for each in verification.verify(project, NAME) if each.record == "MLflow" and each.fault]
    assert found
    return "\n".join(f"{each.thing}: {each.fault}" for each in found)


def strange_version(project: Project, mlflow: Any, folder: Path, mark: Path) -> str:
    """What anybody can do who may talk to MLflow: register a version that says it is the champion; its number."""
    shutil.copytree(in_mlflow(project), folder, dirs_exist_ok=True)
    plant(folder / "served.py", mark)
    client, content = mlflow.MlflowClient(), ledger.state(project, NAME)["champion"]
    home = client.create_experiment("stranger", artifact_location=folder.as_uri())
    run = client.create_run(home).info.run_id
    model = client.create_logged_model(home, "model", source_run_id=run)
    there = folder / "models" / model.model_id / "artifacts"
    shutil.copytree(folder, there, ignore=lambda *_: ["models"])
    version = client.create_model_version(
        NAME, f"models:/{model.model_id}", run, tags={mlflow_run.CONTENT: content}, model_id=model.model_id
    )
    client.set_registered_model_alias(NAME, "champion", version.version)
    return str(version.version)


def test_verify_names_whatever_is_changed_in_mlflows_store_and_whoever_claims_to_be_the_champion(
    project: Project, placed: Callable[..., Any], mark: Path, tmp_path: Path
) -> None:
    case = placed(NAME)
    tracking.register(project, case)
    place, whole = in_mlflow(project), tmp_path / "whole"
    shutil.copytree(place, whole)
    for spoil, fault in IN_MLFLOW.values():
        spoil(place, mark)
        assert fault in findings(project)
        shutil.rmtree(place)
        shutil.copytree(whole, place)
    with connection.opened(project) as mlflow:
        number = strange_version(project, mlflow, tmp_path / "strangers", mark)
    output = findings(project)
    assert f"its version {number}" in output
    assert str(tmp_path / "strangers") in output
    assert "aliases are" in output
    assert handbook(project, "verify", NAME).returncode == 1
    tracking.register(project, case)
    assert shown.recorded(project, NAME)[1]["champion"] == "1"
    assert not mark.exists()


def test_a_checkout_that_was_moved_serves_and_is_shown_in_mlflow_again_by_the_next_registration(
    project: Project, placed: Callable[..., Any]
) -> None:
    tracking.register(project, placed(NAME))
    moved = Project(project.root / "moved")
    shutil.copytree(project.root, moved.root, ignore=lambda *_: ["moved", "data"])
    (moved.root / "data").symlink_to(project.root / "data")
    assert "it is not in the registry" in handbook(moved, "verify", NAME).stdout
    done = handbook(moved, "register", NAME)
    assert done.returncode == 0, done.stderr
    assert f"kept the files of lenet at {project.mlruns.as_uri()}" in done.stderr
    output = handbook(moved, "verify", NAME).stdout
    assert re.search(r"MLflow +2 as written down, 0 not", output), output
    assert re.search(r"MLflow +2 as written down, 0 not", handbook(project, "verify", NAME).stdout)


@pytest.mark.slow  # a registration, and two cold starts of torch and MLflow
def test_the_champion_is_served_as_it_was_registered_whatever_lies_in_mlflows_store(
    project: Project, placed: Callable[..., Any], fitted: Any, mark: Path, tmp_path: Path
) -> None:
    tracking.register(project, placed(NAME))
    with connection.opened(project) as mlflow:
        strange_version(project, mlflow, tmp_path / "strangers", mark)
    for spoil, _ in IN_MLFLOW.values():
        spoil(in_mlflow(project), mark)
    assert_served_well(project, fitted)
    assert not mark.exists()


def assert_served_well(project: Project, fitted: Any) -> None:
    """A server of the champion answers as its page does, from a folder that is gone with it."""
    case, data, model = fitted(NAME)
    process, output = started(project)
    try:
        address = output.split(" is at ")[1].split(",")[0]
        body = json.dumps({"inputs": data.test_images[:4].tolist()}).encode()
        status, answer = posted(address, body)
        expected = case.page.predict(model, data.test_images[:4])["name"].tolist()
        assert (status, [each["name"] for each in answer["predictions"]]) == (200, expected)
    finally:
        process.terminate()
        process.wait(60)
        assert process.stdout
        process.stdout.close()
    assert not list((project.cache / "served").iterdir())


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """MLflow's server that hands out and takes in artifacts, as compose.yaml starts it; its address."""
    port = serve.claim("127.0.0.1", 0)
    address = f"http://127.0.0.1:{port.getsockname()[1]}"
    port.close()
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", address.rpartition(":")[2],
        "--backend-store-uri", f"sqlite:///{folder / 'server.db'}", "--serve-artifacts",
        "--artifacts-destination", str(folder / "artifacts"), "--workers", "1",
    ]  # fmt: skip
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=1).close()  # noqa: S310
                break
            except OSError:
                time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(60)


@pytest.mark.slow  # MLflow's server, a registration over http, and a cold start of torch and MLflow
def test_what_a_put_request_overwrote_on_mlflows_server_does_not_run_and_is_named(
    project: Project, placed: Callable[..., Any], fitted: Any, mark: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = project.root / "server"
    home.mkdir()
    with mlflow_server(home) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        tracking.register(project, placed(NAME))
        verified = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "handbook", "verify", NAME],
            cwd=project.root, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "MLflow       2 as written down, 0 not" in verified.stdout, verified.stdout + verified.stderr
        stored = next(home.glob("artifacts/*/models/*/artifacts/served.py"))
        path = stored.relative_to(home / "artifacts").as_posix()
        body = (stored.read_text() + "\n" + PLANTED.format(str(mark))).encode()
        put = urllib.request.Request(  # noqa: S310
            f"{address}/api/2.0/mlflow-artifacts/artifacts/{path}", body, method="PUT"
        )
        urllib.request.urlopen(put).close()  # noqa: S310
        assert "it-ran" in stored.read_text()
        verified = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "handbook", "verify", NAME],
            cwd=project.root, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert verified.returncode == 1
        assert "served.py was changed" in verified.stdout
        assert_served_well(project, fitted)
    assert not mark.exists()
