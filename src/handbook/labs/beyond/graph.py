"""Graph convolution in two layers, forward and backward from NumPy (Kipf and Welling 2016, sections 2 and 3).

A layer mixes each node with its neighbours, H' = f(Â H W) with Â = D^-1/2 (A + I) D^-1/2 where A (N, N) holds the edges
and D the degrees of A + I. Labels of a few nodes teach, the edges of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax

from handbook.labs.beyond.rows import Array

HIDDEN, STEPS, RATE, DECAY = 16, 100, 0.05, 5e-4  # width and decay as in the paper; half its steps, each longer


def propagation(edges: Any) -> Any:
    """Â, sparse (N, N), of symmetric edges (N, N) without loops, dense or sparse, of weight 0 or more."""
    from scipy.sparse import csr_array, diags_array, eye_array

    looped = csr_array(edges) + eye_array(edges.shape[0], format="csr")
    scale = diags_array(1 / np.sqrt(looped.sum(axis=1)))
    return csr_array(scale @ looped @ scale)


def neighbours(x: Array, count: int) -> Any:
    """Edges, sparse (N, N) of ones, between rows (N, D) of which one is among the nearest `count` of the other."""
    from sklearn.neighbors import kneighbors_graph

    directed = kneighbors_graph(x, count)
    return directed.maximum(directed.T)


@dataclass(frozen=True)
class Weights:
    """W0 (D, hidden) and W1 (hidden, classes)."""

    first: Array
    second: Array

    @classmethod
    def drawn(cls, inputs: int, classes: int, rng: np.random.Generator) -> Weights:
        """Uniform within +-sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010), as in the paper."""
        shapes = (inputs, HIDDEN), (HIDDEN, classes)
        return cls(*(rng.uniform(-1, 1, shape) * np.sqrt(6 / sum(shape)) for shape in shapes))


@dataclass(frozen=True)
class Task:
    """Â X (N, D), Â (N, N), and the labels (L,) of the nodes (L,) that are known."""

    mixed: Array
    mixing: Any
    known: Array
    labels: Array

    @classmethod
    def of(cls, x: Array, mixing: Any, known: Array, labels: Array) -> Task:
        return cls(mixing @ x, mixing, known, labels)


def probabilities(weights: Weights, task: Task) -> Array:
    """Class probabilities (N, classes) of all nodes: softmax(Â ReLU(Â X W0) W1)."""
    return np.asarray(softmax(task.mixing @ (np.maximum(task.mixed @ weights.first, 0) @ weights.second), axis=1))


def loss_and_gradient(weights: Weights, task: Task) -> tuple[float, Weights]:
    """Mean cross-entropy of the known nodes (nats) with decay of the first layer, and its gradient.

    Two layers reach no further than the neighbours of known nodes, so nothing is computed of the others.
    """
    rows = task.mixing[task.known]
    reached = np.unique(rows.indices)
    rows = rows[:, reached]
    hidden = np.maximum(task.mixed[reached] @ weights.first, 0)  # (reached, hidden)
    p = softmax(rows @ (hidden @ weights.second), axis=1)  # (L, classes)
    each = np.arange(len(task.labels))
    loss = -np.log(p[each, task.labels]).mean() + DECAY / 2 * (weights.first**2).sum()
    error = p.copy()
    error[each, task.labels] -= 1
    back = rows.T @ error / len(each)  # (reached, classes)
    inner = (back @ weights.second.T) * (hidden > 0)
    return float(loss), Weights(task.mixed[reached].T @ inner + DECAY * weights.first, hidden.T @ back)


def trained(task: Task, classes: int, rng: np.random.Generator) -> Weights:
    """Weights after so many steps of Adam (Kingma and Ba 2015) on the whole loss."""
    weights = Weights.drawn(task.mixed.shape[1], classes, rng)
    m = v = (np.zeros_like(weights.first), np.zeros_like(weights.second))
    for step in range(1, STEPS + 1):
        _, gradient = loss_and_gradient(weights, task)
        g = (gradient.first, gradient.second)
        m = tuple(0.9 * a + 0.1 * b for a, b in zip(m, g, strict=True))  # type: ignore[assignment]
        v = tuple(0.999 * a + 0.001 * b * b for a, b in zip(v, g, strict=True))  # type: ignore[assignment]
        moved = (
            RATE * (a / (1 - 0.9**step)) / (np.sqrt(b / (1 - 0.999**step)) + 1e-8) for a, b in zip(m, v, strict=True)
        )
        weights = Weights(*(a - b for a, b in zip((weights.first, weights.second), moved, strict=True)))
    return weights


def line(nodes: int) -> Array:
    """The edges (N, N) of a path: each node is joined to the one before and the one after."""
    return np.eye(nodes, k=1) + np.eye(nodes, k=-1)


def along_a_line(signal: Array, times: int = 1) -> Array:
    """A signal (N,) convolved on the graph of a path, so often."""
    mixing = propagation(line(len(signal)))
    for _ in range(times):
        signal = mixing @ signal
    return signal


def kernel(times: int) -> Array:
    """The 1-D kernel (2 times + 1,) that the same is away from the ends: thirds, convolved with themselves."""
    found = np.ones(1)
    for _ in range(times):
        found = np.convolve(found, np.full(3, 1 / 3))
    return found
