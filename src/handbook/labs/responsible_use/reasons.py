"""What the model goes by: four ways to ask, and how far their answers agree.

    permutation         what of the ROC-AUC is lost when a column is shuffled (Breiman 2001)
    SHAP                what each attribute adds to a client's log-odds, shared fairly (Lundberg et al. 2020)
    partial dependence  the mean answer as one attribute is moved, the others as they are (Friedman 2001)
    LIME                a linear model near a client (`lime`)

Shapley values are exact here: the log-odds of a row, less their mean over background rows, split among the attributes
so that the parts add up to it. What `handbook predict --why` gives beside an answer are the same values of any page's
model, of the probability, from drawn orders of the attributes; these are of trees, in log-odds, from every order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from handbook.labs.responsible_use import lime
from handbook.labs.responsible_use.caller import SEED, Caller, Floats

if TYPE_CHECKING:
    from handbook.data.studies import Study

BACKGROUND, EXPLAINED, LOCAL, PERMUTED, MOVED = 100, 300, 60, 3000, 500  # rows for each way, of those there are
REPEATS, STEPS = 5, 25
WAYS = ("permutation", "SHAP", "partial dependence", "LIME")


@dataclass(frozen=True)
class Shapley:
    """What each of A attributes adds to the log-odds of N clients, (N, A), and what it is added to."""

    parts: Floats
    base: float  # mean log-odds of the background rows


def shapley(caller: Caller, rows: Floats, background: Floats) -> Shapley:
    """Exact Shapley values of rows (N, A), the attributes that are not known taken from background rows (B, A)."""
    import shap

    explainer = shap.TreeExplainer(caller.estimator, data=background, feature_perturbation="interventional")
    return Shapley(np.asarray(explainer.shap_values(rows), dtype=np.float64), float(explainer.expected_value))


@dataclass(frozen=True)
class Curve:
    """Partial dependence on one attribute: the mean probability of N rows as it takes each value."""

    values: Floats
    answers: Floats


def partial(caller: Caller, rows: Floats, column: int) -> Curve:
    """By at most `STEPS` quantiles of a number, all words of an attribute of words."""
    from sklearn.inspection import partial_dependence

    name = caller.numbers.names[column]
    known = rows[:, column]
    if caller.numbers.words[name] is None:
        values = np.unique(np.quantile(known, np.linspace(0.005, 0.995, STEPS)).round())
    else:
        values = np.arange(float(len(caller.numbers.words[name] or ())))
    found = partial_dependence(
        caller.estimator, rows, [column], method="brute", kind="average", response_method="predict_proba",
        custom_values={column: values},
    )  # fmt: skip
    return Curve(values, np.asarray(found["average"][0], dtype=np.float64))


@dataclass(frozen=True)
class Reasons:
    """All four ways on the test rows of a study."""

    names: list[str]
    overall: dict[str, Floats]  # each way's importance of each attribute, (A,)
    spread: Floats  # (A,): deviation of the permutation's over its repeats
    curves: list[Curve]
    rows: Floats  # (N, A): those that SHAP explains; LIME the first `LOCAL` of them
    shap: Shapley
    other: Shapley  # of the first rows, by another background
    lime: Floats  # (LOCAL, A) effects
    again: Floats  # the same by other draws
    r2: Floats  # (LOCAL,): how well LIME's linear model fits near each


def reasons(study: Study, caller: Caller) -> Reasons:
    """Ask in all four ways; which rows are taken follows from a seed."""
    rng = np.random.default_rng(SEED)
    test, train = caller.numbers(study.test.features), caller.numbers(study.development.features)
    order = rng.permutation(len(test))
    explained, backgrounds = test[order[:EXPLAINED]], rng.permutation(train)[: 2 * BACKGROUND]
    shap_values = shapley(caller, explained, backgrounds[:BACKGROUND])
    other = shapley(caller, explained[:LOCAL], backgrounds[BACKGROUND:])
    near = lime.Surroundings(train, np.array([words is not None for words in caller.numbers.words.values()]))
    local, again = (
        [
            lime.explain(caller.margins, row, near, np.random.default_rng([seed, k]))
            for k, row in enumerate(explained[:LOCAL])
        ]
        for seed in (1, 2)
    )
    lost, spread = permutation(caller, test[order[:PERMUTED]], study.test.target[order[:PERMUTED]])
    curves = [partial(caller, test[order[:MOVED]], k) for k in range(test.shape[1])]
    effects = np.stack([each.effects for each in local])
    overall = {
        "permutation": lost,
        "SHAP": np.abs(shap_values.parts).mean(axis=0),
        "partial dependence": np.array([swing(curve, test[:, k]) for k, curve in enumerate(curves)]),
        "LIME": np.abs(effects).mean(axis=0),
    }
    return Reasons(
        caller.numbers.names, overall, spread, curves, explained, shap_values, other, effects,
        np.stack([each.effects for each in again]), np.array([each.r2 for each in local]),
    )  # fmt: skip


def permutation(caller: Caller, rows: Floats, target: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """What of the ROC-AUC each column (A,) is worth, mean and deviation over the repeats."""
    from sklearn.inspection import permutation_importance

    found = permutation_importance(
        caller.estimator, rows, target, scoring="roc_auc", n_repeats=REPEATS, random_state=SEED
    )
    return found.importances_mean, found.importances_std


def swing(curve: Curve, known: Floats) -> float:
    """How far a curve moves: its deviation over the values (N,) that there are (after Greenwell et al. 2018)."""
    return float(np.interp(known, curve.values, curve.answers).std())


def agreement(one: Floats, two: Floats) -> float:
    """Spearman's rank correlation of two ways' importances (A,)."""
    from scipy.stats import spearmanr

    return float(spearmanr(one, two).statistic)


def row_agreement(one: Floats, two: Floats) -> Floats:
    """The same for each client (N,), of what two ways say that each attribute adds (N, A): by size and sign."""
    return np.array([agreement(a, b) for a, b in zip(one, two, strict=True)])


def top_shared(one: Floats, two: Floats, first: int = 3) -> Floats:
    """For each client (N,), how many of the `first` greatest reasons (N, A) two ways share, 0-1."""
    a, b = (np.argsort(-np.abs(each), axis=1, kind="stable")[:, :first] for each in (one, two))
    return np.asarray((a[:, :, None] == b[:, None]).any(axis=2).mean(axis=1))
