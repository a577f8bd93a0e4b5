"""Where a model comes from is written down, what is written down is checked, and a champion can be taken back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from handbook import ledger, lineage, service, shown, standings, steps, tracking, verification
from handbook.__main__ import main
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.runs import FLOW_RUN

NAME = "lenet"
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


def aliases(project: Project) -> dict[str, int | None]:
    known = ledger.standing(project, NAME)
    return {alias: ledger.number(known, alias) for alias in ledger.ALIASES}


def test_the_champion_before_comes_back_and_the_rejected_one_stays_out(
    entered: Callable[..., str], project: Project
) -> None:
    entered(NAME, 0.8)
    entered(NAME, 0.9)
    ledger.roll_back(project, project.case(NAME))
    assert aliases(project) == {"challenger": 2, "champion": 1, "previous": None}
    for _ in range(2):
        assert "does not pass the gate: version 2, of the same training, was rolled back" in entered(NAME, 0.9)
        assert aliases(project) == {"challenger": 2, "champion": 1, "previous": None}


def test_the_same_training_with_other_digits_is_rejected_too_and_a_new_training_is_not(
    entered: Callable[..., str], project: Project
) -> None:
    entered(NAME, 0.8)
    entered(NAME, 0.9, key="bad")
    ledger.roll_back(project, project.case(NAME))
    assert "version 2, of the same training, was rolled back" in entered(NAME, 0.91, key="bad")
    assert aliases(project)["champion"] == 1
    assert "passes the gate" in entered(NAME, 0.85, key="mended")
    assert aliases(project) == {"challenger": 4, "champion": 4, "previous": 1}


def test_a_promoted_version_is_rejected_no_longer(entered: Callable[..., str], project: Project) -> None:
    entered(NAME, 0.8)
    entered(NAME, 0.9)
    case = project.case(NAME)
    ledger.roll_back(project, case)
    ledger.promote(project, case, "2")
    assert aliases(project) == {"challenger": 2, "champion": 2, "previous": 1}
    assert "is the champion" in entered(NAME, 0.9)
    with pytest.raises(HandbookError, match="version 2 of lenet is the champion already"):
        ledger.promote(project, case, "champion")


def test_there_is_no_way_back_from_the_first_champion_and_none_to_a_sample(
    entered: Callable[..., str], project: Project
) -> None:
    case = project.case(NAME)
    with pytest.raises(HandbookError, match="nothing is registered of lenet"):
        ledger.roll_back(project, case)
    entered(NAME, 0.8, data="sample")
    with pytest.raises(HandbookError, match="no previous champion to roll back to; lenet has versions 1 to 1"):
        ledger.roll_back(project, case)
    entered(NAME, 0.7, data="real")
    with pytest.raises(
        HandbookError, match=r"version 1 was made from sample data, the champion \(version 2\) from real"
    ):
        ledger.roll_back(project, case)
    assert aliases(project) == {"challenger": 2, "champion": 2, "previous": 1}


def registered(project: Project, placed: Callable[..., Any], *scores: float) -> None:
    for score in scores:
        tracking.register(project, placed(NAME, score))


def test_mlflow_follows_a_rollback_and_a_deleted_registry_comes_back_rolled_back(
    placed: Callable[..., Any], project: Project
) -> None:
    registered(project, placed, 0.8, 0.9)
    service.rollback(project, NAME)
    assert "version 2 is champion, before it 1" in service.promote(project, NAME, "2")
    assert set(shown.recorded(project, NAME)[1]) == {"challenger", "champion", "previous"}
    assert "version 1 is champion again; version 2 is rejected" in service.rollback(project, NAME)
    before, known = shown.recorded(project, NAME)
    assert known == {"challenger": "2", "champion": "1"}
    shutil.rmtree(project.mlruns)
    # in a process of its own: this one's MLflow still holds the database that is gone
    command = [sys.executable, "-W", "ignore", "-c", AGAIN, NAME]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=True)
    again, known_again = json.loads(done.stdout.splitlines()[-1])
    assert known_again == known
    assert again == [[each.version, each.content, each.files] for each in before]


AGAIN = """
import json, sys
from handbook import shown, steps
from handbook.project import Project
project, name = Project.here(), sys.argv[1]
steps.register(project, name)
found, aliases = shown.recorded(project, name)
print(json.dumps([[[each.version, each.content, each.files] for each in found], aliases]))
"""


def test_a_server_that_is_not_there_changes_nothing_and_is_named(
    entered: Callable[..., str], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered(NAME, 0.8)
    entered(NAME, 0.9)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(HandbookError, match=r"no MLflow server answers at http://127\.0\.0\.1:9 "):
        service.rollback(project, NAME)
    assert aliases(project)["champion"] == 2


def test_lineage_names_everything_that_the_model_was_made_from(
    entered: Callable[..., str], project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / "dvc.lock").write_text(
        yaml.safe_dump({"stages": {f"train@{NAME}": {"deps": [{"path": "raw/fashion_mnist", "md5": "abc.dir"}]}}})
    )
    steps.validate(project, "fashion_mnist")
    monkeypatch.setenv(FLOW_RUN, "0f1e")
    entered(NAME)
    known = lineage.lineage(project, f"models:/{NAME}@champion")
    assert known == lineage.lineage(project, f"models:/{NAME}/1") == lineage.lineage(project, NAME)
    assert known["dvc"] == {"raw/fashion_mnist": "abc.dir"}
    assert known["expectations"] == {"success": True, "number": 47}
    assert set(known["sha256"]) == {path.name for path in project.data("fashion_mnist").glob("*.gz")}
    assert known["prefect"] == {"trained": None, "registered": "0f1e"}
    assert known["params"]["seed"] == 0
    assert known["git"] == "none"
    assert json.loads(json.dumps(known)) == known
    monkeypatch.setattr("sys.argv", ["handbook", "lineage", NAME])
    capsys.readouterr()
    assert main() == 0
    told = capsys.readouterr().out
    for part in ("champion", "abc.dir", "learning_rate", "accuracy", "47", "0f1e", *known["sha256"].values()):
        assert part in told


def test_a_model_of_a_flow_remembers_the_run_that_trained_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FLOW_RUN, "2b3c")
    steps.train(project, "digits")
    assert ledger.read(project.reports("digits") / "training.json")["flow_run"] == "2b3c"


@pytest.mark.parametrize("model", ["models:/lenett@champion", "lenet@champion", "lenet/7", "a@b@c", ""])
def test_a_model_that_is_not_there_is_an_error(model: str, project: Project) -> None:
    with pytest.raises(HandbookError, match=r"no case 'lenett'.*lenet|nothing is registered of lenet|is no model"):
        lineage.lineage(project, model)


def locked(project: Project) -> None:
    """A dvc.lock for the little that is here, as DVC writes it."""
    lock = {
        "validate@fashion_mnist": {
            "deps": [{"path": "raw/fashion_mnist", "md5": ""}],
            "outs": [{"path": "reports/fashion_mnist/validation.json", "md5": ""}],
        },
        f"evaluate@{NAME}": {
            "deps": [{"path": f"models/{NAME}", "md5": ""}],
            "params": {"params.yaml": {f"cases.{NAME}": project.numbers()["cases"][NAME]}},
            "outs": [{"path": f"reports/{NAME}/metrics.json", "md5": ""}],
        },
    }
    (project.root / "raw").symlink_to("data")
    for stage in lock.values():
        for part in [*stage["deps"], *stage["outs"]]:  # type: ignore[misc]
            part["md5"] = verification._md5(project.root / part["path"])
    (project.root / "dvc.lock").write_text(yaml.safe_dump({"stages": lock}))


def faults(project: Project) -> dict[str, str]:
    """What no longer matches, by record."""
    return {found.record: found.fault for found in verification.verify(project, NAME) if found.fault}


def flip(path: Path) -> None:
    """One bit of the byte in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def place(project: Project) -> Path:
    return ledger.store(project, NAME) / ledger.standing(project, NAME)["champion"]


