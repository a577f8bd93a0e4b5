"""The same pictures on edges that are drawn (simulated) so that a given share of them joins two of a class.

Edges between nearest neighbours repeat what the inputs say. Those of a citation network, which graph convolution was
first tried on, say something of their own; how much such edges must know before they pay is measured here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from handbook.evaluation.metrics import mean_interval
from handbook.labs.beyond import graph, pictures
from handbook.labs.beyond.pictures import CLASSES, Nodes
from handbook.labs.beyond.rows import Array, bounded

SHARES = (0.1, 0.4, 0.6, 0.8, 0.95)  # of the edges that join two of a class; a tenth is chance
EACH = 7  # edges that a node draws: about as many in all as between nearest neighbours
LABELS = 5  # of a class
DRAWS = {True: 6, False: 3}  # of labels and edges; fewer beside a drawn sample


@dataclass(frozen=True)
class Planted:
    """Accuracies of graph convolution (shares, draws), and of logistic regression with the same labels (draws,)."""

    convolution: Array
    logistic: Array

    def gain(self) -> list[tuple[float, float, float]]:
        """Graph convolution over logistic regression at each share, with the interval over draws."""
        return [mean_interval(each - self.logistic) for each in self.convolution]

    def pays_from(self) -> float:
        """The least share from which on edges surely pay; infinite where they never do."""
        sure = [share for share, (_, low, _) in zip(SHARES, self.gain(), strict=True) if low > 0]
        return min(sure, default=np.inf)


def edges(y: Array, alike: float, rng: np.random.Generator) -> Any:
    """Edges, sparse (N, N) of ones: every node draws EACH others, by this probability of its own class (N,)."""
    from scipy.sparse import csr_array

    ends = np.repeat(np.arange(len(y)), EACH)
    order = np.argsort(y, kind="stable")
    first, count = np.searchsorted(y[order], np.arange(CLASSES)), np.bincount(y, minlength=CLASSES)
    shift = np.where(rng.random(len(ends)) < alike, 0, rng.integers(1, CLASSES, len(ends)))
    kind = (y[ends] + shift) % CLASSES
    others = order[first[kind] + (rng.random(len(ends)) * count[kind]).astype(np.int64)]
    some = ends != others
    drawn = csr_array((np.ones(some.sum()), (ends[some], others[some])), shape=(len(y), len(y)))
    both = drawn + drawn.T
    both.data[:] = 1.0
    return both


@cache
def planted(nodes: Nodes) -> Planted:
    """Both methods on the same labels; computed once for the same pictures."""
    x, y = pictures.inputs(nodes)
    draws = DRAWS[len(y) == pictures.ALL[0]]
    convolution, logistic = np.empty((len(SHARES), draws)), np.empty(draws)
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        known = pictures.labelled(y, LABELS, rng).ravel()
        others = np.setdiff1d(np.arange(len(y)), known)
        logistic[draw] = (pictures.linear(x, known, y[known])[others] == y[others]).mean()
        for k, share in enumerate(SHARES):
            task = graph.Task.of(x, graph.propagation(edges(y, share, rng)), known, y[known])
            found = graph.probabilities(graph.trained(task, CLASSES, np.random.default_rng(draw)), task)
            convolution[k, draw] = (found.argmax(axis=1)[others] == y[others]).mean()
    return Planted(convolution, logistic)


def facts(each: Planted) -> dict[str, float | bool]:
    """What drawn edges are worth, by the share that joins two of a class."""
    facts: dict[str, float | bool] = {}
    for share, gain in zip(SHARES, each.gain(), strict=True):
        facts |= bounded(f"graph, drawn edges, {share:.0%} within a class: over logistic regression", gain)
    return facts
