"""What batches of a case are held against: its champion, what that learnt from, and the limits of drift."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from handbook import datasets
from handbook.contract import Split
from handbook.data import provenance
from handbook.errors import HandbookError
from handbook.monitoring import champions, drift, inbox, reading
from handbook.monitoring.champions import Champion
from handbook.project import Project, parse

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Watch:
    """All that batches of a case are held against."""

    project: Project
    name: str
    champion: Champion
    model: Any  # the champion's
    page: ModuleType  # the dataset's
    kind: str  # of the dataset: real or sample
    split: Split[Any]  # the dataset, as the champion's page splits it
    data: Any  # the dataset, whole
    reference: pd.DataFrame  # what the champion learnt from, the columns that are compared
    ignored: frozenset[str]  # attributes that the case makes nothing of
    params: drift.Params


def watch(project: Project, name: str) -> Watch:
    """Load the champion of a case and what it learnt from.

    Raises HandbookError for an unknown case, no champion, no block `monitor` in params.yaml, data that are not those
    that the champion was made from, and a dataset that is neither a table nor labelled pictures.
    """
    params = limits(project)
    champion = champions.champion(project, name)
    page, directory = datasets.page(champion.case.dataset), project.data(champion.case.dataset)
    inbox.is_table(page)
    origin = provenance.verify(page, directory)
    kind, form = str(origin["kind"]), origin.get("form")
    if "form" in champion.entry and kind == champion.entry["data"] and form != champion.entry["form"]:
        raise HandbookError(
            f"the champion of {name} was made from the {champion.entry['form']} of {champion.case.dataset}, and "
            f"{directory} holds the {form}.\nMake a champion of these: handbook register {name}"
        )
    if kind != champion.entry["data"]:
        raise HandbookError(
            f"the champion of {name} was made from {champion.entry['data']} data, and {directory} holds {kind} ones.\n"
            f"Bring the data that it was made from (make data), or make a champion of these: handbook register {name}"
        )
    data = page.load(directory)
    split = champion.case.split(data)
    learnt = [champions.learnt(split, data, page.facts(directory))]
    for files in champion.batches():
        with scratch(project) as place:
            learnt.append(reading.read(page, directory, files, place).facts)
    import pandas as pd

    ignored = reading.ignored(page, champion.case.params, getattr(split.train, "features", ()))
    reference = reading.compared(page, pd.concat(learnt, ignore_index=True), ignored)
    return Watch(project, name, champion, champion.model(), page, kind, split, data, reference, ignored, params)


def limits(project: Project) -> drift.Params:
    """The block `monitor` of params.yaml, but for its webhook, which is an address and no limit."""
    block = project.numbers().get("monitor")
    if not isinstance(block, dict):
        raise HandbookError("params.yaml has no block `monitor:` with the limits of drift")
    own = {"drifted_of": list(drift.Params.drifted_of)} | {key: block[key] for key in block if key != "webhook"}
    return parse(drift.Params, own, "params.yaml, monitor")  # type: ignore[no-any-return]


@contextlib.contextmanager
def scratch(project: Project) -> Iterator[Path]:
    """An empty folder that is gone at the end."""
    (project.cache / "monitor").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=project.cache / "monitor") as place:
        yield Path(place)
