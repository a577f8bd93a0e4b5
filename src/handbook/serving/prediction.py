"""python -m handbook predict: a case's champion over a user's inputs, batch by batch; what fails is reported."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.serving import inputs
from handbook.serving.answers import Answers, Outcome, refuse_place
from handbook.serving.choice import KINDS, Chosen, choose, columns_of, form_of, kind_of, settings_of
from handbook.serving.inputs import Batch, Fault
from handbook.serving.reasons import added, explain
from handbook.serving.reasons.overlays import Overlays

EXPLAINED = {"pictures": 64, "rows": 32}  # what there are reasons for; so many between two steps of the bar
AT_ONCE = {"pictures": 1024, "rows": 8192, "prompts": 16, "latents": 64}  # in memory; more brings no more speed


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
