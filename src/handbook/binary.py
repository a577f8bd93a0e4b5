"""Two classes of rows: how their attributes become numbers, which rows are for what, and how a model is judged.

What the pages of chapter 7 share, so that they differ in nothing but the model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.evaluation import Report, binary, calibration_of_chances, gains, prevalence, threshold_by_cost
from handbook.tables import Table, categories, split

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[Any]
Columns = dict[str, dict[str, Any]]
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LANDMARKS = 200  # quantiles that a number's scale is bent to
DATE = "day_of_year"


@dataclass(frozen=True)
class Task:
    """The part of a page's Params that says what is told from what, and what a mistake costs."""

    seed: int  # of the model, and of the rows that are chosen by
    split_seed: int  # of the test rows; the book's is 4
    test_share: float  # the book's is 0.33
    validation_share: float  # of the other rows, to choose threshold and length of training by
    leave_out: tuple[str, ...]  # columns that are not told
    threshold: float | None  # from which chance on to call; null: where mistakes cost least on the validation rows
    false_negative: float  # cost of a buyer who is not called
    false_positive: float  # cost of a call in vain

    def __post_init__(self) -> None:
        if not 0 < self.test_share < 1 or not 0 <= self.validation_share < 1:
            raise ValueError(f"shares must be in (0, 1), found {self.test_share} and {self.validation_share}")
        if self.threshold is None and not self.validation_share:
            raise ValueError("threshold: null is chosen on validation rows, and validation_share is 0")
        if min(self.false_negative, self.false_positive) <= 0:
            raise ValueError(f"costs must be above 0, found {self.false_negative} and {self.false_positive}")


@dataclass(frozen=True)
class Parts:
    """Rows to learn from, to choose by, and to be judged by; a row is in one of them only."""

    learn: Table
    choose: Table | None
    test: Table


def parts(data: Table, task: Task) -> Parts:
    """The test rows by the book's split, which is not stratified; what is chosen by comes out of the others."""
    rest, test = split(without(data, task.leave_out), task.test_share, task.split_seed, stratify=False)
    if not task.validation_share:
        return Parts(rest, None, test)
    learn, choose = split(rest, task.validation_share, task.seed)
    return Parts(learn, choose, test)


def without(data: Table, columns: tuple[str, ...]) -> Table:
    """The table without these columns; ValueError if there is no such column."""
    strange = [name for name in columns if name not in data.features]
    if strange:
        raise ValueError(f"leave_out: no column {strange[0]!r}; the columns are {', '.join(data.features)}")
    return Table(data.features.drop(columns=list(columns)), data.target, data.classes)


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


def codes(features: pd.DataFrame) -> Columns:
    """For `encoded`, as section 7.3 has it: a word is its place in the alphabet, and all is standardised."""
    columns: Columns = {}
    for name, words in categories(features).items():
        number = _places(features[name], words) if words is not None else features[name].to_numpy(dtype=np.float64)
        at = np.array([number.min(), number.max()])
        score = (at - number.mean()) / (number.std() or 1.0)
        columns[name] = {"at": at.tolist(), "score": score.tolist()} | ({"alphabet": words} if words else {})
    return columns


def _places(column: pd.Series, words: list[str]) -> Array:
    """Each word's place among the words, NaN for one that is not among them."""
    return np.asarray(column.map({word: float(k) for k, word in enumerate(words)}), dtype=np.float64)


def encoded(rows: pd.DataFrame, columns: Columns) -> npt.NDArray[np.float64]:
    """Rows (N, attributes) as numbers (N, D); an unknown word counts as none, or as the middle of its alphabet.

    Columns come in the order of their names, since JSON, which the encoding is kept as, is written with sorted keys.
    """
    made = []
    for name, how in sorted(columns.items()):
        if "words" in how:
            places = _places(rows[name], how["words"])
            made.append(how["weight"] * (places[:, None] == np.arange(len(how["words"]))))
        else:
            number = (
                _places(rows[name], how["alphabet"]) if "alphabet" in how else rows[name].to_numpy(dtype=np.float64)
            )
            made.append(np.nan_to_num(np.interp(number, how["at"], how["score"]))[:, None])
    return np.concatenate(made, axis=1, dtype=np.float64)


def numbered(rows: pd.DataFrame, words: dict[str, list[str] | None]) -> npt.NDArray[np.float64]:
    """Rows as trees take them, (N, attributes), by name: a word is its number, NaN where it is unknown."""
    made = [_places(rows[name], known) if known is not None else rows[name] for name, known in sorted(words.items())]
    return np.column_stack(made).astype(np.float64)


