"""What was written down is checked: a byte changed anywhere is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from handbook.__main__ import main
from handbook.files import integrity
from handbook.project import Project
from handbook.registry import connection, kept, ledger, pinned, standings, verification
from handbook.steps import validate
from tests.registry.test_lineage import registered

NAME = "lenet"
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


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
            part["md5"] = pinned.md5(project.root / part["path"])
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
    return ledger.store(project, NAME) / ledger.state(project, NAME)["champion"]


def _data(project: Project) -> Path:
    return project.data("fashion_mnist") / "t10k-labels-idx1-ubyte.gz"


def _kept(path: str) -> Callable[[Project], Path]:
    return lambda project: place(project) / path


def _output(path: str) -> Callable[[Project], Path]:
    return lambda project: project.root / path


def _served(path: str) -> Callable[[Project], Path]:
    return lambda project: next(project.mlruns.glob(f"artifacts/{NAME}/models/*/artifacts/{path}"))


@pytest.fixture
def whole(placed: Callable[..., Any], project: Project) -> Project:
    """A project in which everything is as it was written down."""
    validate.validate(project, "fashion_mnist")
    registered(project, placed, 0.9)
    locked(project)
    return project


def test_a_figure_is_part_of_what_a_record_is_named_by(whole: Project) -> None:
    assert faults(whole) == {}
    figure = _kept("report/figures/confusion.png")(whole)
    flip(figure)
    assert f"{figure} was changed" in faults(whole)["ledger"]
    entry = json.loads((place(whole) / "entry.json").read_text())
    metrics = json.loads((place(whole) / "report" / "metrics.json").read_text())
    parts = entry["params"], metrics, place(whole) / "model"
    assert kept.content_of(*parts, figure.parent) != place(whole).name


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
        (_output(f"models/{NAME}/model.safetensors"), {"dvc.lock"}),
        (_output(f"reports/{NAME}/metrics.json"), {"dvc.lock"}),
        (_output("reports/fashion_mnist/validation.json"), {"dvc.lock"}),
        (_served("artifacts/model/model.safetensors"), {"MLflow"}),
        (_served("code/handbook/training/models.py"), {"MLflow"}),
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
    with connection.opened(whole) as mlflow:
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
    reported = capsys.readouterr()
    assert "is missing" in reported.out
    assert "1 of 5 things no longer match" in reported.err


def test_a_content_from_before_files_were_listed_is_held_against_its_name_and_sealed_by_the_next_registration(
    placed: Callable[..., Any], project: Project
) -> None:
    registered(project, placed, 0.9)
    older(project)
    (place(project) / integrity.FILES).unlink()
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
    known = ledger.state(project, NAME)
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
        listed = {path: each for path, each in json.loads((kept / integrity.FILES).read_text()).items()
                  if "__pycache__" not in path and not path.startswith("mlflow/")}  # fmt: skip
        (kept / integrity.FILES).write_text(json.dumps(listed))


def test_folders_are_hashed_as_dvc_hashes_them(project: Project) -> None:
    """An md5 that DVC wrote for a folder with a subfolder, kept here as the reference."""
    home = project.root / "folder"
    (home / "sub").mkdir(parents=True)
    (home / "b.txt").write_text("b\n")
    (home / "sub" / "a.txt").write_text("a\n")
    assert pinned.md5(home) == "314195fee9670c7466e8c360f5199922.dir"
