"""Leave-one-out without leaving one out (section 2.17.2; Allen 1974).

Cross-validation with as many folds as rows fits n models. For least squares, and for ridge with a fixed λ, one is
enough: predictions are Hy with H = X(XᵀX + λ)⁻¹Xᵀ, and the error on a row that took no part in the fit is

    e_i / (1 − h_ii)          e_i its error when it did, h_ii its place on H's diagonal

h_ii says how far a row pulls the line to itself: on average by (columns + 1)/n, and a row with h near 1 has it all. The
constant adds 1/n. Brute force gives the same number (tests, and `brute`), n times as slowly.
"""

from __future__ import annotations

import numpy as np

from handbook.labs.classics.linear import ridge
from handbook.labs.classics.tree import Array


def leverage(x: Array, penalty: float = 0.0) -> Array:
    """The diagonal h (n,) for rows (n, d) with a constant that is not penalised."""
    centred = x - x.mean(axis=0)
    inverse = np.linalg.inv(centred.T @ centred + penalty * np.eye(x.shape[1]))
    return np.asarray(1 / len(x) + np.einsum("nd,de,ne->n", centred, inverse, centred))


def errors(x: Array, y: Array, penalty: float = 0.0) -> Array:
    """Of each row (n,) when it is left out, from one fit with all."""
    return np.asarray((y - ridge(x, y, penalty).values(x)) / (1 - leverage(x, penalty)))


def brute(x: Array, y: Array, penalty: float = 0.0) -> Array:
    """The same from n fits, each with the λ given: what the closed form has to equal."""
    found = []
    for i in range(len(x)):
        rest = np.arange(len(x)) != i
        found.append(y[i] - ridge(x[rest], y[rest], penalty).values(x[i : i + 1])[0])
    return np.array(found)


def by_penalty(x: Array, y: Array, penalties: Array) -> tuple[Array, Array]:
    """Mean squared error in training and left out, each (penalties,)."""
    training = [float(((y - ridge(x, y, each).values(x)) ** 2).mean()) for each in penalties]
    return np.array(training), np.array([float((errors(x, y, each) ** 2).mean()) for each in penalties])


def squared_terms(x: Array) -> Array:
    """The columns (n, d), and all their squares and products, each to mean 0 and deviation 1."""
    first, second = np.triu_indices(x.shape[1])
    more = np.c_[x, x[:, first] * x[:, second]]
    more = more[:, more.std(axis=0) > 1e-9]
    more = (more - more.mean(axis=0)) / more.std(axis=0)
    _, kept = np.unique(more.round(9), axis=1, return_index=True)  # the square of a column of two values is that column
    return np.asarray(more[:, np.sort(kept)])
