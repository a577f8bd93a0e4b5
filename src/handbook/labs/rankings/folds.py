"""Every algorithm on the same folds: ten times five, the rows shuffled again each time (Bouckaert and Frank 2004)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data.studies import Keyed, digest
from handbook.labs.rankings import algorithms

if TYPE_CHECKING:
    from handbook.data.tables import Table

ROUNDS, FOLDS = 10, 5
Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Given(Keyed):
    """A dataset's name and rows."""

    name: str
    table: Table

    @classmethod
    def of(cls, name: str, table: Table) -> Given:
        return cls(f"{name} {digest(table)}", name, table)


@dataclass(frozen=True)
class Results:
    """Scores of every algorithm on every fold, greater is better: (algorithms, rounds * folds), round after round."""

    dataset: str
    metric: str
    names: tuple[str, ...]
    scores: Array
    ratio: float  # rows of a fold's test part over those of its training part

    @property
    def title(self) -> str:
        """The dataset and its metric, as people write them."""
        return f"{self.dataset.capitalize()}, {self.metric}"


@cache
def measured(given: Given, rounds: int = ROUNDS) -> tuple[Results, ...]:
    """Results of a dataset by each metric: R² of values; of classes ROC-AUC, one against the rest, and Brier score."""
    from threadpoolctl import threadpool_limits

    table = given.table
    estimators = algorithms.classifiers() if table.classes else algorithms.regressors()
    with threadpool_limits(1):
        found = np.array([_fold(table, estimators, *part) for part in parts(table, rounds)])  # (folds, A, metrics)
    metrics = ("ROC-AUC", "negative Brier score") if table.classes else ("R²",)
    return tuple(
        Results(given.name, metric, tuple(estimators), found[:, :, k].T, 1 / (FOLDS - 1))
        for k, metric in enumerate(metrics)
    )


def parts(table: Table, rounds: int) -> list[tuple[Array, Array]]:
    """Training and test rows of every fold; each class has the same share in all of them."""
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

    kind = RepeatedStratifiedKFold if table.classes else RepeatedKFold
    return list(kind(n_splits=FOLDS, n_repeats=rounds, random_state=0).split(table.features, table.target))


def _fold(table: Table, estimators: dict[str, Any], train: Array, test: Array) -> list[tuple[float, ...]]:
    """The metrics of every algorithm on one fold; attributes, and a target of values, are scaled by its training part.

    Each learns from a copy of its own, so that no fit depends on who came before.
    """
    from sklearn.base import clone

    from handbook.data.schema import encoder

    encode = encoder(table.features).fit(table.features.iloc[train])
    x, new = (encode.transform(table.features.iloc[rows]) for rows in (train, test))
    y, judge = table.target, _of_classes if table.classes else _of_values
    if not table.classes:
        y = (y - y[train].mean()) / y[train].std()
    return [judge(clone(each).fit(x, y[train]), new, y[test]) for each in estimators.values()]


def _of_values(model: Any, x: Array, target: Array) -> tuple[float, ...]:
    from sklearn.metrics import r2_score

    return (float(r2_score(target, model.predict(x))),)


def _of_classes(model: Any, x: Array, labels: Array) -> tuple[float, ...]:
    """ROC-AUC, mean over one class against the rest; and the squared error of probabilities, with its sign changed."""
    from sklearn.metrics import roc_auc_score

    probabilities = model.predict_proba(x)
    one_hot = np.eye(probabilities.shape[1])[labels]
    return float(roc_auc_score(one_hot, probabilities)), -float(np.square(probabilities - one_hot).sum(axis=1).mean())