def threshold(task: Task, part: Parts, chances: Callable[[pd.DataFrame], Array]) -> float:
    """From which chance on to call: as given, or where mistakes cost least on rows that were not learnt from."""
    if task.threshold is not None or part.choose is None:
        return 0.5 if task.threshold is None else task.threshold
    scores = chances(part.choose.features)
    return threshold_by_cost(part.choose.target, scores, task.false_negative, task.false_positive)


def verdicts(chances: Array, threshold: float, classes: list[str]) -> pd.DataFrame:
    """What a user is told of each row: label, its name, and the chance of the second class, 0-1."""
    import pandas as pd

    label = (chances >= threshold).astype(np.int64)
    return pd.DataFrame({"label": label, "name": np.asarray(classes)[label], "probability": chances})


def judge(model: Any, scores: Array, part: Parts, finding: str = "") -> Report:
    """The report of a case with two classes; `scores` (N,) of the test rows, cut to 0-1 where chances are meant."""
    labels, chances = part.test.target, np.clip(scores, 0, 1)
    rng = np.random.default_rng(model.params.seed)
    metrics, interval = binary(labels, chances, rng, model.facts["threshold"])
    called = chances >= metrics["threshold"]
    metrics["cost_per_row"] = _cost(labels, called, model.params)
    base = prevalence(labels, part.learn.target)
    base["cost_per_row"] = min(_cost(labels, np.full(len(labels), each), model.params) for each in (False, True))
    names = part.test.classes
    return Report(
        metrics=metrics,
        baseline=base,
        interval=interval,
        figures=pictures(model, labels, chances, metrics, names),
        tables={
            "confusion": [
                {"actual": names[a], "predicted": names[p]} for a, p in zip(labels, called.astype(int), strict=True)
            ],
            "gain": _gain_rows(labels, chances),
        },
        finding=finding or told(metrics, base, called, model.params),
    )


def _cost(labels: Array, called: Array, task: Task) -> float:
    """What the mistakes cost, a row."""
    missed, in_vain = ((labels == 1) & ~called).mean(), ((labels == 0) & called).mean()
    return float(task.false_negative * missed + task.false_positive * in_vain)


def told(metrics: dict[str, Any], base: dict[str, float], called: Array, task: Task) -> str:
    """What the threshold means for those who call."""
    return (
        f"Where a customer who is missed costs as much as {task.false_negative / task.false_positive:g} calls in vain, "
        f"calling {called.mean():.1%} of the clients finds {metrics['recall']:.1%} of the buyers and costs "
        f"{metrics['cost_per_row']:.3f} a client; calling nobody, or all, costs {base['cost_per_row']:.3f} at best."
    )


def _gain_rows(labels: Array, scores: Array) -> list[dict[str, Any]]:
    """Gain and lift at every twentieth of the rows."""
    called, found = gains(labels, scores)
    shares = np.linspace(0.05, 1, 20)
    at = np.interp(shares, called, found)
    return [
        {"share_called": round(s, 2), "share_found": round(f, 4), "lift": round(f / s, 3)}
        for s, f in zip(shares.tolist(), at.tolist(), strict=True)
    ]


def pictures(
    model: Any, labels: Array, chances: Array, metrics: dict[str, Any], names: tuple[str, ...]
) -> dict[str, Any]:
    """Curves, gain and lift, calibration, confusion and history, each with its finding as title."""
    from sklearn.metrics import confusion_matrix

    from handbook import figures as draw

    called, found = gains(labels, chances)
    share, chance, count = calibration_of_chances(labels, chances)
    matrix = confusion_matrix(labels, chances >= metrics["threshold"], labels=[0, 1])
    tenth = float(np.interp(0.1, called, found))
    last = model.history_[-1]
    return {
        "curves": draw.curves(
            labels, {"model": chances}, f"ROC-AUC {metrics['roc_auc']:.3f}, area {metrics['average_precision']:.3f} "
            f"under precision and recall",
        ),
        "gain": draw.gain(called, found, f"The first tenth of the calls finds {tenth:.0%} of the buyers"),
        "reliability": draw.reliability_of_chances(
            share, chance, count, f"Chances are off by {metrics['expected_calibration_error']:.3f} on average"
        ),
        "confusion": draw.confusion(
            matrix, names, f"{matrix[1, 1]:,} of {matrix[1].sum():,} buyers found with {matrix[:, 1].sum():,} calls"
        ),
        "learning_curves": draw.learning_curves(
            model.history_, f"Training loss {last['train_loss']:.3f} after {len(model.history_)} rounds", "loss"
        ),
    }  # fmt: skip
