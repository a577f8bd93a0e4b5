"""python -m handbook verify: hash everything again, and say what is no longer what was written down.

Four records are held against what they are records of: the ledger against its models, the pages' sha256 against the
data, dvc.lock against the files of its stages, and MLflow against the ledger.
"""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handbook import datasets
from handbook.data import provenance
from handbook.errors import HandbookError, unknown
from handbook.files.integrity import differences
from handbook.project import Project
from handbook.registry import kept, ledger, mlflow_model, pinned, standings
from handbook.registry.connection import REBUILD
from handbook.registry.standings import LedgerState

if TYPE_CHECKING:
    from handbook.registry.shown import MlflowVersion


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
        origin = provenance.verify(datasets.page(dataset), project.data(dataset))
    except HandbookError as error:
        return Finding("data", dataset, str(error))
    return Finding("data", f"{dataset}: {len(origin['files'])} files ({origin['kind']})")


def _registered(project: Project, name: str) -> Iterator[Finding]:
    """Every version in a case's ledger against the record that it is named by, and the list of its files."""
    store = ledger.store(project, name)
    try:
        state = ledger.state(project, name)
    except HandbookError as error:
        yield Finding("ledger", name, str(error))
        return
    for number, content in enumerate(state["versions"], start=1):
        yield Finding("ledger", f"{name} version {number} ({content})", _kept_fault(store, state, content))
        with contextlib.suppress(HandbookError):  # it is damaged, which was said just now
            commit = kept.sealed(store, state, content).json("entry.json")["git"]
            yield from _commit(project, f"{name} version {number}", commit)
    for content in sorted({*standings.records(store)} - {*state["versions"]}):
        where = f"{store / content} is in no list of versions: an interrupted registration left it, or somebody did"
        yield Finding("ledger", f"{name}: {content}", f"{where}. Remove it")


def _kept_fault(store: Path, state: LedgerState, content: str) -> str:
    """What is wrong with a registered record: its files by their list, the list by the ledger, and its name."""
    place = store / content
    if not place.is_dir():
        return f"{place} is missing"
    try:
        if faults := kept.sealed(store, state, content).faults():
            return "; ".join(faults)
    except HandbookError as error:
        return "; ".join(part for part in (str(error), kept.unsealed_fault(place)) if part)
    return kept.unsealed_fault(place)


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
    except HandbookError as error:
        yield Finding("dvc.lock", str(path), str(error))
        return
    md5 = cache(lambda path: pinned.md5(project.root / path))
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


def _has_mlflow(project: Project) -> bool:
    return bool(os.environ.get("MLFLOW_TRACKING_URI")) or (project.mlruns / "mlflow.db").exists()


def _shown(project: Project, name: str) -> Iterator[Finding]:
    """MLflow's metrics, models and aliases of a case against the ledger, and what else claims to be of the ledger."""
    from handbook.registry import shown

    try:
        state = ledger.state(project, name)
    except HandbookError:
        return  # said before
    found, aliases = shown.recorded(project, name)
    first = {each.content: each for each in reversed(found) if each.ours}
    for number, content in enumerate(state["versions"], start=1):
        thing, there = f"{name} version {number} ({content})", first.get(content)
        fault = (
            _shown_fault(project, name, content, there)
            if there
            else f"it is not in the registry, or lies elsewhere since the checkout was moved. {_again(name)}"
        )
        yield Finding("MLflow", thing, fault)
    expected = {alias: content for alias in standings.ALIASES if (content := state.get(alias))}
    numbers = {each.version: content for content, each in first.items()}
    named = {
        alias: numbers.get(number, f"its version {number}, which is none of these") for alias, number in aliases.items()
    }
    fault = "" if expected == named else f"aliases are {named}, the ledger has {expected}. {_again(name)}"
    yield Finding("MLflow", f"{name}: aliases", fault)
    for each in found:
        if each.content in state["versions"] and each is not first.get(each.content):
            what = f"it says that it is {each.content}, and nobody here registered it: its files lie at {each.place}"
            yield Finding("MLflow", f"{name}: its version {each.version}", f"{what}. Delete it in MLflow")


def _again(name: str) -> str:
    return f"To show it again: python -m handbook register {name}"


def _shown_fault(project: Project, name: str, content: str, there: MlflowVersion) -> str:
    """What differs between a registered record and what MLflow would show and run of it."""
    from handbook.registry import mlflow_run

    try:
        sealed = ledger.sealed(project, name, content)
        logged, layout = mlflow_run.as_logged(sealed.json("report/metrics.json")), mlflow_model.layout(sealed)
    except HandbookError:
        return ""  # said before, of the ledger; there is nothing to hold MLflow against
    faults = [
        f"{metric} is {there.metrics.get(metric)} in MLflow, {value} in the ledger"
        for metric, value in logged.items()
        if not math.isclose(there.metrics.get(metric, math.nan), value, rel_tol=CLOSE, abs_tol=CLOSE)
    ]
    if not there.files:
        return "; ".join([*faults, f"MLflow has lost the files of the model. {REBUILD}"])
    kept_files = {path: sealed.files[where] for path, where in layout.items()}
    changed = differences(Path(there.place.removeprefix("file://")), kept_files, there.files)
    return "; ".join(faults + changed + [REBUILD] * bool(changed))
