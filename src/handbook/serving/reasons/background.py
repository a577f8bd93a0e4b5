"""What a row's reasons are relative to: rows that the model learnt from, or those that its record keeps."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from handbook import datasets
from handbook.data.provenance import verify
from handbook.errors import HandbookError
from handbook.serving.choice import Chosen

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

ROWS = 64  # drawn of the training rows; each is walked from twice


@lru_cache(maxsize=4)
def background(chosen: Chosen) -> tuple[pd.DataFrame, str]:
    """Rows to hold an input against, and what they are, in words; looked for once a model.

    They are drawn from the training rows where the dataset lies here and is, by its sha256, the one that the model was
    made from. Elsewhere they are the few rows that the record keeps as its example. HandbookError where it keeps none.
    """
    columns = list(chosen.model.facts["columns"])
    if chosen.data and _is_same(chosen, chosen.data):
        dataset = datasets.page(chosen.case.dataset).load(chosen.data)
        rows = chosen.case.page.split(dataset, chosen.model.params).train.features[columns]
        number = min(ROWS, len(rows))
        drawn = np.random.default_rng(0).choice(len(rows), number, replace=False)
        return rows.iloc[np.sort(drawn)].reset_index(drop=True), f"{number} rows drawn from those it learnt from"
    if chosen.example is None:
        raise HandbookError(
            f"{chosen.title}: reasons are relative to rows that it learnt from, and none is here.\n"
            f"Fetch them: python -m handbook data {chosen.case.dataset}"
        )
    kept = chosen.example[columns].reset_index(drop=True)
    return kept, f"the {len(kept)} rows that its record keeps as an example, since its dataset is not here"


def _is_same(chosen: Chosen, folder: Path) -> bool:
    """Whether the dataset lies here, whole, and a registered model's record names just these files."""
    try:
        found = verify(datasets.page(chosen.case.dataset), folder)["files"]
    except HandbookError:  # damaged, or nobody knows what it is: then it is no measure for anything
        return False
    recorded = chosen.entry.get("expectations", {}).get("files")
    return recorded is None or recorded == {name: facts["sha256"] for name, facts in found.items()}
