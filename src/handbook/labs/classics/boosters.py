"""XGBoost and LightGBM beside scikit-learn's boosting and ours, on the same rows and folds (sections 2.12, 2.16).

All are given a hundred trees of depth 3 at the rate 0.1, the book's settings, and one thread. What is left differs:

    ours, scikit-learn     every threshold is tried; a leaf takes Newton's step
    histogram, LightGBM    columns are cut into at most 255 bins; LightGBM wants 20 rows a leaf
    XGBoost                bins too; the step is held back by λ = 1 on its square (Chen and Guestrin 2016)
    as they come           XGBoost: depth 6, rate 0.3; LightGBM: 31 leaves (Ke et al. 2017)

ROC-AUC, five stratified folds. Since the folds are the same for all, it is the differences from scikit-learn's that
have the interval: Student's over folds, widened because training folds overlap (Nadeau and Bengio 2003).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from handbook.evaluation.metrics import fold_interval
from handbook.labs.classics import boosting, logistic
from handbook.labs.classics.calls import Calls
from handbook.labs.classics.tree import Array, Labels

FOLDS, ROUNDS, RATE, DEPTH = 5, 100, 0.1, 3
MEASURED_BY = "scikit-learn"  # whom the differences are taken from
Fit = Callable[[Array, Labels], Callable[[Array], Array]]  # rows and answers -> scores of new rows


def ours(x: Array, y: Labels) -> Callable[[Array], Array]:
    """The page `boosting`."""
    return boosting.fit(x, y.astype(float), boosting.LOG_LOSS, rounds=ROUNDS, rate=RATE, depth=DEPTH).score


def _library(model: Any) -> Fit:
    def fit(x: Array, y: Labels) -> Callable[[Array], Array]:
        fitted = model().fit(x, y)
        return lambda new: np.asarray(fitted.predict_proba(new)[:, 1])

    return fit


def contestants() -> dict[str, Fit]:
    """All that take part, by name."""
    from lightgbm import LGBMClassifier
    from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
    from xgboost import XGBClassifier

    same: dict[str, Any] = {"n_estimators": ROUNDS, "learning_rate": RATE, "max_depth": DEPTH}
    light: dict[str, Any] = {
        "n_jobs": 1,
        "verbose": -1,
        "random_state": 0,
        "deterministic": True,
        "force_row_wise": True,
    }
    extreme: dict[str, Any] = {"n_jobs": 1, "random_state": 0}
    return {
        "ours": ours,
        MEASURED_BY: _library(lambda: GradientBoostingClassifier(**same, random_state=0)),
        "scikit-learn, histogram": _library(
            lambda: HistGradientBoostingClassifier(
                max_iter=ROUNDS, learning_rate=RATE, max_depth=DEPTH, early_stopping=False, random_state=0
            )
        ),
        "XGBoost": _library(lambda: XGBClassifier(**same, **extreme)),
        "LightGBM": _library(lambda: LGBMClassifier(**same, **light)),
        "XGBoost, as it comes": _library(lambda: XGBClassifier(**extreme)),
        "LightGBM, as it comes": _library(lambda: LGBMClassifier(**light)),
    }


@dataclass(frozen=True)
class Scores:
    """ROC-AUC of every fold, (FOLDS,)."""

    folds: Array

    @property
    def mean(self) -> float:
        return float(self.folds.mean())

    def interval(self) -> tuple[float, float]:
        """95 %, of the mean, by what folds share."""
        return fold_interval(self.folds.tolist())

    def less(self, other: Scores) -> Scores:
        """The differences, fold by fold."""
        return Scores(self.folds - other.folds)


@cache
def race(calls: Calls) -> dict[str, Scores]:
    """Everybody on the same folds, and logistic regression as the plain line that they must beat."""
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold
    from threadpoolctl import threadpool_limits

    parts = list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(calls.x, calls.y))
    found: dict[str, list[float]] = {}
    with threadpool_limits(1):
        for train, test in parts:
            line = logistic.fit(calls.z[train], calls.y[train].astype(float)).probabilities(calls.z[test])
            scores = {"logistic regression": line}
            for name, fit in contestants().items():
                scores[name] = fit(calls.x[train], calls.y[train])(calls.x[test])
            for name, each in scores.items():
                found.setdefault(name, []).append(float(roc_auc_score(calls.y[test], each)))
    return {name: Scores(np.array(folds)) for name, folds in found.items()}


def outside(raced: dict[str, Scores]) -> list[str]:
    """Those whose difference from scikit-learn's has an interval without 0."""
    return [
        name
        for name, scores in raced.items()
        if name not in (MEASURED_BY, "logistic regression")
        and not (bounds := scores.less(raced[MEASURED_BY]).interval())[0] <= 0 <= bounds[1]
    ]
