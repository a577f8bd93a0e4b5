"""What a training made, sealed: training.json has the sha256 of the model and its history, which are held against it.

A registered model is vouched for by the ledger, one that was only trained by this. A changed file of weights loads
without a word and answers wrongly, and a damaged one fails wherever it happens to be read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from handbook.errors import HandbookError
from handbook.evaluation import examples
from handbook.files import documents
from handbook.files.formats import write_json
from handbook.files.integrity import differences, digest, hashes
from handbook.project import Project
from handbook.registry import pinned, results

SEAL = "files"  # in training.json: the sha256 of what was made with it, by path
FIELDS: dict[str, documents.Kind] = {"key": str, "seconds": documents.NUMBER}
# What the report shows of a training beside that.
SHOWN: dict[str, documents.Kind] = {
    "device": str, "epochs": int, "samples": int, "samples_per_second": documents.NUMBER, "threads": int,
}  # fmt: skip


def seal(model: Path, report: Path) -> None:
    """Write down in training.json what the model and its history are."""
    place = report / "training.json"
    known = documents.json_object(place, "Train again")
    write_json(place, known | {SEAL: _found(model, report)})


def facts(project: Project, name: str, more: Mapping[str, documents.Kind] | None = None) -> dict[str, Any]:
    """How a case was trained, as training.json has it; HandbookError if that is not there or damaged.

    `more` are fields that have to be there as well.
    """
    fields = FIELDS | dict(more or {})
    return documents.json_object(project.reports(name) / "training.json", _way(project, name), fields)


def is_sealed(model: Path, report: Path, known: dict[str, Any]) -> bool:
    """Whether a model and its history are those that a training.json was sealed with."""
    return bool(known.get(SEAL)) and known[SEAL] == _found(model, report)


def check(project: Project, name: str, judged: bool = False) -> None:
    """Hold the model and the history of a case, and its judge's model, against what their training wrote down.

    HandbookError names what was changed. What an older handbook trained has no seal; it is held against dvc.lock, if
    it is what dvc.lock knows. A model that is to be `judged` needs its history, whoever trained it: it is drawn; and
    one that nothing vouches for is tried first.
    """
    for each in filter(None, (name, project.judge(name))):
        _check(project, each)
        if judged and project.models(each).is_dir() and not _has_seal(project, each):
            tried(project, each)
    if judged and project.models(name).is_dir():
        _history(project, name)


def tried(project: Project, name: str) -> Any:
    """The model of a case, loaded; of one without a seal, once it has answered the example that is kept of it.

    HandbookError, whatever goes wrong with a model that anything may have happened to.
    """
    from handbook.training import models

    place = project.models(name)
    try:
        case = project.case(name)
        model = models.load(case.page, case.params, place)
        if not _has_seal(project, name) and (project.reports(name) / "example.json").is_file():
            case.page.predict(model, examples.frame_of(results.example(project, name)["inputs"]))
    except (HandbookError, OSError, MemoryError):
        raise
    except Exception as error:
        raise HandbookError(
            f"{place} cannot be used as a model of {name}: {type(error).__name__}: {error}.\n{_way(project, name)}"
        ) from None
    return model


def _has_seal(project: Project, name: str) -> bool:
    return os.path.lexists(project.reports(name) / "training.json") and SEAL in facts(project, name)


def _check(project: Project, name: str) -> None:
    model, report = project.models(name), project.reports(name)
    place = report / "training.json"
    if not model.is_dir() or not os.path.lexists(place):
        return  # not trained yet, or only half there, which whoever reads it says
    listed = facts(project, name).get(SEAL)
    if isinstance(listed, dict):
        faults = differences(project.root, _placed(project, model, report, listed), _placed(project, model, report))
    else:
        faults = _by_lock(project, name)
    if faults:
        raise HandbookError(
            f"the model of {name} is not what its training made:\n  " + "\n  ".join(faults) + f"\n{_way(project, name)}"
        )
    if os.path.lexists(report / "history.csv"):
        _history(project, name)


def _history(project: Project, name: str) -> None:
    """HandbookError unless what each epoch came to is there."""
    place, way = project.reports(name) / "history.csv", _way(project, name)
    rows = documents.rows(place, way)
    if not rows or any("epoch" not in row for row in rows):
        raise documents.damaged(place, "expected a row each epoch, with a column `epoch`", way)


def _placed(project: Project, model: Path, report: Path, files: dict[str, str] | None = None) -> dict[str, str]:
    """The sha256 of the files that were listed, or that are there, by their place as a person knows it."""
    homes = {"model": model, "report": report}
    found = _found(model, report) if files is None else files
    places = {path: homes.get(path.partition("/")[0], model) / path.partition("/")[2] for path in found}
    return {str(place): str(found[path]) for path, place in places.items()}


def _found(model: Path, report: Path) -> dict[str, str]:
    found = {f"model/{path}": each for path, each in hashes(model).items()}
    history = report / "history.csv"
    return found | ({"report/history.csv": digest(history.read_bytes())} if history.is_file() else {})


def _by_lock(project: Project, name: str) -> list[str]:
    """What dvc.lock says of the stage that trained it, where its training.json is the one that lies here."""
    stage = project.locked().get(f"train@{name}") or {}
    outs = {each["path"]: each["md5"] for each in stage.get("outs", [])}
    md5 = cache(lambda path: pinned.md5(project.root / path))
    if project.apart or outs.get(f"reports/{name}/training.json") != md5(f"reports/{name}/training.json"):
        return []
    return [
        f"{path} was changed: md5 {known}, found {md5(path) or 'nothing'}"
        for path, known in outs.items()
        if md5(path) != known
    ]


def _way(project: Project, name: str) -> str:
    if project.apart:
        return "Train again"
    return f"Bring it back: dvc checkout train@{name}   or train again: dvc repro --force train@{name}"
