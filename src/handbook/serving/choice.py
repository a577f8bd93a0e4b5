"""The model that answers: a case's champion or one of its versions, from the ledger, and what it takes.

Neither MLflow nor a server is needed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import handbook
from handbook import contract, datasets
from handbook.data.images import SIDE
from handbook.data.provenance import sha256
from handbook.errors import HandbookError
from handbook.evaluation import examples
from handbook.files.integrity import Sealed
from handbook.project import Case, Project, parse
from handbook.registry import ledger, results, trained
from handbook.serving import inputs
from handbook.serving.inputs import Column, Form
from handbook.steps.given import trained_model
from handbook.training.models import load

KINDS = {  # what a case takes, and the column of the answers that says which of them an answer is to
    "pictures": "file",
    "rows": "row",
    "prompts": "prompt",
    "latents": "seed",
}


@dataclass(frozen=True, eq=False)
class Chosen:
    """A model that is ready to predict: its case, which one it is, and an example of what it takes, where known."""

    case: Case
    model: Any
    title: str
    example: Any = None
    data: Path | None = None  # where its dataset lies, if it lies here
    entry: dict[str, Any] = field(default_factory=dict)  # what its record says of it


def choose(project: Project, name: str, version: str = "") -> Chosen:
    """The model of a version, or the champion; models/NAME, if nothing was ever registered and no version is asked.

    Of a project apart it is the model that was trained there, which is never registered.
    """
    case = project.case(name)
    if project.apart:
        if version:
            raise HandbookError(f"--from names one model, which has no versions. Leave --version {version} out")
        return _trained(project, case, f"{name} in {project.apart.folder}")
    try:
        content = ledger.sealed(project, name, ledger.chosen(project, name, version or "champion"))
    except ledger.UnregisteredError as nothing:
        if version:
            raise
        print(f"{str(nothing).splitlines()[0]}; models/{name} is taken", file=sys.stderr)
        return _trained(project, case, f"models/{name}")
    example, entry = examples.frame_of(content.json("example.json")), content.json("entry.json")
    return Chosen(case, _kept(case, content), content.title, example, project.data(case.dataset), entry)


def _trained(project: Project, case: Case, title: str) -> Chosen:
    """A model that was trained and not registered; an example of what it takes is there once it is evaluated."""
    trained.check(project, case.name)
    if not project.models(case.name).is_dir():
        trained_model(project, case)  # which says what to make
    model, example = trained.tried(project, case.name), None
    if (project.reports(case.name) / "example.json").exists():
        example = examples.frame_of(results.example(project, case.name)["inputs"])
    return Chosen(case, model, title, example, project.data(case.dataset))


def _kept(case: Case, content: Sealed) -> Any:
    """A registered model, run by today's page; says so if that is not the page that it was made with."""
    page, title = Path(case.page.__file__ or ""), content.title
    path = page.relative_to(Path(handbook.__file__).parent)
    same = content.files.get(f"handbook/{path}") == sha256(page)
    if not same:
        print(f"{title} was made by another {path} than today's, which predicts now", file=sys.stderr)
    kept, entry = content.contents("model"), content.json("entry.json")
    try:
        return load(case.page, parse(case.page.Params, entry["params"], title), content.place / "model", kept)
    except (HandbookError, TypeError, KeyError) as error:
        reason = f"{title} cannot be loaded: {error}"
        way = "" if same else f"\nRun it by its own code: python -m handbook serve {case.name}"
        raise HandbookError(f"{reason}{way}\nOr see what became of it: python -m handbook verify {case.name}") from None


def kind_of(chosen: Chosen) -> str:
    """What the model takes: what its page's `INPUT` says, else what its example or its dataset looks like."""
    if stated := contract.case(chosen.case.page).input:
        return stated
    example, columns = chosen.example, set(getattr(chosen.example, "columns", ()))
    for word, kind in (("prompt", "prompts"), ("seed", "latents")):
        if word in columns:
            return kind
    if columns or contract.dataset(datasets.page(chosen.case.dataset)).columns:
        return "rows"
    return "latents" if example is not None and example.ndim == 1 else "pictures"


def columns_of(chosen: Chosen) -> dict[str, Column]:
    """The columns that a table's model needs: each with its type, and the words that it knows or what it can be."""
    facts, page = chosen.model.facts, datasets.page(chosen.case.dataset)
    known = facts.get("columns") or facts.get("like") or {}
    types, ranges = contract.dataset(page).columns, contract.usual(page).ranges
    return {
        name: Column(types.get(name, float), None, *ranges.get(name, (None, None)))
        if words is None
        else Column(str, frozenset(words))
        for name, words in known.items()
    }


def form_of(chosen: Chosen) -> Form:
    """What a picture must be for the model, and what those are like that its dataset holds."""
    shape = (SIDE, SIDE) if chosen.example is None else tuple(chosen.example.shape[1:])
    usual = contract.usual(datasets.page(chosen.case.dataset))
    return Form(shape, usual.ground, usual.tones)


def settings_of(chosen: Chosen) -> dict[str, type]:
    """What may stand beside a prompt or seed: of the kind's own settings, those that the model's example shows."""
    settings = inputs.SETTINGS[KINDS[kind_of(chosen)]]
    shown = getattr(chosen.example, "columns", settings)
    return {name: kind for name, kind in settings.items() if name in shown}
