"""Gradient boosting of trees over binned values (Friedman 2001; Ke et al. 2017): what tables must be measured against.

Each tree of a sum is fitted to the gradient of the loss of the sum so far, and added at a small rate:

    F_m(x) = F_(m-1)(x) + rate * tree_m(x)

Values are sorted into 255 bins once, so that a split is sought among bins and not among rows; a word is a category, and
a split parts the categories into two sets. Rounds end when the loss on the validation rows no longer falls.

The book sets an MLP alone beside its RBF network (section 7.3), in one sentence, and reports 88 % for both, which is
the share of the clients who said no. This page is the strong baseline of that race, with and without `duration`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.contract import Split
from handbook.data import partition
from handbook.data.schema import categories, check_rows
from handbook.data.tables import Table
from handbook.evaluation import two_classes
from handbook.evaluation.report import Report
from handbook.training import encodings
from handbook.training.models import Fitted, effort

if TYPE_CHECKING:
    import pandas as pd

PRIMARY = "roc_auc"
# Reviewed: trees are arrays of nodes; the function that checks categories, and what binds its arguments. A `partial` of
# any other function would have to be listed here as well, by that function's name.
TRUSTED = (
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)


@dataclass(frozen=True)
class Params(partition.Task):
    learning_rate: float
    max_iter: int  # rounds at most
    max_leaf_nodes: int
    min_samples_leaf: int
    l2_regularization: float
    max_features: float  # share of the attributes that each split is sought among
    n_iter_no_change: int  # rounds without a lower validation loss, after which it ends

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.validation_share:
            raise ValueError("validation_share must be above 0, found 0: validation rows decide when boosting stops")
        if self.learning_rate <= 0 or min(self.max_iter, self.n_iter_no_change) < 1:
            raise ValueError(f"learning_rate must be above 0 and max_iter 1 or more, found {self.learning_rate}")


def split(data: Table, params: Params) -> Split[Table]:
    """The book's test rows; a share of the others is there to choose the threshold by."""
    return partition.rows(data, params)


def fit(split: Split[Table], params: Params, run: Any = None) -> Fitted:
    """Boost on the training rows but the validation rows, which end it and choose the threshold."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    p = params
    words = categories(encodings.dated(split.train.features))
    estimator = HistGradientBoostingClassifier(
        learning_rate=p.learning_rate, max_iter=p.max_iter, max_leaf_nodes=p.max_leaf_nodes,
        min_samples_leaf=p.min_samples_leaf, l2_regularization=p.l2_regularization, max_features=p.max_features,
        n_iter_no_change=p.n_iter_no_change, early_stopping=True, random_state=p.seed,
        categorical_features=[known is not None for _, known in sorted(words.items())],
    )  # fmt: skip
    facts: dict[str, Any] = {
        "words": words,
        "columns": categories(split.train.features),
        "classes": list(split.train.classes),
    }
    model = Fitted(estimator, params, facts)
    assert split.valid is not None  # Params see to that
    rows, held_out = _numbers(model, split.train.features), _numbers(model, split.valid.features)
    started = time.perf_counter()
    estimator.fit(rows, split.train.target, X_val=held_out, y_val=split.valid.target)
    model.training_ = effort(time.perf_counter() - started, len(split.train), estimator.n_iter_)
    model.history_ = _history(estimator)
    facts["threshold"] = two_classes.threshold(p, split.valid, lambda each: probabilities(model, each))
    return model


def _numbers(model: Fitted, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    return encodings.numbered(encodings.dated(rows), model.facts["words"])


def _history(estimator: Any) -> list[dict[str, float]]:
    """A row a round, from before the first tree on; what the estimator keeps are losses with the other sign."""
    kept = {"train_loss": estimator.train_score_, "valid_loss": estimator.validation_score_}
    return [
        {"epoch": float(k)} | {name: -float(scores[k]) for name, scores in kept.items()}
        for k in range(estimator.n_iter_ + 1)
    ]


def probabilities(model: Fitted, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """The probability (N,) that each row is of the second class, 0-1."""
    return np.asarray(model.estimator.predict_proba(_numbers(model, rows))[:, 1])


def predict(model: Fitted, inputs: pd.DataFrame) -> pd.DataFrame:
    """For each row: label, its name, and the probability of the second class. ValueError if a row is none of these."""
    rows = check_rows(inputs, model.facts["columns"])
    return two_classes.predictions(probabilities(model, rows), model.facts["threshold"], model.facts["classes"])


def example(split: Split[Table]) -> pd.DataFrame:
    """A few rows as a user would send them."""
    return split.test.features.head(4)


def evaluate(model: Fitted, split: Split[Table]) -> Report:
    """Judge on the test rows."""
    return two_classes.judge(model, probabilities(model, split.test.features), split)
