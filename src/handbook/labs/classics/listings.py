"""The listings of chapter 2 that bring rows of their own, run as printed (sections 2.8.1, 2.10.1, 2.14.1, 2.15.1).

The book prints none of their results, so these are the numbers that a reader of it would see. 2.8.1 has three points on
a line; 2.10.1 names no data and is given iris here, split as 2.14.1 splits it; of 2.14.1 the half on iris runs once
`load_boston`, which scikit-learn has dropped, is out of its import; 2.15.1 generates a hundred rows for each half.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from handbook.labs.classics import adaboost, discriminant
from handbook.labs.classics.calls import iris
from handbook.labs.classics.tree import Array

POINTS = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
SEED, SHARE = 42, 0.2  # of all its splits


def support_values() -> Array:
    """2.8.1, regression: what is predicted for 1, 2 and 3."""
    from sklearn.svm import SVR

    return np.asarray(SVR(kernel="linear").fit(POINTS, [1, 2, 3]).predict(POINTS))


def support_classes() -> Array:
    """2.8.1, classification: what is predicted for the classes 0, 1 and 0."""
    from sklearn.svm import SVC

    return np.asarray(SVC(kernel="linear").fit(POINTS, [0, 1, 0]).predict(POINTS))


def _parts(x: Any, y: Any) -> list[Any]:
    from sklearn.model_selection import train_test_split

    return list(train_test_split(x, y, test_size=SHARE, random_state=SEED))


def discriminant_accuracy() -> tuple[float, float]:
    """2.10.1 on iris: scikit-learn's accuracy, and that of the page `discriminant`."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    train, test, y, answers = _parts(*iris())
    theirs = LinearDiscriminantAnalysis().fit(train, y).score(test, answers)
    return float(theirs), float((discriminant.fit(train, y).classes(test) == answers).mean())


def extra_trees_accuracy() -> float:
    """2.14.1, the half on iris."""
    from sklearn.ensemble import ExtraTreesClassifier

    train, test, y, answers = _parts(*iris())
    return float(ExtraTreesClassifier(n_estimators=100, random_state=SEED).fit(train, y).score(test, answers))


@cache
def adaboost_rows() -> list[Any]:
    """2.15.1, classification: training and test rows, training and test labels."""
    from sklearn.datasets import make_classification

    return _parts(*make_classification(n_samples=100, n_features=10, random_state=SEED))


@cache
def adaboost_accuracy() -> dict[str, float]:
    """2.15.1, classification: scikit-learn's accuracy, that of the page `adaboost`, and that of a single stump."""
    from sklearn.ensemble import AdaBoostClassifier

    train, test, y, answers = adaboost_rows()
    theirs = AdaBoostClassifier(n_estimators=100, random_state=SEED).fit(train, y).score(test, answers)
    found = adaboost.fit(train, y, 100)
    return {
        "scikit-learn": float(theirs),
        "ours": float((found.classes(test) == answers).mean()),
        "one stump": float((found.learners[0].classes(test) == answers).mean()),
    }


@cache
def adaboost_error() -> tuple[float, float, float]:
    """2.15.1, regression: the mean squared error it would print, that of one of its trees, that of least squares."""
    from sklearn.datasets import make_regression
    from sklearn.ensemble import AdaBoostRegressor
    from sklearn.linear_model import LinearRegression
    from sklearn.metrics import mean_squared_error
    from sklearn.tree import DecisionTreeRegressor

    train, test, y, answers = _parts(*make_regression(n_samples=100, n_features=10, random_state=SEED))
    models = (
        AdaBoostRegressor(n_estimators=100, random_state=SEED),
        DecisionTreeRegressor(max_depth=3, random_state=SEED),
        LinearRegression(),
    )
    boosted, tree, line = (float(mean_squared_error(answers, each.fit(train, y).predict(test))) for each in models)
    return boosted, tree, line
