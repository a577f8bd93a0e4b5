"""A model as files, without pickle: weights as safetensors, estimators as skops, what else belongs to them as JSON."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

from handbook.errors import HandbookError

EPOCH_OF_ZIP = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold


@dataclass
class Fitted:
    """A scikit-learn estimator, or a dict or list of them, as a page's `fit` returns it; `facts` are plain types."""

    estimator: Any
    params: Any
    facts: dict[str, Any]
    history_: list[dict[str, float]] = field(default_factory=list)  # rows with at least epoch and train_loss
    training_: dict[str, Any] = field(default_factory=dict)


def effort(seconds: float, samples: int, epochs: int = 1, device: str = "cpu") -> dict[str, Any]:
    """What a fit cost, as `training_` tells it; `epochs` are the passes over the samples."""
    return {
        "device": device,
        "threads": threads(),
        "epochs": epochs,
        "samples": samples,
        "seconds": round(seconds, 2),
        "samples_per_second": round(samples * epochs / max(seconds, 1e-9)),
    }


def threads() -> int:
    """How many OMP_NUM_THREADS grants, at its outermost level (`4,2` is 4); without it, or by a word, every core."""
    granted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(granted) if granted.isdecimal() and int(granted) else cores


def save(model: Any, directory: Path) -> None:
    """Write a network as `model.safetensors` or a `Fitted` as `model.skops`, and its facts as `facts.json`.

    Everything is written beside the place and moved in at the end. The same model gives the same bytes.
    """
    fresh = directory.with_name(f".{directory.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    if isinstance(model, Fitted):
        _save_estimator(model.estimator, fresh / "model.skops")
    else:
        from safetensors.torch import save_file

        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
        save_file(weights, fresh / "model.safetensors")
    write_json(fresh / "facts.json", model.facts)
    shutil.rmtree(directory, ignore_errors=True)
    fresh.replace(directory)


def load(page: ModuleType, params: Any, directory: Path) -> Any:
    """The model of a page, as it was saved: `page.Model(params, **facts)` with its weights, or a `Fitted`."""
    if not (directory / "facts.json").exists():
        raise HandbookError(
            f"{directory}: no model here: it is not trained yet, or DVC has not brought it.\n"
            f"Make it: dvc repro train@{directory.name}   or bring it: dvc pull {directory}"
        )
    facts = json.loads((directory / "facts.json").read_text())
    if (directory / "model.skops").exists():
        return Fitted(_load_estimator(page, directory / "model.skops"), params, facts)
    from safetensors.torch import load_file

    path = directory / "model.safetensors"
    model = page.Model(params, **facts)
    try:
        model.load_state_dict(load_file(path))
    except (RuntimeError, FileNotFoundError) as error:
        raise HandbookError(f"{path} does not fit the parameters in params.yaml; train again.\n{error}") from None
    return model.eval()


def _save_estimator(estimator: Any, path: Path) -> None:
    """By skops, with the addresses that it names objects by counted anew, so that a model is always the same file."""
    import skops.io

    seen: dict[str, str] = {}
    with zipfile.ZipFile(BytesIO(skops.io.dumps(estimator))) as made, zipfile.ZipFile(path, "w") as out:
        schema = made.read("schema.json").decode()
        for address in re.findall(r'"__id__": (\d+)|"file": "(\d+)\.', schema):
            seen.setdefault("".join(address), str(len(seen)))
        schema = re.sub(r'("__id__": |"file": ")(\d+)', lambda hit: hit[1] + seen[hit[2]], schema)
        files = {re.sub(r"^\d+", lambda hit: seen.get(hit[0], hit[0]), name): name for name in made.namelist()}
        for name in sorted(files):
            content = schema if name == "schema.json" else made.read(files[name])
            out.writestr(zipfile.ZipInfo(name, EPOCH_OF_ZIP), content, zipfile.ZIP_DEFLATED)


def _load_estimator(page: ModuleType, path: Path) -> Any:
    """Only types that skops knows, and those that the page's `TRUSTED` lists, are built."""
    import skops.io

    trusted = list(getattr(page, "TRUSTED", ()))
    unknown = sorted(set(skops.io.get_untrusted_types(file=path)) - set(trusted))
    if unknown:
        raise HandbookError(
            f"{path} holds types that nobody has reviewed: {', '.join(unknown)}.\n"
            f"If they only hold numbers, add them to TRUSTED in {page.__name__}; else do not load the file"
        )
    return skops.io.load(path, trusted=trusted)


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
