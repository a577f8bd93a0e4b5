"""How a champion does by group of rows: a dataset's page names the columns, this counts hits and misses in each.

Counts and not areas, because groups are small: of each, how many rows, how many of them are what is sought (the second
class), how many are called so, and recall, precision and accuracy with Wilson's 95 % interval (1927), which holds for
few rows and for shares near 0 and 1 as well.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook import contract
from handbook.data.tables import Table
from handbook.errors import HandbookError
from handbook.evaluation import trials
from handbook.evaluation.report import Report
from handbook.monitoring.reading import Content

if TYPE_CHECKING:
    import pandas as pd

    from handbook.monitoring.reference import Watch

Labels = npt.NDArray[np.int64]
FEWEST = 20  # rows of a group that is judged: Wilson's interval of fewer spans two fifths of the scale


def judged(watch: Watch, content: Content, report: Report | None = None) -> list[dict[str, Any]]:
    """A line for each group of a labelled batch of two classes whose page names groups; else none.

    What the champion answered stands in the `report` on the batch; it is asked where there is none.
    """
    wanted = contract.watched(watch.page).groups
    if not wanted or not isinstance(content.loaded, Table) or len(content.loaded.classes) != 2:
        return []
    if (called := _called(report, content.loaded)) is None:
        try:
            called = watch.champion.case.page.predict(watch.model, content.loaded.features)["label"].to_numpy(np.int64)
        except (HandbookError, ValueError, KeyError):  # a page whose answers are no labels, such as a map's
            return []
    return list(_lines(content.facts, np.asarray(content.loaded.answers, np.int64), called, wanted))


def _called(report: Report | None, rows: Table) -> Labels | None:
    """The labels (N,) that a report has the rows called by, in its table of confusions, a line a row; None without."""
    lines = report.tables.get("confusion", ()) if report else ()
    if len(lines) != len(rows):
        return None
    return np.array([rows.classes.index(str(line["predicted"])) for line in lines], dtype=np.int64)


def _lines(facts: pd.DataFrame, labels: Labels, called: Labels, wanted: Any) -> Iterator[dict[str, Any]]:
    for column, edges in wanted.items():
        named = bands(facts[column], edges)
        for group in sorted(set(named.tolist())):
            rows = named == group
            if rows.sum() >= FEWEST:
                yield {"column": column, "group": group, **counted(labels[rows], called[rows])}


def bands(column: pd.Series, edges: Sequence[float]) -> npt.NDArray[np.str_]:
    """The group of each row (N,): its word, or the band of its number; every edge begins a band."""
    if not edges:
        return np.asarray(column.astype(str))
    shown = [f"{edge:g}" for edge in edges]
    last = [f"{a} to {b}" for a, b in itertools.pairwise(shown)]
    names = np.array([f"below {shown[0]}", *last, f"{shown[-1]} and more"])
    return np.asarray(names[np.searchsorted(edges, column.to_numpy(np.float64), side="right")])


def counted(labels: Labels, called: Labels) -> dict[str, Any]:
    """What became of rows with labels (N,), of which `called` (N,) were answered with 1."""
    true, hits = labels == 1, int(((labels == 1) & (called == 1)).sum())
    shares = {
        "recall": (hits, int(true.sum())),
        "precision": (hits, int((called == 1).sum())),
        "accuracy": (int((labels == called).sum()), len(labels)),
    }
    return {
        "rows": len(labels),
        "sought": float(true.mean()),
        "called": float((called == 1).mean()),
        **{name: hit / of if of else None for name, (hit, of) in shares.items()},
        "interval": {name: wilson(hit, of) for name, (hit, of) in shares.items() if of},
    }


def wilson(hits: int, of: int) -> list[float]:
    """The 95 % interval of a share, of which `hits` of `of` were found."""
    return [*trials.share(hits, of)[1:]]
