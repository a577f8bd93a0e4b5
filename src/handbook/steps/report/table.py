"""The lines of the tables: of a case its figures, each beside the book's, the published ones and the baseline's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from handbook import contract
from handbook.project import RECIPE, Case, Project
from handbook.registry import results as read
from handbook.registry import trained
from handbook.steps import repeated
from handbook.steps.report import published

# What `preset: book` has more of, and its word; batches in an epoch are left out, since the data may fill fewer.
OF_THE_WHOLE = {"window_share": "windows", "epochs": "epochs", "width": "width", "batch_size": "batch"}
PERCENT = ("accuracy", "f1", "precision", "recall", "specificity")
NONE = "–"


def metrics(project: Project, name: str) -> dict[str, Any]:
    """The numbers of a case, as its evaluation left them."""
    return read.metrics(project, project.case(name))


def all_real(project: Project) -> bool:
    """Whether no case was made from sample data."""
    return all(metrics(project, name)["data"] == "real" for name in project.cases())


def shown(name: str, value: float | None) -> str:
    """A number as its field writes it: shares in per cent, the rest as they are."""
    if value is None:
        return NONE
    return f"{100 * value:.2f} %" if name in PERCENT else f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}"


def data_of(numbers: dict[str, Any], dataset: str) -> str:
    """The dataset that figures were made from: whether a sample, or which form, where it is published in several."""
    form = "sample" if numbers["data"] != "real" else numbers.get("form")
    return f"{dataset} ({form})" if form else dataset


def row(project: Project, name: str) -> dict[str, Any]:
    """A case's line in the tables: its primary metric; and below it, as `more`, what else is to be compared."""
    case, numbers = project.case(name), metrics(project, name)
    primary, known = case.page.PRIMARY, published.entry(name)
    training = project.reports(name) / "training.json"
    seconds = trained.facts(project, name)["seconds"] if training.exists() else None
    further = dict.fromkeys([*numbers["book"], *known.metrics])
    return {
        "case": name,
        "source": source(case),
        "shortened": shortened(project, name),
        "seconds": NONE if seconds is None else f"{seconds:.1f}",
        "dataset": data_of(numbers, case.dataset),
        "leak": known.leak,
        "seeds": over_seeds(*repeated.shown(project, case), primary),
        **line(numbers, primary, known),
        "metric": f"{primary} ↓" if contract.case(case.page).lower_is_better else primary,
        "more": [line(numbers, each, known) for each in further if each != primary and each in numbers],
    }


def line(numbers: dict[str, Any], metric: str, known: published.Entry) -> dict[str, Any]:
    """One figure beside its interval, and what the book, others and a baseline have by the same metric."""
    bounds = numbers["interval"].get(metric)
    return {
        "metric": metric,
        "ours": shown(metric, numbers[metric]),
        "interval": " – ".join(shown(metric, bound) for bound in bounds) if bounds else NONE,
        "book": shown(metric, numbers["book"].get(metric)),
        "baseline": shown(metric, numbers["baseline"].get(metric)),
        "published": {column: known.of(column, metric) for column in published.COLUMNS},
    }


def over_seeds(spread: dict[str, Any] | None, of_today: bool, metric: str) -> str:
    """Mean and standard deviation of a figure over the seeds that a case was trained by, and their number.

    A mark says that the code, the parameters or the data have changed since.
    """
    if spread is None:
        return NONE
    mean, deviation = spread["mean"][metric], spread["deviation"][metric]
    width = f"{100 * deviation:.2f} %" if metric in PERCENT else f"{deviation:.2g}"
    return f"{shown(metric, mean)} ± {width} ({len(spread['seeds'])})" + ("" if of_today else " ‡")


def shortened(project: Project, name: str) -> str:
    """By how much a recipe of the book is shortened here, against `preset: book`; empty for what is not."""
    if not name.endswith(RECIPE):
        return ""
    block, full = project.block(name), project.block(name, "book")
    same_steps = "steps" in full and block["steps"] == full["steps"]
    words = {**OF_THE_WHOLE, "epochs": "steps" if same_steps else "epochs"}
    less = {word: block[key] / full[key] for key, word in words.items() if key in full and block[key] != full[key]}
    return ", ".join(f"{100 * share:.3g} % of its {word}" for word, share in less.items())


def source(case: Case) -> str:
    """Where a case's page stands in the checkout: a file, or the folder that it has grown into."""
    file = Path(str(case.page.__file__))
    name = f"{file.parent.name}/" if file.stem == "__init__" else file.name
    return f"src/handbook/cases/{name}"


def cited(result: published.Published) -> str:
    """A published value with the digits that its source prints, in per cent like ours."""
    return f"{100 * result.value:g} %" if result.metric in PERCENT else f"{result.value:g}"


class Notes:
    """The sources below a table: each gets a number when it is first shown, one for all figures of the same model."""

    def __init__(self) -> None:
        self.results: list[published.Published] = []

    def number(self, result: published.Published) -> int:
        known = [each.cited_as for each in self.results]
        if result.cited_as not in known:
            self.results.append(result)
            known.append(result.cited_as)
        return known.index(result.cited_as) + 1
