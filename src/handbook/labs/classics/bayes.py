"""Naive Bayes: each column by itself (not in the book's chapter 2, which goes from LDA to trees; Maron 1961).

    1  of every class: its share, and the mean and the variance of every column
    2  a row is as likely in a class as its share times the normal densities of all columns
    3  take the likeliest

It is discriminant analysis with the columns taken for independent and a variance of its own for every class. Where they
are not, it counts one piece of evidence twice, and its probabilities are too sure.

Equal to scikit-learn's `GaussianNB`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handbook.labs.classics.tree import Array, Labels

FLOOR = 1e-9  # of the largest variance, added to every one: a constant column must not divide by zero


@dataclass(frozen=True)
class Bayes:
    """Means and variances (K, d), and the shares (K,)."""

    means: Array
    variances: Array
    shares: Array

    def probabilities(self, x: Array) -> Array:
        """Of each class (n, K)."""
        far = ((x[:, None, :] - self.means) ** 2 / self.variances).sum(axis=2)
        score = np.log(self.shares) - (far + np.log(2 * np.pi * self.variances).sum(axis=1)) / 2
        raised = np.exp(score - score.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def fit(x: Array, labels: Labels) -> Bayes:
    """Learn from rows (n, d) and labels 0 to K − 1."""
    own = [x[labels == k] for k in range(labels.max() + 1)]
    means, variances = (np.stack([measure(each, axis=0) for each in own]) for measure in (np.mean, np.var))
    return Bayes(means, variances + FLOOR * x.var(axis=0).max(), np.bincount(labels) / len(labels))
