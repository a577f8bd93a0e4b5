"""Two classes of rows: the threshold by cost, and how a model is judged.

What the pages of chapter 7 share, so that they differ in nothing but the model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.contract import Split
from handbook.data.partition import Task
from handbook.data.tables import Table
from handbook.evaluation.metrics import binary, binary_calibration, bootstrap, gains, prevalence, threshold_by_cost
from handbook.evaluation.report import Report

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[Any]


def threshold(task: Task, valid: Table | None, probabilities: Callable[[pd.DataFrame], Array]) -> float:
    """From which chance on to call: as given, or where mistakes cost least on rows that were not learnt from."""
    if task.threshold is not None or valid is None:
        return 0.5 if task.threshold is None else task.threshold
    scores = probabilities(valid.features)
    return threshold_by_cost(valid.target, scores, task.false_negative, task.false_positive)


def predictions(probabilities: Array, threshold: float, classes: list[str]) -> pd.DataFrame:
    """What a user gets for each row: label, its name, and the probability of the second class, 0-1."""
    import pandas as pd

    label = (probabilities >= threshold).astype(np.int64)
    return pd.DataFrame({"label": label, "name": np.asarray(classes)[label], "probability": probabilities})


def judge(model: Any, scores: Array, split: Split[Table], finding: str = "") -> Report:
    """The report of a case with two classes; `scores` (N,) of the test rows, cut to 0-1 as probabilities."""
    labels, probabilities = split.test.target, np.clip(scores, 0, 1)
    rng = np.random.default_rng(model.params.seed)
    metrics, interval = binary(labels, probabilities, rng, model.facts["threshold"])
    called = probabilities >= metrics["threshold"]
    interval["accuracy"] = bootstrap((labels == 1) == called, rng)
    metrics["cost_per_row"] = _cost(labels, called, model.params)
    base = prevalence(labels, split.train.target)
    base["cost_per_row"] = min(_cost(labels, np.full(len(labels), each), model.params) for each in (False, True))
    names = split.test.classes
    return Report(
        metrics=metrics,
        baseline=base,
        interval=interval,
        figures=pictures(model, labels, probabilities, metrics, names),
        tables={
            "confusion": [
                {"actual": names[a], "predicted": names[p]} for a, p in zip(labels, called.astype(int), strict=True)
            ],
            "gain": _gain_rows(labels, probabilities),
        },
        finding=finding or summary(metrics, base, called, model.params),
    )


def judge_members(model: Any, members: Array, split: Split[Table]) -> Report:
    """The report of an ensemble whose members give probabilities (K, N): on their mean, and what one alone is worth."""
    from sklearn.metrics import roc_auc_score

    report = judge(model, members.mean(axis=0), split)
    alone = float(np.mean([roc_auc_score(split.test.target, each) for each in members]))
    sentence = (
        f" The mean of {len(members)} members has a ROC-AUC of {report.metrics['roc_auc']:.4f}, a member alone "
        f"{alone:.4f} on average."
    )
    return replace(report, metrics=report.metrics | {"member_roc_auc": alone}, finding=report.finding + sentence)


def _cost(labels: Array, called: Array, task: Task) -> float:
    """What the mistakes cost, a row."""
    missed, in_vain = ((labels == 1) & ~called).mean(), ((labels == 0) & called).mean()
    return float(task.false_negative * missed + task.false_positive * in_vain)


def summary(metrics: dict[str, Any], base: dict[str, float], called: Array, task: Task) -> str:
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
    model: Any, labels: Array, probabilities: Array, metrics: dict[str, Any], names: tuple[str, ...]
) -> dict[str, Any]:
    """Curves, gain and lift, calibration, confusion and history, each with its finding as title."""
    from sklearn.metrics import confusion_matrix

    from handbook.evaluation import figures as draw

    called, found = gains(labels, probabilities)
    share, chance, count = binary_calibration(labels, probabilities)
    matrix = confusion_matrix(labels, probabilities >= metrics["threshold"], labels=[0, 1])
    tenth = float(np.interp(0.1, called, found))
    last = model.history_[-1]
    return {
        "curves": draw.curves(
            labels, {"model": probabilities}, f"ROC-AUC {metrics['roc_auc']:.3f}, "
            f"area {metrics['average_precision']:.3f} under precision and recall",
        ),
        "gain": draw.gain(called, found, f"The first tenth of the calls finds {tenth:.0%} of the buyers"),
        "reliability": draw.binary_reliability(
            share, chance, count, f"Probabilities are off by {metrics['expected_calibration_error']:.3f} on average"
        ),
        "confusion": draw.confusion(
            matrix, names, f"{matrix[1, 1]:,} of {matrix[1].sum():,} buyers found with {matrix[:, 1].sum():,} calls"
        ),
        "learning_curves": draw.learning_curves(
            model.history_, f"Training loss {last['train_loss']:.3f} after {len(model.history_)} rounds", "loss"
        ),
    }  # fmt: skip
