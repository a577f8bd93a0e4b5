"""The registry: once for the same record, a gate, and nothing known to MLflow alone."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handbook import datasets
from handbook.project import Case, Project
from handbook.registry import connection, ledger, mlflow_model, mlflow_run, shown, tracking, verification
from handbook.serving import commands

NAME = "lenet"
# Great Expectations, MLflow and their like call things that their own dependencies have deprecated.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


@pytest.fixture
def registered(project: Project, placed: Callable[..., Case]) -> Callable[..., str]:
    """Put a judged model in place, with that accuracy, and register it."""
    return lambda accuracy, data="sample": tracking.register(project, placed(NAME, accuracy, data))


def registry(project: Project) -> dict[str, Any]:
    """What MLflow knows: the content of each version, and the aliases."""
    with connection.opened(project) as mlflow:
        client = mlflow.MlflowClient()
        found = client.search_model_versions(f"name = '{NAME}'")
        aliases = client.get_registered_model(NAME).aliases
        runs = mlflow.search_runs(experiment_names=[NAME], output_format="list")
    return {
        "versions": {int(each.version): each.tags[mlflow_run.CONTENT] for each in found},
        "aliases": {alias: int(number) for alias, number in aliases.items()},
        "runs": len(runs),
    }


def test_the_same_record_is_registered_once(registered: Callable[..., str], project: Project) -> None:
    assert "version 1 passes the gate" in registered(0.9)
    first = registry(project)
    assert "version 1 is the champion" in registered(0.9)
    assert registry(project) == first
    assert first["aliases"] == {"challenger": 1, "champion": 1}


def test_a_worse_model_does_not_become_champion_and_a_better_one_does(
    registered: Callable[..., str], project: Project
) -> None:
    registered(0.9)
    assert "version 2 does not pass the gate: accuracy 0.8000, the champion has 0.9000" in registered(0.8)
    assert registry(project)["aliases"] == {"challenger": 2, "champion": 1}
    assert "version 3 passes the gate" in registered(0.95)
    assert registry(project)["aliases"] == {"challenger": 3, "champion": 3, "previous": 1}


def test_a_model_that_does_not_beat_the_baseline_is_never_champion(
    registered: Callable[..., str], project: Project
) -> None:
    assert "the trivial baseline has 0.1000" in registered(0.1)
    assert registry(project)["aliases"] == {"challenger": 1}


def test_a_sample_never_replaces_a_real_champion_but_gives_way_to_one(
    registered: Callable[..., str], project: Project
) -> None:
    registered(0.99, data="sample")
    assert "passes the gate" in registered(0.8, data="real")
    assert "made from sample data" in registered(0.98, data="sample")
    assert registry(project)["aliases"]["champion"] == 2


def test_a_deleted_registry_comes_back_with_the_same_versions_and_aliases(
    registered: Callable[..., str], project: Project
) -> None:
    for accuracy in (0.9, 0.8, 0.95, 0.7):
        registered(accuracy)
    before = registry(project)
    reported = (project.mlruns / "registered" / f"{NAME}.json").read_bytes()
    shutil.rmtree(project.mlruns)
    tracking.register(project, project.case(NAME))
    assert registry(project) == before
    assert (project.mlruns / "registered" / f"{NAME}.json").read_bytes() == reported


def test_a_run_tells_all_that_is_known_of_its_model(registered: Callable[..., str], project: Project) -> None:
    registered(0.9)
    with connection.opened(project) as mlflow:
        run = mlflow.search_runs(experiment_names=[NAME], output_format="list")[0]
        history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "train_loss")
        version = mlflow.MlflowClient().get_model_version_by_alias(NAME, "champion")
    assert run.info.status == "FINISHED"
    assert run.data.tags["data"] == "sample"
    assert {"expectations", "mlflow.source.git.commit", "dataset"} <= set(run.data.tags)
    assert float(run.data.params["learning_rate"]) == project.case(NAME).params.learning_rate
    assert run.data.metrics["accuracy"] == 0.9
    assert run.data.metrics["book.accuracy"] == 0.8412
    assert [point.step for point in history] == list(range(1, 9))
    assert run.inputs.dataset_inputs[0].dataset.name == "fashion_mnist (sample)"
    assert "Made from sample data" in version.description


def test_a_training_that_spoke_live_is_completed_not_doubled(registered: Callable[..., str], project: Project) -> None:
    tell = tracking.live(project, project.case(NAME), key="k0.9")
    tell({"epoch": 1.0, "train_loss": 0.5})
    registered(0.9)
    assert registry(project)["runs"] == 1


LOAD = """
import sys, numpy, mlflow
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/lenet@champion")
print(model.predict(numpy.load(sys.argv[2]))["name"].tolist())
"""


def test_a_fresh_process_loads_the_champion_and_predicts_the_same(
    registered: Callable[..., str], project: Project, fitted: Any, tmp_path: Path
) -> None:
    registered(0.9)
    case, data, model = fitted(NAME)
    np.save(tmp_path / "pictures.npy", data.test_images[:16])
    command = [sys.executable, "-W", "ignore", "-c", LOAD, connection.uri(project), str(tmp_path / "pictures.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    expected = case.page.predict(model, data.test_images[:16])["name"].tolist()
    assert done.stdout.strip().splitlines()[-1] == str(expected)
    content = ledger.sealed(project, NAME, ledger.state(project, NAME)["champion"])
    (version,), _ = shown.recorded(project, NAME)  # who loads it leaves nothing behind that verify would find
    assert version.files == {path: content.files[where] for path, where in mlflow_model.layout(content).items()}


REGISTER = """
import sys
from handbook.__main__ import main
sys.argv[1:] = ["register", "lenet"]
assert main() == 0
print([name for name in ("torch", "lightning", "sklearn", "matplotlib") if name in sys.modules])
"""


def test_a_registration_loads_neither_the_page_nor_what_it_computes_with(
    placed: Callable[..., Case], project: Project
) -> None:
    """Twenty-eight of them stand in a build, a process each."""
    placed(NAME)
    command = [sys.executable, "-W", "ignore", "-c", REGISTER]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=project.root)
    assert done.stdout.splitlines() == ["lenet: version 1 passes the gate and is champion (accuracy 0.9000)", "[]"]


def test_the_ledger_holds_the_code_that_the_model_was_made_with(
    registered: Callable[..., str], project: Project
) -> None:
    registered(0.9)
    known = json.loads((project.root / "models/.registered" / NAME / "ledger.json").read_text())
    place = project.root / "models/.registered" / NAME / known["champion"]
    page = Path(str(datasets.__file__)).parent.parent / "cases" / "lenet.py"
    assert (place / "handbook" / "cases" / "lenet.py").read_text() == page.read_text()
    assert all(path.is_file() for path in place.rglob("__pycache__"))  # where Python would leave compiled code
    assert not list(place.rglob("*.pkl")) + list(project.mlruns.rglob("*.pkl"))


class Killed(BaseException):
    """The process ends here."""


# What writes: files that are moved in, and MLflow's client. Each of them may be the last that a process does.
WRITES = (
    "create_experiment", "create_registered_model", "create_run", "log_batch", "log_inputs", "log_artifacts",
    "log_text",
    "create_logged_model", "log_model_artifacts", "finalize_logged_model", "log_outputs", "create_model_version",
    "set_registered_model_alias", "delete_registered_model_alias", "set_terminated", "delete_run",
)  # fmt: skip


def cut_off(patch: pytest.MonkeyPatch, last: int) -> None:
    """The write of that number, from 1 on, is not done, and nothing after it."""
    import mlflow

    calls = 0

    def counting(write: Any) -> Any:
        def counted(*given: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls >= last:
                raise Killed
            return write(*given, **named)

        return counted

    patch.setattr(Path, "replace", counting(Path.replace))
    for name in WRITES:
        if hasattr(mlflow.MlflowClient, name):
            patch.setattr(mlflow.MlflowClient, name, counting(getattr(mlflow.MlflowClient, name)))


def killed_and_again(command: Callable[[], str], last: int) -> tuple[str, bool]:
    """What a command says that is cut off at a write, then typed again; and whether it was cut off."""
    with pytest.MonkeyPatch.context() as patch:
        cut_off(patch, last)
        with contextlib.suppress(Killed):
            return command(), False
    return command(), True


def test_rollback_and_promote_that_are_cut_off_at_any_write_are_ended_by_the_same_command(
    registered: Callable[..., str], project: Project
) -> None:
    registered(0.8)
    registered(0.9)
    back, forth = (lambda: commands.rollback(project, NAME)), (lambda: commands.promote(project, NAME, "2"))
    unbroken = [(command(), lineage_of(project), registry(project)) for command in (back, forth)]
    for last in itertools.count(1):
        cut = []
        for command, (said, aliases, shown_then) in zip((back, forth), unbroken, strict=True):
            again, was_cut = killed_and_again(command, last)
            assert (again, lineage_of(project), registry(project)) == (said, aliases, shown_then), last
            cut.append(was_cut)
        if not any(cut):
            break
    assert last > 5  # the note, the ledger before it, the ledger, and an alias or two


def lineage_of(project: Project) -> dict[str, Any]:
    state = ledger.state(project, NAME)
    return {key: value for key, value in state.items() if key != "files"}


@pytest.mark.slow
def test_a_registration_that_is_cut_off_at_any_write_is_ended_by_the_same_command(
    registered: Callable[..., str], project: Project
) -> None:
    registered(0.5)
    for last in itertools.count(1):
        before = registry(project)
        accuracy = 0.5 + 0.005 * last
        said, was_cut = killed_and_again(lambda: registered(accuracy), last)  # noqa: B023 (called at once)
        now = registry(project)
        # killed at the very last write, where all is entered and shown, the same command is a new one
        assert re.search(rf"version {last + 1} (passes the gate|is the champion)", said), said
        assert now["aliases"] == {"challenger": last + 1, "champion": last + 1, "previous": last}, last
        assert (len(now["versions"]), now["runs"]) == (last + 1, before["runs"] + 1)
        assert tracking_is_whole(project)
        if not was_cut:
            break
    assert last > 10


def tracking_is_whole(project: Project) -> bool:
    return all(not finding.fault for finding in verification.verify(project, NAME) if finding.record == "MLflow")
