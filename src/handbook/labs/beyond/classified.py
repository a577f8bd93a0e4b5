"""Naive Bayes against the tree-augmented network on the bank's rows, all judged by the same test rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from handbook.data.studies import Study
from handbook.evaluation import paired
from handbook.evaluation.metrics import binary_calibration
from handbook.evaluation.trials import share
from handbook.labs.beyond import network
from handbook.labs.beyond.network import UNKNOWN, Network
from handbook.labs.beyond.rows import Array, Levels, bounded, redrawn

if TYPE_CHECKING:
    from handbook.data.tables import Table

NAIVE, TREE, LOGISTIC = "naive Bayes", "tree-augmented", "logistic regression"
DRAWS = 400  # of the test rows, for intervals
SMALL = 6  # attributes of the network on which inference is held against enumeration
QUERIES: tuple[dict[str, str], ...] = (
    {"poutcome": "success"}, {"poutcome": "failure"}, {"job": "student"}, {"job": "retired", "housing": "no"},
    {"contact": "unknown"}, {"housing": "yes", "loan": "yes"},
)  # fmt: skip


@dataclass(frozen=True)
class Query:
    """What a network answers that knows only this of a client, and the share among such clients of the test rows."""

    known: str
    answer: float
    observed: tuple[float, float, float]
    clients: int


@dataclass(frozen=True)
class Found:
    """Probabilities (M,) of the test rows by model, measures over draws of rows, (1 + draws,) each, and queries."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    weights: Array  # of each attribute's edge to its parent, in nats
    answers: Array
    probabilities: dict[str, Array]
    measures: dict[str, dict[str, Array]]  # by measure and model
    queries: tuple[Query, ...]
    gap: float  # between inference on a small tree and enumeration, the greatest

    def gain(self, measure: str, model: str, over: str) -> tuple[float, float, float]:
        """By how much a model's measure exceeds another's on the same rows, with its interval."""
        return paired.estimate(self.measures[measure][model] - self.measures[measure][over])


@cache
def found(study: Study) -> Found:
    """Both networks, and logistic regression on the same levels; computed once for the same rows."""
    rows, test = study.development, study.test
    levels, names = Levels.of(rows.features), [str(name) for name in rows.features]
    sizes = levels.sizes(names)
    x, new = levels(rows.features), levels(test.features)
    weights = network.information(x, rows.target, sizes)
    parents = network.spanning_tree(weights)
    tree = Network.fitted(x, rows.target, sizes, parents)
    naive = Network.fitted(x, rows.target, sizes, (-1,) * len(sizes))
    probabilities = {
        NAIVE: naive.probabilities(new)[:, 1], TREE: tree.probabilities(new)[:, 1],
        LOGISTIC: _logistic(x, rows.target, sizes, new),
    }  # fmt: skip
    edges = np.array([weights[a, parent] if parent >= 0 else 0.0 for a, parent in enumerate(parents)])
    return Found(
        tuple(names), parents, edges, test.target, probabilities, _measured(test.target, probabilities),
        tuple(_queried(tree, each, levels, test) for each in QUERIES),
        _enumerated(x[:, :SMALL], rows.target, sizes[:SMALL]),
    )  # fmt: skip


def one_hot(x: Array, sizes: list[int]) -> Array:
    """Levels (N, A) as ones and zeros, (N, sum of sizes)."""
    return np.concatenate([x[:, [a]] == np.arange(size) for a, size in enumerate(sizes)], axis=1).astype(float)


def _logistic(x: Array, y: Array, sizes: list[int], new: Array) -> Array:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=300, solver="newton-cholesky").fit(one_hot(x, sizes), y)
    return np.asarray(model.predict_proba(one_hot(new, sizes))[:, 1])


def _measured(answers: Array, probabilities: dict[str, Array]) -> dict[str, dict[str, Array]]:
    """ROC-AUC, log-loss and calibration error on the rows and on the same draws of them for every model."""
    drawn = redrawn(len(answers), DRAWS).astype(float)
    losses = {name: -np.log(np.where(answers == 1, p, 1 - p)) for name, p in probabilities.items()}
    return {
        "log-loss": {name: drawn @ each / len(answers) for name, each in losses.items()},
        "ROC-AUC": paired.areas(answers, probabilities, np.random.default_rng(1), DRAWS),
        "calibration error": {name: calibration_errors(answers, p, drawn) for name, p in probabilities.items()},
    }


def calibration_errors(answers: Array, probabilities: Array, drawn: Array, bins: int = 15) -> Array:
    """Expected calibration error (draws,) of rows that count so often, (draws, M), in bins of equal width."""
    place = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = (place[:, None] == np.arange(bins)) * (answers - probabilities)[:, None]
    return np.asarray(np.abs(drawn @ gaps).sum(axis=1) / drawn.sum(axis=1))


def _queried(tree: Network, query: dict[str, str], levels: Levels, test: Table) -> Query:
    names, new = list(test.features), levels(test.features)
    known = np.full(len(names), UNKNOWN)
    for name, word in query.items():
        known[names.index(name)] = levels.words[name].index(word)
    like = ((new == known) | (known == UNKNOWN)).all(axis=1)
    bought = share(int(test.target[like].sum()), max(int(like.sum()), 1))
    return Query(", ".join(map(" ".join, query.items())), float(tree.posterior(known)[1]), bought, int(like.sum()))


def _enumerated(x: Array, y: Array, sizes: list[int]) -> float:
    """The greatest gap between inference on a tree of a few attributes and the sum over all that may be unknown."""
    parents = network.spanning_tree(network.information(x, y, sizes))
    small = Network.fitted(x, y, sizes, parents)
    cells = np.array(list(product(*map(range, sizes))))
    joint = np.exp(small.joint(cells))
    gaps = []
    for row in range(20):
        known = np.where(np.random.default_rng(row).random(len(sizes)) < 0.4, x[row], UNKNOWN)
        summed = joint[((cells == known) | (known == UNKNOWN)).all(axis=1)].sum(axis=0)
        gaps.append(np.abs(small.posterior(known) - summed / summed.sum()).max())
    return float(max(gaps))


def facts(each: Found) -> dict[str, float | bool]:
    """Measures with intervals, differences on the same rows, queries, and that inference is exact."""
    facts: dict[str, float | bool] = {"network: inference equals enumeration to 1e-12": each.gap < 1e-12}
    for measure, models in each.measures.items():
        for name, values in models.items():
            facts |= bounded(f"network, {name}: {measure}", paired.estimate(values))
        for over in (NAIVE, LOGISTIC):
            facts |= bounded(f"network: {measure}, tree-augmented less {over}", each.gain(measure, TREE, over))
    for query in each.queries:
        facts[f"network, query {query.known}: probability of a yes"] = query.answer
        facts[f"network, query {query.known}: share of yes in the test rows"] = query.observed[0]
    return facts


def reliability(each: Found, name: str) -> tuple[Array, Array, Array]:
    """Share of yes, mean probability and rows of each bin of probabilities that holds any."""
    return binary_calibration(each.answers, each.probabilities[name], 10)
