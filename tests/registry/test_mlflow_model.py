"""A record as MLflow's model directory: every file of it is one of the record's, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.errors import HandbookError
from handbook.files.integrity import Sealed, hashes
from handbook.registry import mlflow_model


def record(place: Path, *names: str) -> Sealed:
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(name)
    return Sealed(place, hashes(place), "toy version 1")


@pytest.mark.parametrize("loader", mlflow_model.LOADERS)
def test_model_code_and_loader_lie_where_mlflow_looks_whatever_handbook_kept_them(loader: str, tmp_path: Path) -> None:
    code = f"handbook/{loader}"
    kept = record(tmp_path / "kept", "model/facts.json", code, "mlflow/MLmodel", "report/metrics.json", "entry.json")
    layout = mlflow_model.layout(kept)
    assert layout == {
        "artifacts/model/facts.json": "model/facts.json", f"code/handbook/{loader}": code, "MLmodel": "mlflow/MLmodel",
        "served.py": code,
    }  # fmt: skip
    kept.lay_out(layout, tmp_path / "laid")
    assert hashes(tmp_path / "laid") == {new: kept.files[path] for new, path in sorted(layout.items())}


def test_a_record_that_mlflow_never_heard_of_is_refused(tmp_path: Path) -> None:
    kept = record(tmp_path, "model/facts.json", "handbook/served.py")
    with pytest.raises(HandbookError, match=r"toy version 1 is not what(?s:.*)mlflow/MLmodel was never written down"):
        mlflow_model.layout(kept)
