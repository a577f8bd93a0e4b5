"""A model as files, without pickle: weights as safetensors, what else it needs to be built as JSON."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

from handbook.errors import HandbookError


def save(model: Any, directory: Path) -> None:
    """Write a network: `model.safetensors`, and `facts.json`, what it learnt of its data before training.

    Everything is written beside the place and moved in at the end. The same model gives the same bytes.
    """
    from safetensors.torch import save_file

    fresh = directory.with_name(f".{directory.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, fresh / "model.safetensors")
    write_json(fresh / "facts.json", model.facts)
    shutil.rmtree(directory, ignore_errors=True)
    fresh.replace(directory)


def load(page: ModuleType, params: Any, directory: Path) -> Any:
    """The model of a page, as it was saved: `page.Model(params, **facts)` with its weights."""
    from safetensors.torch import load_file

    path = directory / "model.safetensors"
    if not path.exists():
        raise HandbookError(
            f"{path} is missing: the model is not trained yet, or DVC has not brought it.\n"
            f"Make it: dvc repro train@{directory.name}   or bring it: dvc pull {directory}"
        )
    model = page.Model(params, **json.loads((directory / "facts.json").read_text()))
    try:
        model.load_state_dict(load_file(path))
    except RuntimeError as error:
        raise HandbookError(f"{path} does not fit the parameters in params.yaml; train again.\n{error}") from None
    return model.eval()


def write_json(path: Path, content: Any) -> None:
    """Sorted keys, one line end at the end: a diff shows what changed and nothing else."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file in one step: it is the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text)
    fresh.replace(path)


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """A list of rows as CSV; the columns are those of all rows, in order of first appearance."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_rows(path: Path) -> list[dict[str, float]]:
    """A CSV of numbers as rows; empty cells are left out."""
    with path.open(newline="") as stream:
        return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(stream)]
