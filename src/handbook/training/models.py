"""A model as files, without pickle: weights as safetensors, estimators as skops, what else belongs to them as JSON."""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

from handbook import contract
from handbook.errors import HandbookError
from handbook.files.formats import write_json

_TRAIN_AGAIN = "Train again, or bring it back: dvc checkout"
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


def load(page: ModuleType, params: Any, directory: Path, kept: Mapping[str, bytes] | None = None) -> Any:
    """The model of a page, as it was saved: `page.Model(params, **facts)` with its weights, or a `Fitted`.

    `kept` are the files of a registered model by name, already held against their sha256; by default the directory's,
    which DVC looks after, are read. Each is read once: what is looked through is what is loaded.
    """
    files = kept if kept is not None else _files(directory)
    if "facts.json" not in files:
        raise HandbookError(
            f"{directory}: no model here: it is not trained yet, or DVC has not fetched it.\n"
            f"Make it: dvc repro train@{directory.name}   or fetch it: dvc pull {directory}"
        )
    try:
        facts = json.loads(files["facts.json"])
    except ValueError as error:
        raise HandbookError(f"{directory / 'facts.json'} is not JSON: {error}. {_TRAIN_AGAIN}") from None
    if "model.skops" in files:
        return Fitted(_load_estimator(page, files["model.skops"], directory / "model.skops"), params, facts)
    from safetensors import SafetensorError
    from safetensors.torch import load as load_weights

    path = directory / "model.safetensors"
    model = page.Model(params, **facts)
    try:
        model.load_state_dict(load_weights(files[path.name]))
    except (RuntimeError, KeyError) as error:
        raise HandbookError(f"{path} does not fit the parameters in params.yaml; train again.\n{error}") from None
    except SafetensorError as error:
        raise HandbookError(f"{path} is damaged: {error}. {_TRAIN_AGAIN}") from None
    return model.eval()


def _files(directory: Path) -> dict[str, bytes]:
    """The files of a model's folder, by name."""
    places = directory.iterdir() if directory.is_dir() else ()
    return {path.name: path.read_bytes() for path in places if path.is_file()}


def _save_estimator(estimator: Any, path: Path) -> None:
    """By skops, with the addresses that it names objects by counted again, so that a model is always the same file."""
    import skops.io

    seen: dict[str, str] = {}
    with zipfile.ZipFile(BytesIO(skops.io.dumps(estimator))) as archive, zipfile.ZipFile(path, "w") as out:
        schema = archive.read("schema.json").decode()
        for address in re.findall(r'"__id__": (\d+)|"file": "(\d+)\.', schema):
            seen.setdefault("".join(address), str(len(seen)))
        schema = re.sub(r'("__id__": |"file": ")(\d+)', lambda hit: hit[1] + seen[hit[2]], schema)
        files = {re.sub(r"^\d+", lambda hit: seen.get(hit[0], hit[0]), name): name for name in archive.namelist()}
        for name in sorted(files):
            content = schema if name == "schema.json" else archive.read(files[name])
            out.writestr(zipfile.ZipInfo(name, EPOCH_OF_ZIP), content, zipfile.ZIP_DEFLATED)


def _load_estimator(page: ModuleType, content: bytes, path: Path) -> Any:
    """Only types that skops knows, and those that the page's `TRUSTED` lists, are built."""
    import skops.io

    trusted = list(contract.case(page).trusted)
    try:
        unknown = sorted(set(skops.io.get_untrusted_types(data=content)) - set(trusted))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise HandbookError(f"{path} is damaged: {error}. {_TRAIN_AGAIN}") from None
    if unknown:
        raise HandbookError(
            f"{path} holds types that nobody has reviewed: {', '.join(unknown)}.\n"
            f"If they only hold numbers, add them to TRUSTED in {page.__name__}; else do not load the file"
        )
    return skops.io.loads(content, trusted=trusted)
