"""Attributes of rows as numbers, learned from the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data.schema import categories

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[Any]
Columns = dict[str, dict[str, Any]]
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LANDMARKS = 200  # quantiles that a number's scale is bent to
STRAIGHT = 1000.0  # deviations each way that a standardised number's scale runs on, beyond the rows that it is from
DATE = "day_of_year"


def dated(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the day of the year beside day and month, where they have both; a month is 30.5 days here."""
    if not {"day", "month"} <= set(rows):
        return rows
    month = rows["month"].map({name: float(k) for k, name in enumerate(MONTHS)})
    return rows.assign(**{DATE: month.fillna((len(MONTHS) - 1) / 2) * 30.5 + rows["day"]})


def scales(features: pd.DataFrame, weights: dict[str, float], word_weight: float = 1.0) -> Columns:
    """For `encoded`: numbers bent to a normal curve by their quantiles, times their weight; words one-hot."""
    columns: Columns = {}
    for name, words in categories(features).items():
        if words is None:
            columns[name] = _bent(features[name].to_numpy(dtype=np.float64), weights.get(name, 1.0))
        else:
            columns[name] = {"words": words, "weight": word_weight}
    return columns


def _bent(values: Array, weight: float) -> dict[str, Any]:
    """Values and the normal scores of their mean ranks, deviation `weight`; a constant column gets 0."""
    from scipy.stats import norm

    ordered = np.sort(values)
    at = np.unique(np.quantile(ordered, np.linspace(0, 1, LANDMARKS + 1), method="nearest"))
    rank = (np.searchsorted(ordered, at, "left") + np.searchsorted(ordered, at, "right")) / 2 / len(ordered)
    score = np.asarray(norm.ppf(np.clip(rank, 0.001, 0.999)))
    spread = np.interp(values, at, score)
    score = weight * (score - spread.mean()) / (spread.std() or 1.0)
    return {"at": at.tolist(), "score": score.tolist()}


def codes(features: pd.DataFrame, words: Mapping[str, list[str] | None]) -> Columns:
    """For `encoded`, as section 7.3 has it: a word is its place in its alphabet, and these rows standardise.

    `words` are each column's, None for numbers (`schema.categories`), of all rows there are: the book codes before it
    splits, and scales after.
    """
    columns: Columns = {}
    for name, known in words.items():
        number = _places(features[name], known) if known is not None else features[name].to_numpy(dtype=np.float64)
        ends = np.array([-STRAIGHT, STRAIGHT])
        at = number.mean() + ends * (number.std() or 1.0)
        columns[name] = {"at": at.tolist(), "score": ends.tolist()} | ({"alphabet": known} if known else {})
    return columns


def _places(column: pd.Series, words: list[str]) -> Array:
    """Each word's place among the words, NaN for one that is not among them."""
    return np.asarray(column.map({word: float(k) for k, word in enumerate(words)}), dtype=np.float64)


def encoded(rows: pd.DataFrame, columns: Columns) -> npt.NDArray[np.float64]:
    """Rows (N, attributes) as numbers (N, D); an unknown word counts as none, or as the middle of its alphabet.

    Columns come in the order of their names, since JSON, which the encoding is kept as, is written with sorted keys.
    """
    blocks = []
    for name, how in sorted(columns.items()):
        if "words" in how:
            places = _places(rows[name], how["words"])
            blocks.append(how["weight"] * (places[:, None] == np.arange(len(how["words"]))))
        else:
            number = (
                _places(rows[name], how["alphabet"]) if "alphabet" in how else rows[name].to_numpy(dtype=np.float64)
            )
            blocks.append(np.nan_to_num(np.interp(number, how["at"], how["score"]))[:, None])
    return np.concatenate(blocks, axis=1, dtype=np.float64)


def numbered(rows: pd.DataFrame, words: dict[str, list[str] | None]) -> npt.NDArray[np.float64]:
    """Rows as trees take them, (N, attributes), by name: a word is its number, NaN where it is unknown."""
    blocks = [_places(rows[name], known) if known is not None else rows[name] for name, known in sorted(words.items())]
    return np.column_stack(blocks).astype(np.float64)
