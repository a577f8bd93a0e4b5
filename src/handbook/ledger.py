"""The ledger: what was registered, in which order, and who is champion, as files.

`models/.registered/CASE` holds a folder for each content (the model, its report, the code that made it) and
`ledger.json`. The registry in MLflow is a view of these files; deleted, it is rebuilt from them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from handbook import datasets
from handbook.project import Case, Project, plain
from handbook.storage import load, write_json

Standing = dict[str, Any]  # versions (contents, oldest first), challenger, champion, previous
Sign = Callable[[Any, Any], dict[str, Any]]


def store(project: Project, name: str) -> Path:
    """Where a case's ledger lies."""
    return project.root / "models" / ".registered" / name


def read(path: Path) -> Any:
    """A JSON file's content, or None where there is no file."""
    return json.loads(path.read_text()) if path.exists() else None


def enter(case: Case, store: Path, content: str) -> tuple[Standing, str]:
    """Write the challenger into the ledger, and the champion, if the gate says so; and what the gate says."""
    standing = read(store / "ledger.json") or {"versions": [], "champion": None, "previous": None}
    if content not in standing["versions"]:
        standing["versions"].append(content)
    standing["challenger"] = content
    verdict = _gate(case, store, standing)
    write_json(store / "ledger.json", standing)
    return standing, verdict


def _gate(case: Case, store: Path, standing: Standing) -> str:
    """Let the challenger become champion if it may; says why, or why not."""
    primary = case.page.PRIMARY
    challenger = _metrics(store, standing["challenger"])
    score, baseline = challenger[primary], challenger["baseline"][primary]
    if standing["champion"] == standing["challenger"]:
        return f"is the champion ({primary} {score:.4f})"
    if not better(case, score, baseline):
        return f"does not pass the gate: {primary} {score:.4f}, the trivial baseline has {baseline:.4f}"
    if standing["champion"]:
        champion = _metrics(store, standing["champion"])
        if (champion["data"], challenger["data"]) == ("real", "sample"):
            return "does not pass the gate: it was made from sample data, the champion from real data"
        if champion["data"] == challenger["data"] and better(case, champion[primary], score):
            return f"does not pass the gate: {primary} {score:.4f}, the champion has {champion[primary]:.4f}"
    standing["previous"], standing["champion"] = standing["champion"], standing["challenger"]
    return f"passes the gate and is champion ({primary} {score:.4f})"


def better(case: Case, one: float, other: float) -> bool:
    """Whether one value of the page's primary metric is better than another; `LOWER_IS_BETTER` turns it round."""
    return one < other if getattr(case.page, "LOWER_IS_BETTER", False) else one > other


def frame_of(example: dict[str, Any]) -> Any:
    """The example that `example.json` holds: an array, or a DataFrame with its columns and their types."""
    import numpy as np

    if "columns" not in example:
        return np.asarray(example["values"], dtype=example["dtype"])
    import pandas as pd

    return pd.DataFrame(example["columns"]).astype(example["dtypes"])


def _example(example: Any) -> dict[str, Any]:
    """An array or a DataFrame as plain types; of a table whose rows fill different columns, the rows like the first."""
    if hasattr(example, "columns"):
        example = example.loc[:, example.iloc[0].notna()].dropna()  # MLflow refuses one with gaps
        dtypes = {str(name): str(kind) for name, kind in example.dtypes.items()}
        return {"columns": {str(name): column.tolist() for name, column in example.items()}, "dtypes": dtypes}
    return {"dtype": str(example.dtype), "values": example.tolist()}


def _metrics(store: Path, content: str) -> dict[str, Any]:
    return dict(read(store / content / "report" / "metrics.json"))


def entry(project: Project, case: Case) -> dict[str, Any]:
    """What is to be known of a registered model; its content is a hash of what it is and how well it does."""
    metrics = read(project.reports(case.name) / "metrics.json")
    validation = read(project.reports(case.dataset) / "validation.json") or {}
    digest = hashlib.sha256(json.dumps([plain(case.params), metrics], sort_keys=True).encode())
    for path in sorted(project.models(case.name).iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return {
        "content": digest.hexdigest()[:16],
        "case": case.name,
        "page": case.page.__name__.rsplit(".", 1)[1],
        "dataset": case.dataset,
        "data": metrics["data"],
        "params": plain(case.params),
        "git": _git_commit(project),
        "dvc": _dvc_hashes(project, case),
        "expectations": {
            "success": validation.get("success", False),
            "number": len(validation.get("expectations", [])),
            "files": validation.get("files", {}),
        },
    }


def _git_commit(project: Project) -> str:
    """The commit that is checked out, with `-dirty` if the checkout differs from it; `none` outside git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "none"


def _dvc_hashes(project: Project, case: Case) -> dict[str, str]:
    """The hashes that dvc.lock has for what this case was made from."""
    import yaml

    lock = project.root / "dvc.lock"
    stages = yaml.safe_load(lock.read_text())["stages"] if lock.exists() else {}
    made = [stages.get(f"{verb}@{case.name}", {}) for verb in ("train", "evaluate")]
    parts = [part for stage in made for side in ("deps", "outs") for part in stage.get(side, [])]
    return {part["path"]: part["md5"] for part in parts}


def keep(project: Project, case: Case, entry: dict[str, Any], place: Path, sign: Sign) -> None:
    """Copy what is registered, its code included, so that no later change of page or model can reach it.

    `sign` makes the model's signature, as plain types, of an example and the answer to it.
    """
    if place.exists():
        return
    fresh = place.with_name(f".{place.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(project.models(case.name), fresh / "model")
    shutil.copytree(project.reports(case.name), fresh / "report")
    shutil.copytree(Path(__file__).parent, fresh / "handbook", ignore=shutil.ignore_patterns("__pycache__"))
    example = case.example(datasets.page(case.dataset).load(project.data(case.dataset)))
    model = load(case.page, case.params, project.models(case.name))
    write_json(fresh / "signature.json", sign(example, case.page.predict(model, example)))
    write_json(fresh / "example.json", _example(example))
    write_json(fresh / "entry.json", entry)
    fresh.replace(place)
