"""The champion of a case as the ledger keeps it: its model, what it learnt from, and how it does on rows of today."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handbook import cases
from handbook.contract import Part, Split
from handbook.errors import HandbookError
from handbook.evaluation.report import Judge, Report
from handbook.files import formats
from handbook.files.integrity import Sealed
from handbook.project import Case, Project, parse
from handbook.registry import ledger, standings
from handbook.training import models

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Champion:
    """A registered model: its case with the parameters of its training, and what the ledger knows of it."""

    case: Case
    kept: Sealed  # models/.registered/CASE/CONTENT
    entry: dict[str, Any]
    metrics: dict[str, Any]

    @property
    def place(self) -> Path:
        return self.kept.place

    @property
    def content(self) -> str:
        return str(self.entry["content"])

    def model(self) -> Any:
        """The model with its history, read from the ledger."""
        place, files = self.place / "model", self.kept.contents("model")
        model = models.load(self.case.page, self.case.params, place, files)
        model.history_ = formats.rows_of(self.kept.read("report/history.csv").decode())
        return model

    def batches(self) -> list[tuple[Path, ...]]:
        """The files of the batches that it learnt from beside the pinned data, kept with it."""
        places = sorted(place for place in (self.place / "report" / "batches").glob("*") if place.is_dir())
        return [tuple(sorted(place.iterdir())) for place in places]


def _registered(project: Project, name: str) -> Sealed:
    """The record of a case's champion, of which nothing is read yet; HandbookError if there is none."""
    state = standings.opened(ledger.store(project, name)) or {}
    if not state.get("champion"):
        raise HandbookError(
            f"{name} has no champion: nothing is registered that passed the gate.\nMake one: handbook register {name}"
        )
    return ledger.sealed(project, name, state["champion"])


def dataset(project: Project, name: str) -> str:
    """The dataset that the champion of a case learnt from, by the one file of its record that says so."""
    return str(_registered(project, name).json("entry.json")["dataset"])


def champion(project: Project, name: str) -> Champion:
    """The champion of a case; a HandbookError if there is none, or no case of that name."""
    case = project.case(name)
    content = _registered(project, name)
    content.check()
    place, entry, metrics = content.place, content.json("entry.json"), content.json("report/metrics.json")
    page = cases.page(entry["page"])
    params = parse(page.Params, entry["params"], f"{place / 'entry.json'}, params")
    return Champion(Case(name, page, entry["dataset"], case.book, params, case.judge), content, entry, metrics)


def learnt(split: Split[Any], data: Any, facts: pd.DataFrame) -> pd.DataFrame:
    """Of the table of facts, which has a row for each of the data, those that a model learns from and chooses by."""
    if "split" in facts:  # of pictures, as they are published
        return facts[facts["split"] == "train"]
    return facts.iloc[data.features.index.get_indexer(split.development.features.index)]


def report(case: Case, model: Any, split: Split[Any], batch: Part, *judges: Judge) -> Report:
    """What the page's own `evaluate` says of a model on the batch."""
    return case.page.evaluate(model, dataclasses.replace(split, test=batch), *judges)  # type: ignore[no-any-return]


def score(case: Case, judged: Report) -> tuple[float, tuple[float, float]]:
    """The page's primary metric in a report, and its 95 % interval."""
    value = float(judged.metrics[case.page.PRIMARY])
    low, high = judged.interval.get(case.page.PRIMARY, (value, value))
    return value, (float(low), float(high))
