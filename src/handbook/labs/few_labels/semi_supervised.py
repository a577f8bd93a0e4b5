"""Few labels beside many pictures that have none (sections 2.4.3 and 2.4.4).

Two ways to let the many help. Self-training (Yarowsky 1995) believes its own surest predictions and learns from them;
label propagation (Zhu and Ghahramani 2002) and label spreading (Zhou et al. 2004) let labels flow along a graph of
nearest neighbours. Beside them stand the two that have the labels alone: logistic regression and the nearest neighbour.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np

from handbook.data.subsets import plan_for
from handbook.labs.few_labels.pictures import Array, Found, Given, drawn, most_of_each

# Numbers of labels, draws of each, pictures with and without them, and new ones; and of a drawn sample.
ALL, PART = ((10, 30, 100, 300), 5, 2_000, 1_000), ((10, 100), 3, 200, 200)
COMPONENTS = 30
SURE, NEIGHBOURS, ROUNDS = 0.9, 7, 200
ALONE, HELPED = ("logistic regression", "nearest neighbour"), ("self-training", "label propagation", "label spreading")


@cache
def measured(given: Given) -> Found:
    """Accuracies on pictures that were neither labelled nor unlabelled; computed once for the same pictures."""
    x, y, new, answers = given.arrays()
    numbers, draws, rows, judged = plan_for(len(y), ALL, PART)
    labels = tuple(n for n in numbers if n // 10 <= most_of_each(given.labels))
    scores = {name: np.empty((len(labels), draws)) for name in (*ALONE, *HELPED)}
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        known = drawn(y, labels[-1] // 10, rng)
        others = rng.permutation(np.setdiff1d(np.arange(len(y)), known))[: rows - known.size]
        every = np.concatenate([known.ravel(), others])
        space, seen = components(x[every], new[:judged])
        for k, n in enumerate(labels):
            partly = np.full(len(every), -1)
            kept = np.arange(known.size).reshape(known.shape)[:, : n // 10].ravel()
            partly[kept] = y[every[kept]]
            for name, guess in guesses(space, partly, seen).items():
                scores[name][k, draw] = (guess == answers[:judged]).mean()
    return Found(labels, scores)


def components(x: Array, new: Array) -> tuple[Array, Array]:
    """Pictures (N, 784) and new ones along the first principal components of the former, (N, 30) and (M, 30)."""
    from sklearn.decomposition import PCA

    pca = PCA(COMPONENTS, svd_solver="covariance_eigh").fit(x)
    return pca.transform(x), pca.transform(new)


def guesses(x: Array, partly: Array, new: Array) -> dict[str, Array]:
    """What every method calls new rows (M, D), by rows (N, D) with labels (N,) of which -1 stands for none."""
    from sklearn.exceptions import ConvergenceWarning

    labelled = partly >= 0
    found = {}
    for name, model in models().items():
        rows = labelled if name in ALONE else slice(None)
        with warnings.catch_warnings():
            # labels that flow round in circles never come to rest, long after every row has its likeliest class
            warnings.simplefilter("ignore", ConvergenceWarning)
            found[name] = named(model.fit(x[rows], partly[rows]), new)
    return found


def models() -> dict[str, Any]:
    """All methods by name; self-training has the same logistic regression inside that stands beside it alone."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.semi_supervised import LabelPropagation, LabelSpreading, SelfTrainingClassifier

    return {
        "logistic regression": LogisticRegression(C=0.01, max_iter=500),
        "nearest neighbour": KNeighborsClassifier(1),
        "self-training": SelfTrainingClassifier(LogisticRegression(C=0.01, max_iter=500), threshold=SURE),
        "label propagation": LabelPropagation(kernel="knn", n_neighbors=NEIGHBOURS, max_iter=ROUNDS),
        "label spreading": LabelSpreading(kernel="knn", n_neighbors=NEIGHBOURS, alpha=0.8, max_iter=ROUNDS),
    }


def named(model: Any, new: Array) -> Array:
    """What a fitted model calls new rows; one that no label has reached counts as the first class."""
    with np.errstate(invalid="ignore"):  # label propagation divides nothing by nothing there
        return np.asarray(model.predict(new))
