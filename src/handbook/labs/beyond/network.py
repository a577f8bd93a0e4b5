"""Bayesian networks for classification: naive Bayes, and a tree among the attributes (Friedman et al. 1997).

Naive Bayes takes all attributes as independent given the class. The tree-augmented network lets each depend on one
more, so that the dependences make a tree: of all trees the likeliest is the one whose conditional mutual information,
summed over its edges, is greatest (Chow and Liu 1968; section 4.1 of Friedman, Geiger and Goldszmidt 1997).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from handbook.labs.beyond.rows import Array

SMOOTHING = 5.0  # rows' worth of the attribute's own shares that each line of a table gets (their N0, section 4.2)
UNKNOWN = -1


@dataclass(frozen=True)
class Network:
    """A class and attributes: `parents[a]` is the attribute that a depends on beside the class, or -1.

    `prior` (classes,) and `tables[a]` (classes, levels of the parent or 1, levels of a) hold probabilities.
    """

    parents: tuple[int, ...]
    prior: Array
    tables: tuple[Array, ...]

    @classmethod
    def fitted(cls, x: Array, y: Array, sizes: list[int], parents: tuple[int, ...]) -> Network:
        """Smoothed shares of levels (N, A) and classes (N,) from 0 up."""
        prior = (np.bincount(y) + 1) / (len(y) + y.max() + 1)
        tables = []
        for a, parent in enumerate(parents):
            above = x[:, parent] if parent >= 0 else np.zeros(len(y), np.int64)
            counts = counted((y, above, x[:, a]), (len(prior), sizes[parent] if parent >= 0 else 1, sizes[a]))
            own = (np.bincount(x[:, a], minlength=sizes[a]) + 1) / (len(y) + sizes[a])
            tables.append((counts + SMOOTHING * own) / (counts.sum(-1, keepdims=True) + SMOOTHING))
        return cls(parents, prior, tuple(tables))

    def joint(self, x: Array) -> Array:
        """Log-probability (N, classes) of each class together with levels (N, A), all of them known."""
        total = np.log(self.prior)[None].repeat(len(x), axis=0)
        for a, (parent, table) in enumerate(zip(self.parents, self.tables, strict=True)):
            above = x[:, parent] if parent >= 0 else np.zeros(len(x), np.int64)
            total += np.log(table[:, above, x[:, a]]).T
        return np.asarray(total)

    def probabilities(self, x: Array) -> Array:
        """The probability (N, classes) of each class, all attributes known."""
        return np.asarray(softmax(self.joint(x), axis=1))

    def posterior(self, known: Array) -> Array:
        """The probability (classes,) of each class where of the attributes (A,) some are -1, unknown: exact inference.

        Messages go from the leaves of the tree to its root (Pearl 1988); each sums over what is unknown.
        """
        messages: list[Array | None] = [None] * len(self.parents)  # to each attribute, (classes, its levels)
        total = np.log(self.prior)
        for a in reversed(order(self.parents)):
            table = self.tables[a]
            arrived = messages[a]
            weight = np.ones((len(self.prior), table.shape[-1])) if arrived is None else arrived
            if known[a] != UNKNOWN:
                weight = weight * (np.arange(table.shape[-1]) == known[a])
            message = np.einsum("cpl,cl->cp", table, weight)
            parent = self.parents[a]
            if parent < 0:
                total = total + np.log(message[:, 0])
            else:
                before = messages[parent]
                messages[parent] = message if before is None else before * message
        return np.asarray(softmax(total))


def counted(columns: tuple[Array, ...], sizes: tuple[int, ...]) -> Array:
    """How often each combination of levels occurs, an array of shape `sizes`."""
    places = np.ravel_multi_index(columns, sizes)
    return np.asarray(np.bincount(places, minlength=int(np.prod(sizes))).reshape(sizes))


def order(parents: tuple[int, ...]) -> list[int]:
    """The attributes so that each comes after its parent."""
    found = [a for a, parent in enumerate(parents) if parent < 0]
    for above in found:
        found.extend(a for a, parent in enumerate(parents) if parent == above)
    return found


def information(x: Array, y: Array, sizes: list[int]) -> Array:
    """Conditional mutual information (A, A) of every two attributes given the class, in nats, at least 0."""
    count, found = len(sizes), np.zeros((len(sizes), len(sizes)))
    for a in range(count):
        for b in range(a):
            joint = counted((y, x[:, a], x[:, b]), (int(y.max()) + 1, sizes[a], sizes[b])) / len(y)
            apart = joint.sum(2, keepdims=True) * joint.sum(1, keepdims=True)
            some = joint > 0
            whole = np.broadcast_to(joint.sum((1, 2), keepdims=True), joint.shape)
            found[a, b] = found[b, a] = (joint[some] * np.log(joint[some] * whole[some] / apart[some])).sum()
    return np.maximum(found, 0)


def spanning_tree(weights: Array, root: int = 0) -> tuple[int, ...]:
    """The parents (A,) in the tree of greatest weight, of symmetric weights (A, A); the root's is -1 (Prim 1957)."""
    parents = np.full(len(weights), root)
    best = weights[root].astype(float)
    best[root] = -np.inf
    parents[root] = -1
    for _ in range(len(weights) - 1):
        nearest = int(best.argmax())
        closer = (weights[nearest] > best) & (best > -np.inf)
        best[closer], parents[closer] = weights[nearest][closer], nearest
        best[nearest] = -np.inf
    return tuple(parents.tolist())
