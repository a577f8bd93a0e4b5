"""Pictures of garments as the nodes of a graph: few have labels, the others are judged (transductive learning).

Graph convolution stands beside others with the same labels: logistic regression, which sees no edge; the same network
without edges; label propagation (Zhu and Ghahramani 2002), which sees nothing else; and logistic regression on inputs
that were mixed twice along the edges, Â² X (Wu et al. 2019), which is graph convolution without its nonlinearity.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from handbook.data.subsets import Subset, plan_for
from handbook.evaluation.metrics import mean_interval
from handbook.labs.beyond import graph
from handbook.labs.beyond.rows import Array, bounded

if TYPE_CHECKING:
    from handbook.data.images import LabelledImages

ALL, PART = (2_000, (1, 5, 20), 8), (300, (1, 5), 3)  # pictures; labels of a class; draws of them
COMPONENTS, NEIGHBOURS, CLASSES = 30, 10, 10
GCN, LOGISTIC, ALONE, FLOW, LINEAR = (
    "graph convolution", "logistic regression", "the network without edges", "label propagation", "mixed, then linear",
)  # fmt: skip


class Nodes(Subset):
    """The first pictures and their labels; a row of pixels shows what a convolution along a line does."""

    @classmethod
    def of(cls, data: LabelledImages) -> Nodes:
        return cls.first(data, plan_for(len(data.train_images), ALL, PART)[0], 1)


@dataclass(frozen=True)
class Judged:
    """Accuracies (numbers of labels, draws) by method on nodes without a label, and what the graph is like."""

    labels: tuple[int, ...]  # of a class
    accuracy: dict[str, Array]
    alike: float  # share of the edges that join two of a class
    edges: int
    nodes: int

    def gain(self, method: str, over: str) -> list[tuple[float, float, float]]:
        """By how much a method is more accurate than another with the same labels, with intervals over draws."""
        return [mean_interval(each) for each in self.accuracy[method] - self.accuracy[over]]


@cache
def judged(nodes: Nodes) -> Judged:
    """All methods with the same labels in each draw; computed once for the same pictures."""
    x, y = inputs(nodes)
    edges = graph.neighbours(x, NEIGHBOURS)
    rarest = int(np.bincount(y, minlength=CLASSES).min())
    _, wished, draws = ALL if len(y) == ALL[0] else PART
    numbers = tuple(n for n in wished if n < rarest)
    accuracy = {name: np.empty((len(numbers), draws)) for name in (GCN, LINEAR, FLOW, ALONE, LOGISTIC)}
    mixing = graph.propagation(edges)
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        shuffled = labelled(y, numbers[-1], rng)
        for k, each in enumerate(numbers):
            known = shuffled[:, :each].ravel()
            others = np.setdiff1d(np.arange(len(y)), known)
            for name, answer in guesses(x, mixing, known, y[known], draw).items():
                accuracy[name][k, draw] = (answer[others] == y[others]).mean()
    ends = edges.nonzero()
    return Judged(numbers, accuracy, float((y[ends[0]] == y[ends[1]]).mean()), edges.nnz // 2, len(y))


@cache
def inputs(nodes: Nodes) -> tuple[Array, Array]:
    """Components (N, 30) and classes (N,) of the pictures; computed once for the same pictures."""
    pixels, labels, _, _ = nodes.flat()
    return components(pixels), labels.astype(np.int64)


def labelled(y: Array, each: int, rng: np.random.Generator) -> Array:
    """So many nodes of each class (N,), drawn by lot, (classes, each)."""
    return np.stack([rng.permutation(np.flatnonzero(y == k))[:each] for k in range(CLASSES)])


def components(pixels: Array) -> Array:
    """Pictures (N, 784) of bytes along their first principal components, (N, 30), the whole of variance 1 a column."""
    from sklearn.decomposition import PCA

    x = PCA(COMPONENTS, svd_solver="covariance_eigh").fit_transform(pixels / 255.0)
    return np.asarray(x / x.std())


def guesses(x: Array, mixing: Any, known: Array, labels: Array, seed: int) -> dict[str, Array]:
    """The class (N,) that each method gives every node, of rows (N, D), Â (N, N), and labels (L,) of known nodes."""
    from scipy.sparse import eye_array

    found = {}
    for name, mixed in ((GCN, mixing), (ALONE, eye_array(len(x), format="csr"))):
        task = graph.Task.of(x, mixed, known, labels)
        weights = graph.trained(task, CLASSES, np.random.default_rng(seed))
        found[name] = graph.probabilities(weights, task).argmax(axis=1)
    for name, rows in ((LOGISTIC, x), (LINEAR, mixing @ (mixing @ x))):
        found[name] = linear(rows, known, labels)
    return found | {FLOW: _propagated(x, known, labels)}


def linear(rows: Array, known: Array, labels: Array) -> Array:
    """The class (N,) of every row (N, D) by logistic regression on the known ones (L,)."""
    from sklearn.linear_model import LogisticRegression

    return np.asarray(LogisticRegression(max_iter=300).fit(rows[known], labels).predict(rows))


def _propagated(x: Array, known: Array, labels: Array) -> Array:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.semi_supervised import LabelPropagation

    partly = np.full(len(x), -1)
    partly[known] = labels
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        # labels need not come to rest for every node to have its likeliest; one that none has reached divides 0 by 0
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LabelPropagation(kernel="knn", n_neighbors=NEIGHBOURS, max_iter=100).fit(x, partly)
    return np.asarray(model.transduction_)


def facts(each: Judged) -> dict[str, float | bool]:
    """Accuracies by method and number of labels, and what graph convolution is worth over the others."""
    facts: dict[str, float | bool] = {
        "graph: nodes": each.nodes, "graph: edges": each.edges, "graph: edges within a class": each.alike,
        "graph: convolution on a path equals numpy.convolve to 1e-12": line_equals_convolution(),
    }  # fmt: skip
    for k, number in enumerate(each.labels):
        for name, values in each.accuracy.items():
            key = f"graph, {number} a class, {name}"
            facts[f"{key}: accuracy"] = float(values[k].mean())
            facts[f"{key}: accuracy, deviation"] = float(values[k].std(ddof=1))
            if name != GCN:
                facts |= bounded(f"{key}: graph convolution over it", each.gain(GCN, name)[k])
    return facts


def line_equals_convolution() -> bool:
    """Whether graph convolution on a path is 1-D convolution with a kernel of thirds, two nodes from the ends on."""
    signal = np.random.default_rng(0).normal(size=40)
    gap = graph.along_a_line(signal) - np.convolve(signal, graph.kernel(1), "same")
    return bool(np.abs(gap[2:-2]).max() < 1e-12)
