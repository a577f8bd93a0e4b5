"""Classification and regression trees (section 2.11; Breiman, Friedman, Olshen and Stone 1984).

    1  try every threshold of every column
    2  take the split whose two halves are worth most
    3  do the same in each half, until its rows all have one answer or the tree is as deep as it may be
    4  a leaf answers with the share of each class, or with the mean

What a set of rows is worth is the weight W of its rows times how pure they are, up to a constant:

    Gini      Σ s_k² / W               s_k is the weight of class k
    entropy   Σ s_k log₂(s_k / W)
    squares   (Σ w y)² / W             which is −Σ w (y − mean)², but for Σ w y²

All three need no more than sums over rows, and the sums of all left halves are one running total along the sorted
column. Columns are sorted once, at the root: a node hands its rows to its halves in the order in which they stand.

Equal to scikit-learn's trees, node by node, where no two splits are worth the same; of two that are, it draws one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Purity = Callable[[Array], Array]  # sums (m, ...) -> (...)
CLOSE = 1e-7  # values nearer than that have no threshold between them, as in scikit-learn
EPSILON = float(np.finfo(float).eps)  # a variance below which all answers count as one, as in scikit-learn


def gini(sums: Array) -> Array:
    """Of class weights (K, ...)."""
    return np.asarray((sums * sums).sum(axis=0) / sums.sum(axis=0))


def entropy(sums: Array) -> Array:
    """Of class weights (K, ...); a class without rows adds nothing."""
    shares = sums / sums.sum(axis=0)
    return np.asarray((sums * np.log2(np.where(shares > 0, shares, 1))).sum(axis=0))


def squares(sums: Array) -> Array:
    """Of Σw and Σwy (2, ...)."""
    return np.asarray(sums[1] ** 2 / sums[0])


@dataclass(frozen=True)
class Tree:
    """Nodes, the root first and left ones before right ones: column (−1: a leaf), threshold, halves, sums (N, m)."""

    column: Labels
    threshold: Array
    left: Labels
    right: Labels
    sums: Array

    def leaf(self, x: Array) -> Labels:
        """The node in which each row (n, d) ends, (n,): all rows go down a level at a time."""
        x, at, every = single(x), np.zeros(len(x), dtype=np.int64), np.arange(len(x))
        while (inner := self.column[at] >= 0).any():
            left = x[every, self.column[at]] <= self.threshold[at]
            at = np.where(inner, np.where(left, self.left[at], self.right[at]), at)
        return at

    def shares(self, x: Array) -> Array:
        """Of a classification tree: class shares (n, K)."""
        found = self.sums[self.leaf(x)]
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    def classes(self, x: Array) -> Labels:
        """Of a classification tree: the commonest class of each leaf (n,)."""
        return np.asarray(self.shares(x).argmax(axis=1))

    def values(self, x: Array) -> Array:
        """Of a regression tree: the mean of each leaf (n,)."""
        found = self.sums[self.leaf(x)]
        return np.asarray(found[:, 1] / found[:, 0])


def single(x: Array) -> Array:
    """Values rounded to 32 bits, as scikit-learn's trees compare them."""
    return np.asarray(x, dtype=np.float32).astype(np.float64)


def presorted(x: Array) -> Labels:
    """The rows in the order of each column, (d, n): the same for every tree that is grown on them."""
    return np.argsort(single(x).T, axis=1, kind="stable")


def classification(
    x: Array, labels: Labels, weights: Array | None = None, *, depth: float = np.inf, purity: Purity = gini,
    order: Labels | None = None,
) -> Tree:  # fmt: skip
    """Grow on rows (n, d) with labels 0 to K − 1 and weights above 0 (n,)."""
    weights = np.ones(len(x)) if weights is None else weights
    sums = (labels == np.arange(labels.max() + 1)[:, None]) * weights  # (K, n)
    return grow(x, labels.astype(float), sums, purity, depth=depth, order=order)


def regression(
    x: Array, y: Array, weights: Array | None = None, *, depth: float = np.inf, order: Labels | None = None
) -> Tree:
    """Grow on rows (n, d) with values (n,) and weights above 0 (n,)."""
    weights = np.ones(len(x)) if weights is None else weights
    return grow(x, y, np.stack([weights, weights * y]), squares, depth=depth, order=order)


def grow(x: Array, y: Array, sums: Array, purity: Purity, *, depth: float, order: Labels | None = None) -> Tree:
    """The tree over rows (n, d) whose answers are y (n,), and which add `sums` (m, n) to what a node is worth."""
    columns = np.ascontiguousarray(single(x).T)  # (d, n)
    nodes: list[list[float]] = []
    totals: list[Array] = []
    waiting = [(presorted(x) if order is None else order, 0, -1, 0)]  # rows, level, the node above, which half of it
    while waiting:
        rows, level, above, half = waiting.pop()
        here = len(nodes)
        nodes.append([-1, 0.0, -1, -1])
        totals.append(sums[:, rows[0]].sum(axis=1))
        if above >= 0:
            nodes[above][half] = here
        if level >= depth or y[rows[0]].var() <= EPSILON:
            continue
        if (split := best_split(columns, sums, rows, purity)) is not None:
            nodes[here][:2] = split
            left, right = parted(columns[int(split[0])] <= split[1], rows)
            waiting += [(right, level + 1, here, 3), (left, level + 1, here, 2)]  # the left half is grown first
    column, threshold, lefts, rights = np.array(nodes).T
    return Tree(column.astype(np.int64), threshold, lefts.astype(np.int64), rights.astype(np.int64), np.stack(totals))


def best_split(columns: Array, sums: Array, rows: Labels, purity: Purity) -> tuple[int, float] | None:
    """Column and threshold of the best split of a node, whose rows (d, n) stand in each column's order."""
    values = np.take_along_axis(columns, rows, axis=1)  # (d, n), ascending
    apart = values[:, 1:] > values[:, :-1] + CLOSE
    if not apart.any():
        return None
    gain = np.where(apart, gains(sums, rows, purity), -np.inf)
    column, at = np.unravel_index(gain.argmax(), gain.shape)
    low, high = values[column, at], values[column, at + 1]
    middle = low / 2 + high / 2
    return int(column), float(low if middle >= high else middle)


def gains(sums: Array, rows: Labels, purity: Purity) -> Array:
    """What both halves are worth together, (d, n − 1), if a node is cut behind each row of each column's order."""
    running = sums[:, rows].cumsum(axis=2)  # (m, d, n)
    left = running[:, :, :-1]
    return purity(left) + purity(running[:, :, -1:] - left)


def parted(left: npt.NDArray[np.bool_], rows: Labels) -> tuple[Labels, Labels]:
    """The two halves of a node's rows (d, n), each column's order kept; `left` (n,) says of every row where it goes."""
    goes = left[rows]  # as many in every column, so both halves are rectangles
    return rows[goes].reshape(len(rows), -1), rows[~goes].reshape(len(rows), -1)
