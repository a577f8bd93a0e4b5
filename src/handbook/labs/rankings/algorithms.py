"""The algorithms of chapter 2 as the cases compare them, for numbers that are scaled already.

The cases' own tables are private to their pages, and search more settings than so many folds allow. So this is a short
one of the lab's own: the same algorithms under the same names, and of the settings that the cases search a few values,
chosen inside the training part of every fold. Forests and AdaBoost have 30 learners where the book has 100, boosting 50
steps of 0.2 where it has 100 of 0.1: with the book's the lab takes a minute and a half more of one thread. Targets of
regressors have mean 0 and deviation 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

LEARNERS, SEED = 30, 42  # the book has 100, and this seed
STEPS = 50  # of boosting; the book has 100
RATE = 10 / STEPS  # as far in all as the book's, 0.1 a step
INNER = 3  # folds within a training part, to choose settings by


def regressors() -> dict[str, Any]:
    """Estimators by name, not yet fitted."""
    from sklearn import ensemble
    from sklearn.linear_model import LassoCV, LinearRegression, RidgeCV
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures
    from sklearn.svm import SVR
    from sklearn.tree import DecisionTreeRegressor

    penalties = np.logspace(-1, 3, 9)
    many: dict[str, Any] = {"n_estimators": LEARNERS, "random_state": SEED}
    steps: dict[str, Any] = {"n_estimators": STEPS, "learning_rate": RATE, "max_depth": 3, "random_state": SEED}
    return {
        "linear_regression": LinearRegression(),
        "polynomial_regression": make_pipeline(PolynomialFeatures(2, include_bias=False), RidgeCV(penalties)),
        "lasso": LassoCV(alphas=list(np.logspace(-3, -0.5, 11)), cv=_inner()),
        "ridge": RidgeCV(penalties),
        "svr_linear": SVR(kernel="linear", C=0.1),
        "svr_rbf": _chosen(SVR(), [{"C": [1.0], "gamma": [0.01]}, {"C": [30.0], "gamma": [0.03]}]),
        "k_nearest_neighbours": _chosen(KNeighborsRegressor(), {"n_neighbors": [3, 15]}),
        "tree": _chosen(DecisionTreeRegressor(random_state=SEED), {"ccp_alpha": [0.003, 0.03]}),
        "random_forest": ensemble.RandomForestRegressor(**many),
        "extra_trees": ensemble.ExtraTreesRegressor(**many),
        "adaboost": ensemble.AdaBoostRegressor(**many),
        "gradient_boosting": ensemble.GradientBoostingRegressor(**steps),
        "histogram_boosting": ensemble.HistGradientBoostingRegressor(
            learning_rate=RATE, max_iter=STEPS, random_state=SEED
        ),
    }


def classifiers() -> dict[str, Any]:
    """Estimators with `predict_proba` by name, not yet fitted."""
    from sklearn import ensemble
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    many: dict[str, Any] = {"n_estimators": LEARNERS, "random_state": SEED}
    steps: dict[str, Any] = {"n_estimators": STEPS, "learning_rate": RATE, "max_depth": 3, "random_state": SEED}
    return {
        "logistic_regression": LogisticRegression(max_iter=1000),
        "linear_discriminant_analysis": LinearDiscriminantAnalysis(),
        # margins become probabilities by Platt's sigmoid, on rows held out from the margin
        "svc_linear": CalibratedClassifierCV(SVC(kernel="linear", C=0.1), cv=_inner(classes=True), ensemble=False),
        "svc_rbf": CalibratedClassifierCV(SVC(C=1.0, gamma=0.1), cv=_inner(classes=True), ensemble=False),
        "k_nearest_neighbours": _chosen(KNeighborsClassifier(), {"n_neighbors": [5, 15]}, "neg_log_loss"),
        "tree": _chosen(DecisionTreeClassifier(random_state=SEED), {"ccp_alpha": [0.001, 0.01]}, "accuracy"),
        "random_forest": ensemble.RandomForestClassifier(**many),
        "extra_trees": ensemble.ExtraTreesClassifier(**many),
        "adaboost": ensemble.AdaBoostClassifier(**many),
        "gradient_boosting": ensemble.GradientBoostingClassifier(**steps),
        "histogram_boosting": ensemble.HistGradientBoostingClassifier(
            learning_rate=RATE, max_iter=STEPS, random_state=SEED
        ),
    }


def _chosen(estimator: Any, grid: Any, scoring: str | None = None) -> Any:
    """The estimator with whichever of the settings does best over the inner folds."""
    from sklearn.model_selection import GridSearchCV

    return GridSearchCV(estimator, grid, scoring=scoring, cv=_inner(scoring is not None), error_score="raise")


def _inner(classes: bool = False) -> Any:
    """Shuffled, for rows of a table may lie in the order of something."""
    from sklearn.model_selection import KFold, StratifiedKFold

    return (StratifiedKFold if classes else KFold)(INNER, shuffle=True, random_state=SEED)
