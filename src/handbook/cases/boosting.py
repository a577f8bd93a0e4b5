"""Gradient boosting of trees over binned values (Friedman 2001; Ke et al. 2017): what tables must be measured against.

Each tree of a sum is fitted to the gradient of the loss of the sum so far, and added at a small rate:

    F_m(x) = F_(m-1)(x) + rate * tree_m(x)

Values are sorted into 255 bins once, so that a split is sought among bins and not among rows; a word is a category, and
a split parts the categories into two sets.

The rows that may be learnt from are cut into folds, and each fold is held out by one member: its rounds end when the
loss there no longer falls. So every row is learnt from, by all members but one, and none decides about itself; the
members' probabilities are averaged (Breiman 1996; Parmanto, Munro and Doyle 1996), and the threshold is chosen by what
each row was given by the member that had not seen it.

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
    n_iter_no_change: int  # rounds without a lower loss on the held-out fold, after which it ends
    members: int  # folds, and models that are averaged

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.members < 2:
            raise ValueError(f"members must be 2 or more, found {self.members}: each learns from the others' folds")
        if self.learning_rate <= 0 or min(self.max_iter, self.n_iter_no_change) < 1:
            raise ValueError(f"learning_rate must be above 0 and max_iter 1 or more, found {self.learning_rate}")


def split(data: Table, params: Params) -> Split[Table]:
    """The book's test rows; all others are cut into folds by `fit`, validation rows too."""
    return partition.rows(data, params)


def fit(split: Split[Table], params: Params, run: Any = None) -> Fitted:
    """Boost once a fold, which ends it; what is said of the held-out rows chooses the threshold."""
    from sklearn.model_selection import StratifiedKFold

    learn = split.development
    words = categories(encodings.dated(learn.features))
    columns, classes = categories(learn.features), list(learn.classes)
    model = Fitted([], params, {"words": words, "columns": columns, "classes": classes})
    rows, target = _numbers(model, learn.features), learn.target
    held_out = np.empty(len(learn))
    started = time.perf_counter()
    folds = StratifiedKFold(params.members, shuffle=True, random_state=params.seed)
    for k, (seen, other) in enumerate(folds.split(rows, target)):
        member = _member(params, [words[name] is not None for name in sorted(words)], params.seed + k)
        member.fit(rows[seen], target[seen], X_val=rows[other], y_val=target[other])
        held_out[other] = member.predict_proba(rows[other])[:, 1]
        model.estimator.append(member)
    rounds = sum(each.n_iter_ for each in model.estimator)
    model.training_ = effort(time.perf_counter() - started, len(learn), rounds)
    model.history_ = _history(model.estimator)
    model.facts["threshold"] = two_classes.threshold(params, learn, lambda _: held_out)
    return model


def _member(params: Params, is_word: list[bool], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    p = params
    return HistGradientBoostingClassifier(
        learning_rate=p.learning_rate, max_iter=p.max_iter, max_leaf_nodes=p.max_leaf_nodes,
        min_samples_leaf=p.min_samples_leaf, l2_regularization=p.l2_regularization, max_features=p.max_features,
        n_iter_no_change=p.n_iter_no_change, early_stopping=True, random_state=seed, categorical_features=is_word,
    )  # fmt: skip


def _numbers(model: Fitted, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    return encodings.numbered(encodings.dated(rows), model.facts["words"])


def _history(members: list[Any]) -> list[dict[str, float]]:
    """A row a round, from before the first tree on, while all members go on: their mean losses.

    What an estimator keeps are losses with the other sign.
    """
    kept = {"train_loss": "train_score_", "valid_loss": "validation_score_"}
    rounds = min(each.n_iter_ for each in members) + 1
    means = {name: -np.mean([getattr(each, key)[:rounds] for each in members], axis=0) for name, key in kept.items()}
    return [{"epoch": float(k)} | {name: float(mean[k]) for name, mean in means.items()} for k in range(rounds)]


def member_probabilities(model: Fitted, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """What each member holds the probability to be that each row is of the second class, (members, N), 0-1."""
    numbers = _numbers(model, rows)
    return np.stack([each.predict_proba(numbers)[:, 1] for each in model.estimator])


def probabilities(model: Fitted, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """The probability (N,) that each row is of the second class, 0-1: the members' mean."""
    return np.asarray(member_probabilities(model, rows).mean(axis=0))


def predict(model: Fitted, inputs: pd.DataFrame) -> pd.DataFrame:
    """For each row: label, its name, and the probability of the second class. ValueError if a row is none of these."""
    rows = check_rows(inputs, model.facts["columns"])
    return two_classes.predictions(probabilities(model, rows), model.facts["threshold"], model.facts["classes"])


def example(split: Split[Table]) -> pd.DataFrame:
    """A few rows as a user would send them."""
    return split.test.features.head(4)


def evaluate(model: Fitted, split: Split[Table]) -> Report:
    """Judge on the test rows; beside the mean of the members, what one of them is worth, on average."""
    return two_classes.judge_members(model, member_probabilities(model, split.test.features), split)
