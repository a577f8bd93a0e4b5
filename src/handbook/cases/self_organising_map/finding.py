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
    if not params.held_out:
        return test.features, test.target
    return with_forged(test.features, np.random.default_rng(params.seed))


def with_forged(
    genuine: pd.DataFrame, rng: np.random.Generator, copies: int = 1
) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Genuine rows, then forged ones, so many for each: every attribute shuffled by itself; which are forged."""
    import pandas as pd

    n = len(genuine)
    forged = [
        pd.DataFrame({name: column.to_numpy()[rng.permutation(n)] for name, column in genuine.items()})
        for _ in range(copies)
    ]
    rows = pd.concat([genuine, *(each.astype(genuine.dtypes) for each in forged)], ignore_index=True)
    return rows, np.repeat([0, 1], [n, copies * n]).astype(np.int64)


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
        parts.append(distance_to_ceiling(metrics))
    if "on_training_rows" in metrics:
        parts.append(blindly_chosen(metrics["on_training_rows"]))
    if "other_half" in metrics:
        parts.append(kept_lead(metrics["other_half"]))
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


def distance_to_ceiling(metrics: dict[str, Any]) -> str:
    """Who of those that see no label leads, and what a forest reaches that was shown forged rows."""
    areas = metrics["ceiling"]["roc_auc"]
    shown, *others = sorted(areas, key=lambda name: (name not in metrics["algorithms"], areas[name][0]), reverse=True)
    value, low, high = areas[shown]
    return (
        f"{others[0].replace('_', ' ').capitalize()} leads without labels; a {shown}, copies of training rows, finds "
        f"the others with ROC-AUC {value:.3f} ({low:.3f} to {high:.3f}): so much is there to be found"
    )


def blindly_chosen(areas: dict[str, list[float]]) -> str:
    """What folds of the training rows say of the two scores that a map has."""
    difference, low, high = areas["difference"]
    word = "better" if low > 0 else "worse" if high < 0 else "neither better nor worse"
    return (
        f"On folds of the training rows the distance to the nearest unit is {word} than the mean distance to units of "
        f"a tenth of the rows: ROC-AUC {areas['distance'][0]:.3f} and {areas['units of a tenth'][0]:.3f}, "
        f"difference {difference:.3f} ({low:.3f} to {high:.3f})"
    )


def kept_lead(half: dict[str, Any]) -> str:
    """What is left of the map's lead on outliers that chose nothing."""
    said = []
    for metric, name in (("roc_auc", "ROC-AUC"), ("average_precision", "average precision")):
        each = half[metric]
        difference, low, high = each["difference"]
        word = "ahead of" if low > 0 else "behind" if high < 0 else "level with"
        said.append(
            f"{word} the {half['rival'].replace('_', ' ')} by {name}, {each['map'][0]:.3f} to "
            f"{each[half['rival']][0]:.3f}, difference {difference:.3f} ({low:.3f} to {high:.3f})"
        )
    return f"Chosen on half of them ({half['chosen']}), the map is on the other {half['outliers']} " + " and ".join(
        said
    )
