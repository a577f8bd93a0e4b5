"""python -m handbook predict: a case's champion over a user's inputs, batch by batch; what cannot be read is reported.

The model comes from the ledger, so that neither MLflow nor a server is needed.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

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
from handbook.serving.answers import Answers, Outcome, refuse_place
from handbook.serving.inputs import Batch, Column, Fault, Form
from handbook.serving.reasons import added, explain
from handbook.serving.reasons.overlays import Overlays
from handbook.steps.given import trained_model
from handbook.training.models import load

if TYPE_CHECKING:
    import pandas as pd

KINDS = {  # what a case takes, and the column of the answers that says which of them an answer is to
    "pictures": "file",
    "rows": "row",
    "prompts": "prompt",
    "latents": "seed",
}
EXPLAINED = {"pictures": 64, "rows": 32}  # what there are reasons for; so many between two steps of the bar
AT_ONCE = {"pictures": 1024, "rows": 8192, "prompts": 16, "latents": 64}  # in memory; more brings no more speed


@dataclass(frozen=True)
class Chosen:
    """A model that is ready to predict: its case, which one it is, and an example of what it takes, where known."""

    case: Case
    model: Any
    title: str
    example: Any = None
    data: Path | None = None  # where its dataset lies, if it lies here
    entry: dict[str, Any] = field(default_factory=dict)  # what its record says of it

    @cached_property
    def background(self) -> tuple[pd.DataFrame, str]:
        """Rows that reasons are relative to, and what they are in words; looked for once."""
        from handbook.serving.reasons.background import background

        return background(self)


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


def batches(
    chosen: Chosen, given: Sequence[str], size: int | None, separator: str | None
) -> tuple[Iterator[Batch], int]:
    """What the user brings, batch by batch, and how much there is of it in all, as `Batch.read` counts."""
    kind = kind_of(chosen)
    size = size or AT_ONCE[kind]
    if kind == "pictures":
        files = inputs.picture_files([Path(each) for each in given])
        return inputs.pictures(files, form_of(chosen), size), len(files)
    if kind != "rows":
        bare = chosen.example is not None and not hasattr(chosen.example, "columns")  # a page that takes an array
        return inputs.requests(given, KINDS[kind], size, bare, settings_of(chosen)), len(given)
    if len(given) != 1:
        raise HandbookError(f"{chosen.case.name} takes one CSV file, found {len(given)} inputs. Call it for each")
    path = Path(given[0])
    total = path.stat().st_size if inputs.is_there(given[0]) else 0
    return inputs.rows(path, columns_of(chosen), size, separator), total


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
    why: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Outcome:
    """Predict what is given and write the answers as CSV to `output`, or to stdout; a generator's as PNG files there.

    What fails is left out there and listed in OUTPUT.errors.csv. HandbookError, and no file, if nothing can be read.
    With `why` each answer has its reasons beside it; those of pictures are overlays in OUTPUT.why. `settings` are those
    of every prompt or seed that has none of its own: how long to write, say.
    """
    kind, name = kind_of(chosen), chosen.case.name
    if output is None and kind == "latents":
        raise HandbookError(f"{name} makes pictures. Name a folder for them: --output FOLDER")
    if why and kind not in EXPLAINED:
        raise HandbookError(f"{name} takes {kind}, and --why is for rows and pictures. Leave it out")
    if why and kind == "pictures" and not output:
        raise HandbookError("the reasons for pictures are pictures. Name where they go: --output FILE, beside it")
    if output:
        refuse_place(output, given, folder=kind == "latents")
    drawn: Any = Overlays(output) if why and kind == "pictures" and output else contextlib.nullcontext()
    parts, total = batches(chosen, given, batch_size or (EXPLAINED[kind] if why else None), separator)
    if settings:
        parts = inputs.settled(parts, settings, settings_of(chosen) if kind in ("prompts", "latents") else {}, name)
    with (
        Answers(output, KINDS[kind], drawn=kind == "latents") as answers,
        drawn as overlays,
        _progress(total, kind, name) as bar,
    ):
        for batch in parts:
            kept, found, refused = predicted(chosen, batch)
            if why and kept:
                found = _with_reasons(chosen, batch, kept, found, overlays)
            answers.take(batch, kept, found, refused)
            bar.update(batch.read)
    return answers.outcome(chosen.title)


def _with_reasons(chosen: Chosen, batch: Batch, kept: list[int], found: Any, overlays: Overlays | None) -> Any:
    """The answers to those inputs of a batch that have one, with their reasons."""
    data = batch.data.iloc[kept] if hasattr(batch.data, "iloc") else batch.data[kept]
    names = [batch.names[k] for k in kept]
    given = explain(chosen, Batch(names, data, [batch.notes[k] for k in kept]))
    return overlays.take(names, data, given, found) if overlays else added(found, given)


def _progress(total: int, kind: str, name: str) -> Any:
    """A bar, on a terminal."""
    from tqdm import tqdm

    unit = {"rows": "B", "pictures": " pictures"}.get(kind, " answers")
    return tqdm(total=total, unit=unit, unit_scale=kind == "rows", desc=name, disable=not sys.stderr.isatty())


def predicted(chosen: Chosen, batch: Batch) -> tuple[list[int], Any, list[Fault]]:
    """Positions that were answered, their answers, and what was refused.

    What the page refuses is found by halves. An answer that is no finite number is none.
    """
    places, parts, faults = _halves(chosen, batch, list(range(len(batch.names))))
    if not parts:
        return [], None, faults
    if not hasattr(parts[0], "columns"):
        return places, np.concatenate(parts), faults
    import pandas as pd

    answers = pd.concat(parts, ignore_index=True)
    numbers = answers.select_dtypes("number")
    finite = np.isfinite(numbers.to_numpy(dtype=np.float64)).all(axis=1)
    for k in np.flatnonzero(~finite):
        name = next(name for name in numbers if not np.isfinite(numbers[name].iloc[k]))
        faults.append(batch.fault(places[k], not_finite(str(name), numbers[name].iloc[k])))
    kept = np.flatnonzero(finite)
    return [places[k] for k in kept], answers.iloc[kept].reset_index(drop=True) if len(kept) else None, faults


def not_finite(name: str, value: float) -> str:
    """Why an answer with that value is none."""
    return f"the answer is no finite number ({name} {value}): too far from all that was learnt"


def _halves(chosen: Chosen, batch: Batch, places: list[int]) -> tuple[list[int], list[Any], list[Fault]]:
    if not places:
        return [], [], []
    some = batch.data.iloc[places] if hasattr(batch.data, "iloc") else batch.data[places]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # unknown words, which the note tells row by row
            warnings.simplefilter("ignore", RuntimeWarning)  # of numbers that grow without bound: looked at above
            return places, [chosen.case.page.predict(chosen.model, some)], []
    except (ValueError, OverflowError) as problem:
        if len(places) == 1:
            return [], [], [batch.fault(places[0], str(problem))]
    middle = len(places) // 2
    left, right = (_halves(chosen, batch, half) for half in (places[:middle], places[middle:]))
    return left[0] + right[0], left[1] + right[1], left[2] + right[2]
