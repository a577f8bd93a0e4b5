"""The ledger: what was registered, in which order, and who is champion, as files.

`models/.registered/CASE` holds a folder for each content (the model, its report, the code that made it) and
`ledger.json`. The registry in MLflow is a view of these files; deleted, it is rebuilt from them.

A champion that was rolled back is `rejected`: the gate lets neither it nor what the same training makes pass, until
somebody promotes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from handbook import datasets
from handbook.errors import HandbookError
from handbook.fetch import forms, sha256
from handbook.project import Case, Project, plain
from handbook.runs import FLOW_RUN
from handbook.storage import write_json

Standing = dict[str, Any]  # versions and rejected (contents, oldest first), challenger, champion, previous
ALIASES = ("challenger", "champion", "previous")
FILES = "files.json"  # what lies in a registered content's folder, by sha256
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
    rejected = _rejected(store, standing)
    if rejected:
        return (
            f"does not pass the gate: version {rejected}, of the same training, was rolled back.\n"
            f"If that was wrong: python -m handbook promote {case.name} --version {number(standing)}"
        )
    if not better(case, score, baseline):
        return f"does not pass the gate: {primary} {score:.4f}, the trivial baseline has {baseline:.4f}"
    champion = _metrics(store, standing["champion"]) if standing["champion"] else None
    worse = champion and _worse(case, champion, challenger)
    if worse:
        return f"does not pass the gate: {worse}"
    standing["previous"], standing["champion"] = standing["champion"], standing["challenger"]
    return f"passes the gate and is champion ({primary} {score:.4f})"


def _worse(case: Case, champion: dict[str, Any], challenger: dict[str, Any]) -> str:
    """Why a challenger does not replace the champion, by their metrics, or nothing."""
    primary = case.page.PRIMARY
    if (champion["data"], challenger["data"]) == ("real", "sample"):
        return "it was made from sample data, the champion from real data"
    if _of_less(case, champion, challenger):
        return f"of the data it was made from the {challenger['form']}, the champion from the {champion['form']}"
    if _alike(champion, challenger) and better(case, champion[primary], challenger[primary]):
        return f"{primary} {challenger[primary]:.4f}, the champion has {champion[primary]:.4f}"
    return ""


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two models were judged by the same rows: data of one kind and, as far as it is known, of one form."""
    known = [metrics["form"] for metrics in (one, other) if "form" in metrics]
    return bool(one["data"] == other["data"] and len({*known}) < 2)


def _of_less(case: Case, champion: dict[str, Any], challenger: dict[str, Any]) -> bool:
    """Whether the challenger was made from a worse form of real data than the champion was."""
    best_first = list(forms(datasets.page(case.dataset)))
    ranks = [best_first.index(form) for m in (champion, challenger) if (form := m.get("form")) in best_first]
    return len(ranks) == 2 and ranks[0] < ranks[1]


def _rejected(store: Path, standing: Standing) -> int | None:
    """The version that was rolled back and is the challenger, or was made by the same parameters, data and code."""
    key = training(store / standing["challenger"]).get("key")
    for content in standing.get("rejected", []):
        if content == standing["challenger"] or (key and key == training(store / content).get("key")):
            return int(standing["versions"].index(content)) + 1
    return None


def number(standing: Standing, alias: str = "challenger") -> int | None:
    """The version number that an alias stands for, from 1 on."""
    return standing["versions"].index(standing[alias]) + 1 if standing.get(alias) else None


def training(place: Path) -> dict[str, Any]:
    """How a registered content was trained: seconds, device, key, and the flow run where there was one."""
    return dict(read(place / "report" / "training.json") or {})


def standing(project: Project, name: str) -> Standing:
    """A case's ledger; HandbookError if nothing is registered."""
    path = store(project, name) / "ledger.json"
    try:
        found = read(path)
    except ValueError as error:
        raise HandbookError(f"{path} is not JSON ({error}). Bring it back from a backup: it is the registry") from None
    if not found:
        raise HandbookError(f"nothing is registered of {name}. Register it: dvc repro register@{name}")
    return dict(found)


def chosen(project: Project, name: str, version: str) -> str:
    """The content that `version` names: a number from 1 on, or champion, challenger or previous."""
    known = standing(project, name)
    told = _there(name, known)
    if version in ALIASES:
        if not known.get(version):
            raise HandbookError(f"{name} has no {version}; {told}")
        return str(known[version])
    if not version.isdecimal() or not 0 < int(version) <= len(known["versions"]):
        raise HandbookError(f"no version {version!r} of {name}; {told}")
    return str(known["versions"][int(version) - 1])


def _there(name: str, known: Standing) -> str:
    aliases = ", ".join(f"{alias} {number(known, alias)}" for alias in ALIASES if known.get(alias))
    return f"{name} has versions 1 to {len(known['versions'])}: {aliases}"


def roll_back(project: Project, case: Case) -> Standing:
    """The champion before becomes champion again, and the champion of today is rejected from now on.

    Raises HandbookError if there is none before, or if that one was made from samples and today's from real data.
    """
    known = standing(project, case.name)
    if not known["champion"] or not known["previous"]:
        raise HandbookError(
            f"{case.name} has no previous champion to roll back to; {_there(case.name, known)}.\n"
            f"To choose one of them: python -m handbook promote {case.name} --version N"
        )
    _refuse_sample(store(project, case.name), known, known["previous"])
    rejected = [*known.get("rejected", []), known["champion"]]
    known |= {"champion": known["previous"], "previous": None, "rejected": list(dict.fromkeys(rejected))}
    write_json(store(project, case.name) / "ledger.json", known)
    return known


