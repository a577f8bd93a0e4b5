"""AdaBoost for any number of classes (section 2.15; Freund and Schapire 1997; SAMME: Zhu, Zou, Rosset and Hastie 2009).

    1  every row weighs the same
    2  train a weak learner on the weighted rows: a tree of one split
    3  its error ε is the weight of what it has wrong
    4  it may say α = log((1 − ε) / ε) + log(K − 1)
    5  what it has wrong weighs exp(α) times as much as before; all weights are made to sum to 1 again
    6  repeat 2 to 5
    7  a new row is given the class for which the learners' α sum to most

With K classes a learner is of use if it is right more often than 1 in K, which is just where its α is above 0. For two
classes the error on the training rows is at most Π 2 √(ε(1 − ε)): it falls without end as long as no ε is ½.

Equal to scikit-learn's `AdaBoostClassifier`, learner by learner.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handbook.labs.classics import tree
from handbook.labs.classics.tree import Array, Labels, Tree


@dataclass(frozen=True)
class Boosted:
    """The learners in their order, what each may say (rounds,), and its weighted error (rounds,)."""

    learners: tuple[Tree, ...]
    say: Array
    errors: Array

    def staged(self, x: Array) -> Array:
        """What the classes have after each round, (rounds, n, K), as a share of all that was to be said by then."""
        votes = np.stack([np.eye(each.sums.shape[1])[each.classes(x)] for each in self.learners])
        said = (self.say[:, None, None] * votes).cumsum(axis=0)
        return np.asarray(said / self.say.cumsum()[:, None, None])

    def classes(self, x: Array) -> Labels:
        """The class for which most was said (n,)."""
        return np.asarray(np.argmax(self.staged(x)[-1], axis=1))

    def bound(self) -> Array:
        """For two classes: what the training error cannot exceed after each round."""
        return np.cumprod(2 * np.sqrt(self.errors * (1 - self.errors)))


def fit(x: Array, labels: Labels, rounds: int = 100, depth: int = 1) -> Boosted:
    """Learn from rows (n, d) with labels 0 to K − 1; ends early where a learner has nothing wrong, or is no use."""
    classes, order = int(labels.max()) + 1, tree.presorted(x)
    weights = np.full(len(x), 1 / len(x))
    learners, say, errors = [], [], []
    for _ in range(rounds):
        weak = tree.classification(x, labels, weights, depth=depth, order=order)
        wrong = weak.classes(x) != labels
        error = float(weights[wrong].sum() / weights.sum())
        if error >= 1 - 1 / classes:
            break
        learners.append(weak)
        errors.append(error)
        say.append(float(np.log((1 - error) / error) + np.log(classes - 1)) if error > 0 else 1.0)
        if error <= 0:
            break
        weights = np.where(wrong, weights * np.exp(say[-1]), weights)
        weights = np.maximum(weights / weights.sum(), tree.EPSILON)  # no row is ever forgotten, as in scikit-learn
    if not learners:
        raise ValueError(f"no tree of depth {depth} is right more often than 1 in {classes}: nothing can be boosted")
    return Boosted(tuple(learners), np.array(say), np.array(errors))
