"""Why a model answers as it does: what each attribute of a row, or each pixel of a picture, adds to its answer."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.errors import HandbookError
from handbook.serving.choice import Chosen, kind_of
from handbook.serving.reasons.background import background
from handbook.serving.reasons.shapley import Array, shapley

if TYPE_CHECKING:
    import pandas as pd

    from handbook.serving.inputs import Batch

FEW = 3  # attributes that a table of answers names


@dataclass(frozen=True)
class Part:
    """An attribute, the value that the row has there, and what it adds to the number that is explained."""

    name: str
    value: Any
    effect: float


@dataclass(frozen=True)
class Reason:
    """What one answer is made of: `base`, and what the parts add to it; together they are the number explained."""

    number: str  # what is explained, in words
    relative_to: str  # what `base` is the number of, in words
    base: float
    parts: tuple[Part, ...] = ()  # of a row, what counts most first
    pixels: Array | None = None  # of a picture (H, W) or (H, W, 3)


def explain(chosen: Chosen, batch: Batch) -> list[Reason]:
    """A reason for each input of the batch. HandbookError for a model of texts, and for one that draws."""
    if not len(batch.names):
        return []
    kind = kind_of(chosen)
    if kind == "pictures":
        return _of_pictures(chosen, batch.data)
    if kind != "rows":
        raise HandbookError(f"{chosen.case.name} takes {kind}: reasons are given for rows and for pictures")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # unknown words, which the note tells row by row
        return _of_a_map(chosen, batch.data) if hasattr(chosen.model, "examine") else _of_rows(chosen, batch.data)


def _of_pictures(chosen: Chosen, pictures: npt.NDArray[np.uint8]) -> list[Reason]:
    """By integrated gradients, from an empty picture of the ground that the example's pictures have."""
    from handbook.serving.reasons.gradients import integrated  # late: it brings torch

    model, known = chosen.model, pictures
    if chosen.example is not None:
        known = chosen.example
    ground = float(np.median(np.concatenate([known[:, 0], known[:, -1], known[:, :, 0], known[:, :, -1]], axis=1)))
    device = next(model.parameters()).device
    model.cpu().eval()
    heat = model.facts.get("temperature", 1.0)  # by which the page divides, so that its probabilities are calibrated
    parts, empty = integrated(lambda images: model(images) / heat, pictures, ground)
    model.to(device)
    words = ("the log-odds of the answer", f"an empty picture of intensity {ground:.0f}")
    return [Reason(*words, float(base), pixels=each) for each, base in zip(parts, empty, strict=True)]


def _of_a_map(chosen: Chosen, rows: pd.DataFrame) -> list[Reason]:
    """A map's own: how much of the squared distance to the nearest units lies in each attribute; nothing is drawn."""
    model = chosen.model
    apart = model.examine(model.encode(rows))[3]
    names = list(model.facts["like"])
    where = f"the nearest units that hold {100 * model.params.share:g}% of the rows that it learnt from"
    return [
        Reason("the mean squared distance", where, 0.0, _ranked(names, rows.iloc[k], apart[k]))
        for k in range(len(rows))
    ]


def _of_rows(chosen: Chosen, rows: pd.DataFrame) -> list[Reason]:
    """By Shapley values of the number that the answer gives: a probability, or a value."""
    columns = list(chosen.model.facts["columns"])
    known, words = background(chosen)
    reasons = []
    for k in range(len(rows)):
        row = rows.iloc[[k]]
        number, what = explained(chosen, row)
        effects, base = shapley(number, row, known)
        parts = _ranked(columns, rows.iloc[k], effects)
        reasons.append(Reason(what, f"{base:.4g}, the mean over {words}", base, parts))
    return reasons


def explained(chosen: Chosen, row: pd.DataFrame) -> tuple[Callable[[pd.DataFrame], Array], str]:
    """The number that the answer to a row gives, as a function of rows, and what it is in words.

    Of a page with two classes that is the probability of the second, whichever is answered; of one with any number of
    classes that of the answer; of a regressor the value.
    """
    page, model = chosen.case.page, chosen.model
    answer = page.predict(model, row)
    if "value" in answer:
        return lambda rows: page.predict(model, rows)["value"].to_numpy(), "the value"
    if "best" not in model.facts:  # of algorithms that were compared, which answer for every class
        second = model.facts["classes"][1]
        return lambda rows: page.probabilities(model, rows), f"the probability of {second!r}"
    label = int(answer["label"].iloc[0])
    answered = f"the probability of {model.facts['classes'][label]!r}"
    return lambda rows: page.class_probabilities(model.estimator, rows)[:, label], answered


def _ranked(names: list[str], row: pd.Series, effects: Array) -> tuple[Part, ...]:
    order = np.argsort(-np.abs(effects), kind="stable")
    return tuple(Part(names[k], row[names[k]], float(effects[k])) for k in order)


def added(answers: pd.DataFrame, reasons: list[Reason]) -> pd.DataFrame:
    """The answers to rows with their reasons beside them: attribute, its value, what it adds, and relative to what."""
    given: dict[str, list[Any]] = {}
    for k in range(FEW):
        parts = [reason.parts[k] if k < len(reason.parts) else Part("", "", float("nan")) for reason in reasons]
        given[f"reason_{k + 1}"] = [part.name for part in parts]
        given[f"value_{k + 1}"] = [part.value for part in parts]
        given[f"effect_{k + 1}"] = [part.effect for part in parts]
    given["effect_on"] = [reason.number for reason in reasons]
    given["relative_to"] = [reason.relative_to for reason in reasons]
    return answers.reset_index(drop=True).assign(**given)
