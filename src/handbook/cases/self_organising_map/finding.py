"""What a map is to find, and what it found: the rows to judge by, the suspects, the sentence of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.contract import Split
from handbook.data.tables import Table

if TYPE_CHECKING:
    import pandas as pd

    from handbook.cases.self_organising_map import Model, Params

LISTED = 100  # suspects, but of the book's rule, which lists all that it calls


def outliers(test: Table, params: Params) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """The rows to judge by, and which of them are outliers: by the target, or because they were forged here."""
    import pandas as pd

    if not params.held_out:
        return test.features, test.target
    genuine = test.features
    rng = np.random.default_rng(params.seed)
    forged = pd.DataFrame({name: column.to_numpy()[rng.permutation(len(genuine))] for name, column in genuine.items()})
    rows = pd.concat([genuine, forged.astype(genuine.dtypes)], ignore_index=True)
    return rows, np.repeat([0, 1], len(genuine)).astype(np.int64)


def suspects(model: Model, data: Table, predictions: pd.DataFrame) -> list[dict[str, Any]]:
    """The most outlying rows first: what they are, and the attributes that make them so, in original units."""
    listed = int(predictions["suspicious"].sum()) if model.params.white else LISTED
    ranked, first = [], np.argsort(-predictions["outlier_score"].to_numpy(), kind="stable")[:listed]
    for rank, place in enumerate(first, start=1):
        row, values = predictions.iloc[place], data.features.iloc[place]
        line = {"rank": rank, "row": row.name, "score": row["outlier_score"], "class": data.classes[data.target[place]]}
        for k, name in enumerate(row.filter(like="reason"), start=1):
            low, high = model.facts["usual"].get(name, ("", ""))
            line |= {f"attribute_{k}": name, f"value_{k}": values[name], f"low_{k}": low, f"high_{k}": high}
        ranked.append(line)
    return ranked


def everything(split: Split[Table], params: Params) -> Table:
    """All rows, in the order of their index."""
    if not params.held_out:
        return split.test
    both = split.train.join(split.test)
    return both.take(np.argsort(both.features.index.to_numpy(), kind="stable"))


def sentence(
    model: Model, data: Table, predictions: pd.DataFrame, metrics: dict[str, Any], interval: tuple[float, float]
) -> str:
    """What is to be taken away: how well each score finds what is to be found, and whom the book's rule calls.

    `interval` is that of the map's ROC-AUC, which is 0.5 by chance.
    """
    p, compared = model.params, metrics["algorithms"]
    what, share = ("Forged rows", 0.5) if p.held_out else (data.classes[1].capitalize(), float(data.target.mean()))
    parts = [
        f"{what}, {share:.2%} of the rows, found without a label; ROC-AUC and average precision: "
        + ", ".join(
            f"{name.replace('_', ' ')} {each['roc_auc']:.3f} and {each['average_precision']:.3f}"
            for name, each in compared.items()
        )
    ]
    if p.held_out:
        parts.append(f"On who is {data.classes[1]} the map's score has ROC-AUC {metrics['class_roc_auc']:.3f}")
    if p.white:
        called = predictions["suspicious"].to_numpy()
        units = predictions.loc[called, ["map_row", "map_column"]].drop_duplicates()
        word = "no better" if interval[0] <= 0.5 else "better"
        parts.append(
            f"By the book's rule {called.sum()} of {len(data):,} rows are frauds, those on {len(units)} white units of"
            f" {model.grid.units}; {data.classes[1]} are {(data.target[called] == 1).sum()} of them. What it finds is"
            f" {word} than chance: ROC-AUC {interval[0]:.3f} to {interval[1]:.3f}"
        )
    return ". ".join(parts) + "."
