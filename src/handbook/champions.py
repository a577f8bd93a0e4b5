"""The champion of a case as the ledger keeps it: its model, what it learnt from, and how it does on rows of today.

Pages split their data themselves. Rows that come in later are laid out so that the page's own split puts them where
they belong: all among the test rows, to be judged, or all among the others, to be learnt from.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook import cases, ledger, standings, storage, tables
from handbook.errors import HandbookError
from handbook.images import LabelledImages
from handbook.integrity import Sealed
from handbook.project import Case, Project, parse
from handbook.tables import Table

if TYPE_CHECKING:
    import pandas as pd

Rows = npt.NDArray[np.int64]


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
        model = storage.load(self.case.page, self.case.params, place, files)
        model.history_ = storage.rows_of(self.kept.read("report/history.csv").decode())
        return model

    def batches(self) -> list[tuple[Path, ...]]:
        """The files of the batches that it learnt from beside the pinned data, kept with it."""
        places = sorted(place for place in (self.place / "report" / "batches").glob("*") if place.is_dir())
        return [tuple(sorted(place.iterdir())) for place in places]


def champion(project: Project, name: str) -> Champion:
    """The champion of a case; a HandbookError if there is none, or no case of that name."""
    case = project.case(name)
    standing = standings.opened(ledger.store(project, name)) or {}
    if not standing.get("champion"):
        raise HandbookError(
            f"{name} has no champion: nothing is registered that passed the gate.\nMake one: dvc repro register@{name}"
        )
    content = ledger.sealed(project, name, standing["champion"])
    content.check()
    place, entry, metrics = content.place, content.json("entry.json"), content.json("report/metrics.json")
    page = cases.page(entry["page"])
    params = parse(page.Params, entry["params"], f"{place / 'entry.json'}, params")
    return Champion(Case(name, page, entry["dataset"], case.book, params), content, entry, metrics)


def splits(case: Case) -> bool:
    """Whether the page judges by rows that `test_share` and `split_seed` part from the others."""
    return hasattr(case.params, "split_seed") and hasattr(case.params, "test_share")


def halves(case: Case, n: int) -> tuple[Rows, Rows]:
    """Which of n rows the page learns from (and chooses by), and which it is judged by."""
    import pandas as pd

    blank = Table(pd.DataFrame(index=range(n)), np.zeros(n), ())
    kept, judged = tables.split(blank, case.params.test_share, case.params.split_seed, stratify=False)
    return kept.features.index.to_numpy(np.int64), judged.features.index.to_numpy(np.int64)


def learnt(case: Case, facts: pd.DataFrame) -> pd.DataFrame:
    """The rows of the dataset's table of facts that the case's page learns from; all, where it does not part them."""
    if "split" in facts:
        return facts[facts["split"] == "train"]
    return facts.iloc[halves(case, len(facts))[0]] if splits(case) else facts


def to_judge(case: Case, pinned: Any, batch: Any) -> Any:
    """Data whose test part is the batch, in its order, and whose other rows are pinned ones to learn from.

    Raises HandbookError if the page does not say which rows it judges by.
    """
    if isinstance(pinned, LabelledImages):
        return dataclasses.replace(pinned, test_images=batch.test_images, test_labels=batch.test_labels)
    _must_split(case)
    n = _whole(len(batch), lambda n: math.ceil(case.params.test_share * n))
    kept, judged = halves(case, n)
    known = halves(case, len(pinned))[0]
    return _laid_out(n, (kept, pinned.take(np.resize(known, len(kept)))), (judged, batch))


def to_learn(case: Case, pinned: Table, batch: Table) -> Table:
    """A table whose training part holds the pinned one and all of the batch; its test part is made of pinned test rows.

    That may hold some of them twice, or not all, so it is nothing to judge by.
    """
    _must_split(case)
    known, held_out = halves(case, len(pinned))
    wanted = len(known) + len(batch)
    n = _whole(wanted, lambda n: n - math.ceil(case.params.test_share * n))
    kept, judged = halves(case, n)
    return _laid_out(
        n, (kept, joined(pinned.take(known), batch)), (judged, pinned.take(np.resize(held_out, n - wanted)))
    )


def _must_split(case: Case) -> None:
    if not splits(case):
        raise HandbookError(
            f"{case.name}: {case.page.__name__} has no `test_share` and `split_seed`, so nothing says which rows it is"
            " judged by"
        )


def _whole(part: int, size: Any) -> int:
    """The least n whose part has that many rows; `size` grows with n by 0 or 1."""
    n = part
    while size(n) < part:
        n += part - size(n)
    return n


def joined(one: Table, other: Table) -> Table:
    """The rows of one table, then those of another with the same columns."""
    import pandas as pd

    features = pd.concat([one.features, other.features[list(one.features.columns)]])
    return Table(features, np.concatenate([one.target, other.target]), one.classes)


def _laid_out(n: int, *parts: tuple[Rows, Table]) -> Table:
    """A table of n rows, with the rows of each part at its positions."""
    rows = joined(parts[0][1], parts[1][1])
    order = np.empty(n, np.int64)
    order[np.concatenate([positions for positions, _ in parts])] = np.arange(n)
    return rows.take(order)


def score(case: Case, model: Any, pinned: Any, batch: Any) -> tuple[float, tuple[float, float]]:
    """The page's primary metric of a model on the batch and its 95 % interval, by the page's own `evaluate`."""
    page = case.page
    report = page.evaluate(model, to_judge(case, pinned, batch))
    value = float(report.metrics[page.PRIMARY])
    low, high = report.interval.get(page.PRIMARY, (value, value))
    return value, (float(low), float(high))


def can_judge(case: Case, batch: Any) -> bool:
    """Whether `score` knows how to lay out such a batch for the page."""
    return isinstance(batch, LabelledImages) or splits(case)


def one_class(batch: Any) -> bool:
    """Whether all answers of a batch are the same, so that most metrics say nothing."""
    answers = batch.test_labels if isinstance(batch, LabelledImages) else batch.target
    return len(np.unique(answers)) < 2


def unknown_rows(pinned: Table, batch: Table) -> Rows:
    """The positions of the batch's rows that are neither in the pinned data nor earlier in the batch."""
    both = joined(pinned, batch)
    copies = tables.copies(both.features.assign(**{"": both.target}))
    return np.flatnonzero(copies[len(pinned) :] == 0).astype(np.int64)


def with_pictures(pinned: LabelledImages, batches: list[LabelledImages]) -> tuple[LabelledImages, int, int]:
    """Pictures to learn from with those of the batches, how many are new, and how many were known already."""
    images = np.concatenate([each.test_images for each in batches])
    labels = np.concatenate([each.test_labels for each in batches])
    seen = {picture.tobytes() for part in (pinned.train_images, pinned.test_images) for picture in part}
    fresh = []
    for k, picture in enumerate(images):
        if picture.tobytes() not in seen:
            seen.add(picture.tobytes())
            fresh.append(k)
    grown = dataclasses.replace(
        pinned,
        train_images=np.concatenate([pinned.train_images, images[fresh]]),
        train_labels=np.concatenate([pinned.train_labels, labels[fresh]]),
    )
    return grown, len(fresh), len(images) - len(fresh)
