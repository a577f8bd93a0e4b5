"""python -m handbook predict: a case's champion over a user's inputs, batch by batch; what cannot be read is reported.

The model comes from the ledger, so that neither MLflow nor a server is needed.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import handbook
from handbook import contract, datasets
from handbook.data.images import SIDE
from handbook.data.provenance import sha256
from handbook.errors import HandbookError
from handbook.evaluation import examples
from handbook.files.integrity import Sealed
from handbook.project import Case, Project, parse
from handbook.registry import ledger
from handbook.serving import inputs
from handbook.serving.answers import Answers, Outcome
from handbook.serving.inputs import Batch, Column, Fault
from handbook.training.models import load

KINDS = {  # what a case takes, and the column of the answers that says which of them an answer is to
    "pictures": "file",
    "rows": "row",
    "prompts": "prompt",
    "latents": "seed",
}
AT_ONCE = {"pictures": 1024, "rows": 8192, "prompts": 16, "latents": 64}  # in memory; more brings no more speed


@dataclass(frozen=True)
class Chosen:
    """A model that is ready to predict: its case, which one it is, and an example of what it takes, where known."""

    case: Case
    model: Any
    title: str
    example: Any = None


def choose(project: Project, name: str, version: str = "") -> Chosen:
    """The model of a version, or the champion; models/NAME, if nothing was ever registered and no version is asked."""
    case = project.case(name)
    try:
        content = ledger.sealed(project, name, ledger.chosen(project, name, version or "champion"))
    except ledger.UnregisteredError as nothing:
        if version:
            raise
        print(f"{str(nothing).splitlines()[0]}; models/{name} is taken", file=sys.stderr)
        return Chosen(case, load(case.page, case.params, project.models(name)), f"models/{name}")
    return Chosen(case, _kept(case, content), content.title, examples.frame_of(content.json("example.json")))


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
    """The columns that a table's model needs, each with its type and the words that it knows."""
    facts = chosen.model.facts
    known = facts.get("columns") or facts.get("like") or {}
    types = contract.dataset(datasets.page(chosen.case.dataset)).columns
    return {
        name: Column(types.get(name, float) if words is None else str, None if words is None else frozenset(words))
        for name, words in known.items()
    }


def batches(
    chosen: Chosen, given: Sequence[str], size: int | None, separator: str | None
) -> tuple[Iterator[Batch], int]:
    """What the user brings, batch by batch, and how much there is of it in all, as `Batch.read` counts."""
    kind = kind_of(chosen)
    size = size or AT_ONCE[kind]
    if kind == "pictures":
        files = inputs.picture_files([Path(each) for each in given])
        shape = (SIDE, SIDE) if chosen.example is None else tuple(chosen.example.shape[1:])
        return inputs.pictures(files, shape, size), len(files)
    if kind != "rows":
        bare = chosen.example is not None and not hasattr(chosen.example, "columns")  # a page that takes an array
        return inputs.requests(given, KINDS[kind], size, bare), len(given)
    if len(given) != 1:
        raise HandbookError(f"{chosen.case.name} takes one CSV file, found {len(given)} inputs. Call it for each")
    path = Path(given[0])
    return inputs.rows(path, columns_of(chosen), size, separator), path.stat().st_size if path.is_file() else 0


def predict(project: Project, name: str, given: Sequence[str], output: Path | None = None, **how: Any) -> Outcome:
    """`answer` by a case's champion, or by the `version` that is named."""
    return answer(choose(project, name, how.pop("version", "")), given, output, **how)


def answer(
    chosen: Chosen,
    given: Sequence[str],
    output: Path | None = None,
    *,
    batch_size: int | None = None,
    separator: str | None = None,
) -> Outcome:
    """Predict what is given and write the answers as CSV to `output`, or to stdout; a generator's as PNG files there.

    What fails is left out there and listed in OUTPUT.errors.csv. HandbookError, and no file, if nothing can be read.
    """
    kind, name = kind_of(chosen), chosen.case.name
    if output:
        _refuse_place(output, given, folder=kind == "latents")
    elif kind == "latents":
        raise HandbookError(f"{name} makes pictures. Name a folder for them: --output FOLDER")
    parts, total = batches(chosen, given, batch_size, separator)
    with Answers(output, KINDS[kind]) as answers, _progress(total, kind, name) as bar:
        for batch in parts:
            answers.take(batch, *_predicted(chosen, batch))
            bar.update(batch.read)
    return answers.outcome(chosen.title)


def _progress(total: int, kind: str, name: str) -> Any:
    """A bar, on a terminal."""
    from tqdm import tqdm

    unit = {"rows": "B", "pictures": " pictures"}.get(kind, " answers")
    return tqdm(total=total, unit=unit, unit_scale=kind == "rows", desc=name, disable=not sys.stderr.isatty())


def _refuse_place(output: Path, given: Sequence[str], folder: bool) -> None:
    """HandbookError where the answers cannot go: no folder to lie in, in the place of what they are made from."""
    if not output.absolute().parent.is_dir():
        raise HandbookError(
            f"{output.absolute().parent} is not there, and {output.name} should lie in it. Make it first"
        )
    if output.is_dir() and not folder:
        raise HandbookError(f"{output} is a folder; expected the name of a CSV file to write")
    if any(Path(each).exists() and output.exists() and output.samefile(each) for each in given):
        raise HandbookError(f"{output} is what is to be predicted. Name another file for the answers")


def _predicted(chosen: Chosen, batch: Batch) -> tuple[list[int], Any, list[Fault]]:
    """Positions that were answered, their answers, and what the page refused; by halves, to find the one at fault."""
    places = list(range(len(batch.names)))
    answers, faults = _halves(chosen, batch, places)
    refused = {fault.name for fault in faults}
    kept = [k for k in places if str(batch.names[k]) not in refused]
    if not answers:
        return [], None, faults
    if hasattr(answers[0], "columns"):
        import pandas as pd

        return kept, pd.concat(answers, ignore_index=True), faults
    return kept, np.concatenate(answers), faults


def _halves(chosen: Chosen, batch: Batch, places: list[int]) -> tuple[list[Any], list[Fault]]:
    if not places:
        return [], []
    some = batch.data.iloc[places] if hasattr(batch.data, "iloc") else batch.data[places]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # unknown words, which the note tells row by row
            return [chosen.case.page.predict(chosen.model, some)], []
    except ValueError as problem:
        if len(places) == 1:
            return [], [Fault(str(batch.names[places[0]]), "", str(problem))]
    middle = len(places) // 2
    left, right = (_halves(chosen, batch, half) for half in (places[:middle], places[middle:]))
    return left[0] + right[0], left[1] + right[1]
