"""python -m handbook verify: hash everything anew, and say what is no longer what was written down.

Four records are held against what they are records of: the ledger against its models, the pages' sha256 against the
data, dvc.lock against the files of its stages, and MLflow against the ledger.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from handbook import datasets, fetch, ledger
from handbook.errors import HandbookError, unknown
from handbook.project import Project

CLOSE = 1e-9  # a number through a database and back


@dataclass(frozen=True)
class Finding:
    """A thing that was checked, and what no longer matches; nothing, if all is as it was."""

    record: str  # ledger, data, dvc.lock or MLflow
    thing: str
    fault: str = ""


def verify(project: Project, case: str | None = None) -> Iterator[Finding]:
    """A finding for each thing, of one case or of all."""
    if case and case not in project.cases():
        raise unknown("case", case, project.cases())
    names = [case] if case else project.cases()
    used = [str(project.numbers()["cases"][case]["dataset"])] if case else project.datasets()
    for dataset in used:
        yield _data(project, dataset)
    for name in names:
        yield from _registered(project, name)
    yield from _locked(project, names if case else None, used)
    if _has_mlflow(project):
        for name in names:
            yield from _shown(project, name)
    else:
        yield Finding("MLflow", "no registry here, and none is named: nothing to compare with the ledger")


def _data(project: Project, dataset: str) -> Finding:
    """The files of a dataset against the sha256 on its page; a sample's against its provenance."""
    try:
        origin = fetch.verify(datasets.page(dataset), project.data(dataset))
    except HandbookError as error:
        return Finding("data", dataset, str(error))
    return Finding("data", f"{dataset}: {len(origin['files'])} files ({origin['kind']})")


def _registered(project: Project, name: str) -> Iterator[Finding]:
    """Every version in a case's ledger against the content that it is named by, and the list of its files."""
    try:
        standing = ledger.standing(project, name)
    except HandbookError as error:
        yield Finding("ledger", name, str(error))
        return
    strange = [standing[alias] for alias in ledger.ALIASES if standing.get(alias)]
    if not set(strange) <= set(standing["versions"]):
        yield Finding(
            "ledger", f"{name}: ledger.json", f"aliases name {strange}, but versions are {standing['versions']}"
        )
    for number, content in enumerate(standing["versions"], start=1):
        yield Finding("ledger", f"{name} version {number} ({content})", _kept_fault(project, name, content))
        commit = (ledger.read(ledger.store(project, name) / content / "entry.json") or {}).get("git", "none")
        yield from _commit(project, f"{name} version {number}", commit)


def _kept_fault(project: Project, name: str, content: str) -> str:
    """What is wrong with a registered content; its folder's files by their list, then what its name stands for."""
    place = ledger.store(project, name) / content
    if not place.is_dir():
        return f"{place} is missing"
    try:
        listed = ledger.read(place / ledger.FILES)
        if listed is not None and (faults := _differences(place, listed, ledger.hashes(place))):
            return "; ".join(faults)
        entry, metrics = ledger.read(place / "entry.json"), ledger.read(place / "report" / "metrics.json")
        found = ledger.content_of(entry["params"], metrics, place / "model")
    except (ValueError, OSError, KeyError, TypeError) as error:
        return f"{place} cannot be read: {error}"
    if found != content:
        return f"{place}: parameters, metrics and model hash to {found}, expected {content}"
    return ""


def _differences(place: Path, listed: dict[str, str], found: dict[str, str]) -> list[str]:
    return [
        f"{place / path} {'is missing' if path not in found else 'is new' if path not in listed else 'was changed'}"
        for path in sorted(listed.keys() | found.keys())
        if listed.get(path) != found.get(path)
    ]


def _commit(project: Project, thing: str, commit: str) -> Iterator[Finding]:
    """Whether git still knows what a model was made from; what was made from no commit cannot be checked."""
    clean = commit.removesuffix("-dirty")
    if clean == "none" or not (project.root / ".git").exists():
        return
    done = subprocess.run(
        ["git", "cat-file", "-e", f"{clean}^{{commit}}"], cwd=project.root, capture_output=True, check=False
    )
    yield Finding(
        "git", f"{thing}: commit {commit[:8]}", "" if done.returncode == 0 else f"git knows no commit {clean}"
    )