def _data(project: Project) -> Path:
    return project.data("fashion_mnist") / "t10k-labels-idx1-ubyte.gz"


def _kept(path: str) -> Callable[[Project], Path]:
    return lambda project: place(project) / path


def _made(path: str) -> Callable[[Project], Path]:
    return lambda project: project.root / path


def _served(path: str) -> Callable[[Project], Path]:
    return lambda project: next(project.mlruns.glob(f"artifacts/{NAME}/models/*/artifacts/{path}"))


@pytest.fixture
def whole(placed: Callable[..., Any], project: Project) -> Project:
    """A project in which everything is as it was written down."""
    steps.validate(project, "fashion_mnist")
    registered(project, placed, 0.9)
    locked(project)
    return project


def test_a_byte_flipped_anywhere_is_found(whole: Project) -> None:
    assert faults(whole) == {}
    for where, records in (
        (_data, {"data", "dvc.lock"}),
        (_kept("model/model.safetensors"), {"ledger"}),
        (_kept("model/facts.json"), {"ledger"}),
        (_kept("handbook/cases/lenet.py"), {"ledger"}),
        (_kept("example.json"), {"ledger"}),
        (_kept("entry.json"), {"ledger"}),
        (_kept("mlflow/MLmodel"), {"ledger"}),
        (_kept("files.json"), {"ledger"}),
        (_made(f"models/{NAME}/model.safetensors"), {"dvc.lock"}),
        (_made(f"reports/{NAME}/metrics.json"), {"dvc.lock"}),
        (_made("reports/fashion_mnist/validation.json"), {"dvc.lock"}),
        (_served("artifacts/model/model.safetensors"), {"MLflow"}),
        (_served("code/handbook/storage.py"), {"MLflow"}),
        (_served("served.py"), {"MLflow"}),
        (_served("MLmodel"), {"MLflow"}),
        (_served("python_env.yaml"), {"MLflow"}),
    ):
        path = where(whole)
        before = path.read_bytes()
        flip(path)
        found = faults(whole)
        assert set(found) == records, path
        assert all(path.name in fault or path.parent.name in fault for fault in found.values()), found
        path.write_bytes(before)
    assert faults(whole) == {}