def promote(project: Project, case: Case, version: str) -> Standing:
    """Make a version champion because somebody says so, gate or no gate; it is rejected no longer."""
    content, known = chosen(project, case.name, version), standing(project, case.name)
    if content == known["champion"]:
        raise HandbookError(f"version {number(known, 'champion')} of {case.name} is the champion already")
    _refuse_sample(store(project, case.name), known, content)
    rejected = [each for each in known.get("rejected", []) if each != content]
    known |= {"champion": content, "previous": known["champion"], "rejected": rejected}
    write_json(store(project, case.name) / "ledger.json", known)
    return known


def _refuse_sample(store: Path, known: Standing, content: str) -> None:
    """What was made from samples never takes the place of what was made from real data."""
    kinds = [_metrics(store, each)["data"] for each in (known["champion"], content) if each]
    if kinds == ["real", "sample"]:
        made = known["versions"].index(content) + 1
        raise HandbookError(
            f"version {made} was made from sample data, the champion (version {number(known, 'champion')}) from real"
            f" data; it stays. Make another version from real data: make data, then dvc repro"
        )


def better(case: Case, one: float, other: float) -> bool:
    """Whether one value of the page's primary metric is better than another; `LOWER_IS_BETTER` turns it round."""
    return one < other if getattr(case.page, "LOWER_IS_BETTER", False) else one > other


def frame_of(example: dict[str, Any]) -> Any:
    """What `plain_of` made plain: an array, or a DataFrame with its columns and their types."""
    import numpy as np

    if "columns" not in example:
        return np.asarray(example["values"], dtype=example["dtype"])
    import pandas as pd

    # the order is told apart, since JSON is written with sorted keys
    return pd.DataFrame(example["columns"], columns=example.get("order")).astype(example["dtypes"])


def exemplify(case: Case, model: Any, data: Any) -> dict[str, Any]:
    """Inputs as a user would send them, and the model's answers: what it takes and gives, known without loading it."""
    inputs = plain_of(case.example(data))
    return {"inputs": inputs, "answers": plain_of(case.page.predict(model, frame_of(inputs)))}


def plain_of(example: Any) -> dict[str, Any]:
    """An array or a DataFrame as plain types, for `frame_of`; a gap in a column is a None."""
    if hasattr(example, "columns"):
        dtypes = {str(name): str(kind) for name, kind in example.dtypes.items()}
        whole = example.astype(object).where(example.notna(), None)
        columns = {str(name): column.tolist() for name, column in whole.items()}
        return {"columns": columns, "dtypes": dtypes, "order": list(columns)}
    return {"dtype": str(example.dtype), "values": example.tolist()}


def without_gaps(frame: Any) -> Any:
    """Of a table whose rows fill different columns, those that the first row fills and the rows that fill them."""
    return frame.loc[:, frame.iloc[0].notna()].dropna() if hasattr(frame, "columns") else frame


def _metrics(store: Path, content: str) -> dict[str, Any]:
    return dict(read(store / content / "report" / "metrics.json"))


def entry(project: Project, case: Case) -> dict[str, Any]:
    """What is to be known of a registered model; its content is a hash of what it is and how well it does."""
    metrics = read(project.reports(case.name) / "metrics.json")
    validation = read(project.reports(case.dataset) / "validation.json") or {}
    flow_run = os.environ.get(FLOW_RUN)
    return {
        "content": content_of(plain(case.params), metrics, project.models(case.name)),
        **({"flow_run": flow_run} if flow_run else {}),
        "case": case.name,
        "page": case.page.__name__.rsplit(".", 1)[1],
        "dataset": case.dataset,
        "data": metrics["data"],
        **({"form": metrics["form"]} if "form" in metrics else {}),
        "params": plain(case.params),
        "git": _git_commit(project),
        "dvc": _dvc_hashes(project, case),
        "expectations": {
            "success": validation.get("success", False),
            "number": len(validation.get("expectations", [])),
            "files": validation.get("files", {}),
        },
    }


def content_of(params: dict[str, Any], metrics: dict[str, Any], model: Path) -> str:
    """The name of a content: a hash of the parameters, the metrics and the model's files."""
    digest = hashlib.sha256(json.dumps([params, metrics], sort_keys=True).encode())
    for path in sorted(model.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def hashes(place: Path) -> dict[str, str]:
    """The sha256 of every file below a folder but the list of them, by its path there."""
    files = sorted(path for path in place.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(place).as_posix(): sha256(path) for path in files if path.name != FILES}


def _git_commit(project: Project) -> str:
    """The commit that is checked out, with `-dirty` if the checkout differs from it; `none` outside git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "none"


def _dvc_hashes(project: Project, case: Case) -> dict[str, str]:
    """The hashes that dvc.lock has for what this case was made from."""
    stages = project.locked()
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
    example = read(project.reports(case.name) / "example.json")
    if example is None:
        raise HandbookError(f"{case.name} is not evaluated yet. Make it: dvc repro evaluate@{case.name}")
    write_json(fresh / "signature.json", sign(frame_of(example["inputs"]), frame_of(example["answers"])))
    write_json(fresh / "example.json", example["inputs"])
    write_json(fresh / "entry.json", entry)
    write_json(fresh / FILES, hashes(fresh))
    fresh.replace(place)