def _locked(project: Project, names: list[str] | None, used: list[str]) -> Iterator[Finding]:
    """dvc.lock against the files and numbers that its stages read and made; `names` None: all stages."""
    path = project.root / "dvc.lock"
    if not path.exists():
        yield Finding("dvc.lock", str(path), f"{path} is missing: nothing says what the results were made from")
        return
    try:
        stages, numbers = project.locked(), project.numbers()
    except (yaml.YAMLError, KeyError, TypeError) as error:
        yield Finding("dvc.lock", str(path), f"{path} cannot be read: {error}")
        return
    md5 = cache(lambda path: _md5(project.root / path))
    for name, stage in stages.items():
        if names is None or name.partition("@")[2] in (*names, *used):
            yield Finding("dvc.lock", name, "; ".join(_stage_faults(stage, numbers, md5)))


def _stage_faults(stage: dict[str, Any], numbers: dict[str, Any], md5: Callable[[str], str]) -> Iterator[str]:
    for part in [*stage.get("deps", []), *stage.get("outs", [])]:
        found = md5(part["path"])
        if found != part["md5"]:
            became = f"was changed: md5 {part['md5']}, found {found}" if found else "is missing"
            yield f"{part['path']} {became}"
    for key, value in stage.get("params", {}).get("params.yaml", {}).items():
        now: Any = numbers
        for step in key.split("."):
            now = now.get(step) if isinstance(now, dict) else None
        if now != value:
            yield f"params.yaml, {key} was changed"


def _md5(path: Path) -> str:
    """As DVC names a file or a folder (dvc_data.hashfile.tree); nothing for what is not there."""
    if path.is_file():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if not path.is_dir():
        return ""
    files = sorted(each for each in path.rglob("*") if each.is_file() and "__pycache__" not in each.parts)
    listing = [{"md5": _md5(each), "relpath": each.relative_to(path).as_posix()} for each in files]
    listing.sort(key=lambda each: each["relpath"])
    return hashlib.md5(json.dumps(listing, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


def _has_mlflow(project: Project) -> bool:
    return bool(os.environ.get("MLFLOW_TRACKING_URI")) or (project.mlruns / "mlflow.db").exists()


def _shown(project: Project, name: str) -> Iterator[Finding]:
    """MLflow's metrics, models and aliases of a case against the ledger."""
    from handbook import tracking

    standing = ledger.read(ledger.store(project, name) / "ledger.json")
    if not standing:
        return  # told before
    contents, aliases = tracking.recorded(project, name)
    expected = {alias: standing[alias] for alias in ledger.ALIASES if standing.get(alias)}
    fault = "" if expected == aliases else f"aliases are {aliases}, the ledger has {expected}"
    yield Finding("MLflow", f"{name}: aliases", fault)
    for number, content in enumerate(standing["versions"], start=1):
        place, there = ledger.store(project, name) / content, contents.get(content)
        thing = f"{name} version {number} ({content})"
        yield Finding("MLflow", thing, _shown_fault(place, there) if there else "it is not in the registry")


def _shown_fault(place: Path, there: dict[str, Any]) -> str:
    """What differs between a registered content and what MLflow would show and serve of it."""
    from handbook.tracking import as_logged

    logged = as_logged(ledger.read(place / "report" / "metrics.json"))
    faults = [
        f"{name} is {there['metrics'].get(name)} in MLflow, {value} in the ledger"
        for name, value in logged.items()
        if not math.isclose(there["metrics"].get(name, math.nan), value, rel_tol=CLOSE, abs_tol=CLOSE)
    ]
    if there["model"] is None:
        return "; ".join([*faults, "MLflow has lost the files of the model"])
    for ours, theirs in (("model", "artifacts/model"), ("handbook", "code/handbook")):
        kept, shown = (ledger.hashes(folder) for folder in (place / ours, there["model"] / theirs))
        faults += _differences(there["model"] / theirs, kept, shown)
    return "; ".join(faults)