def test_a_number_changed_in_params_or_in_mlflow_or_a_file_lost_is_found(
    whole: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = whole.numbers()
    numbers["cases"][NAME]["epochs"] = 2
    (whole.root / "params.yaml").write_text(yaml.safe_dump(numbers))
    assert faults(whole) == {"dvc.lock": "params.yaml, cases.lenet was changed"}
    locked_before = (whole.root / "dvc.lock").read_text()
    (whole.root / "dvc.lock").write_text(locked_before.replace("epochs: 1\n", "epochs: 2\n"))
    assert faults(whole) == {}
    with tracking._mlflow(whole) as mlflow:
        client = mlflow.MlflowClient()
        run = client.get_model_version_by_alias(NAME, "champion").run_id
        client.log_metric(run, "accuracy", 0.99)
    assert faults(whole) == {"MLflow": "accuracy is 0.99 in MLflow, 0.9 in the ledger"}
    shutil.rmtree(whole.mlruns / "artifacts")
    assert "MLflow has lost the files of the model" in faults(whole)["MLflow"]
    shutil.rmtree(whole.mlruns)
    shutil.rmtree(place(whole))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)  # which MLflow sets for its own process
    monkeypatch.setattr("sys.argv", ["handbook", "verify", NAME])
    assert main() == 1
    told = capsys.readouterr()
    assert "is missing" in told.out
    assert "1 of 5 things no longer match" in told.err


def test_a_content_from_before_files_were_listed_is_held_against_its_name_and_sealed_by_the_next_registration(
    placed: Callable[..., Any], project: Project
) -> None:
    registered(project, placed, 0.9)
    older(project)
    (place(project) / ledger.FILES).unlink()
    found = faults(project)
    assert "registered by an older handbook" in found["ledger"]
    assert "python -m handbook register lenet" in found["ledger"]
    flip(place(project) / "model" / "model.safetensors")
    assert "hash to" in faults(project)["ledger"]
    flip(place(project) / "model" / "model.safetensors")
    code = (place(project) / "handbook" / "cases" / "lenet.py").read_bytes()
    registered(project, placed, 0.9)
    assert "ledger" not in faults(project)
    assert "MLflow" not in faults(project)
    assert (place(project) / "handbook" / "cases" / "lenet.py").read_bytes() == code
    assert not [path for path in place(project).rglob("__pycache__") if path.is_dir()]


def older(project: Project) -> None:
    """Make the ledger one that an older handbook wrote, which left compiled code and nothing for MLflow."""
    known = ledger.standing(project, NAME)
    del known["files"]
    path = ledger.store(project, NAME) / standings.LEDGER
    path.write_text(json.dumps(known))
    for content in known["versions"]:
        kept = path.parent / content
        shutil.rmtree(kept / "mlflow")
        for blocked in [*kept.rglob("__pycache__")]:
            blocked.unlink()
        (kept / "handbook" / "__pycache__").mkdir()
        (kept / "handbook" / "__pycache__" / "served.cpython-311.pyc").write_bytes(b"compiled")
        listed = {path: each for path, each in json.loads((kept / ledger.FILES).read_text()).items()
                  if "__pycache__" not in path and not path.startswith("mlflow/")}  # fmt: skip
        (kept / ledger.FILES).write_text(json.dumps(listed))


def test_folders_are_hashed_as_dvc_hashes_them(project: Project) -> None:
    """An md5 that DVC wrote for a folder with a subfolder, kept here as the reference."""
    home = project.root / "folder"
    (home / "sub").mkdir(parents=True)
    (home / "b.txt").write_text("b\n")
    (home / "sub" / "a.txt").write_text("a\n")
    assert verification._md5(home) == "314195fee9670c7466e8c360f5199922.dir"
