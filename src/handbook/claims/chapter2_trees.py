"""Chapter 2, machine learning, the trees and their ensembles: 2.11 to 2.16."""

from __future__ import annotations

import numpy as np

from handbook.claims.claim import Claim, right, unchecked, wrong
from handbook.claims.trials import clouds, runs


def features_of_a_level() -> int:
    """How many features a tree asks for at its second level, where each half depends on a column of its own."""
    from sklearn.tree import DecisionTreeClassifier

    rng = np.random.default_rng(0)
    x = rng.random((400, 3))
    labels = np.where(x[:, 0] > 0.5, x[:, 1] > 0.2, x[:, 2] > 0.8)
    tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(x, labels).tree_
    below = [tree.feature[each] for each in (tree.children_left[0], tree.children_right[0])]
    return len(set(below))


def tree_takes_gaps() -> bool:
    from sklearn.tree import DecisionTreeClassifier

    x, labels = clouds()
    x[::7, 0] = np.nan
    return runs(lambda: DecisionTreeClassifier().fit(x, labels).predict(x))


def rows_of_a_tree(model: str) -> float:
    """The share of different rows that the first tree of a forest is grown from."""
    from sklearn import ensemble

    x, labels = clouds()
    forest = getattr(ensemble, model)(n_estimators=1, random_state=42).fit(x, labels)
    return float(forest.estimators_[0].tree_.n_node_samples[0] / len(x))


def boston_is_there() -> bool:
    def listing() -> None:
        from sklearn.datasets import load_boston  # noqa: F401 (whether it can be imported is the question)

    return runs(listing)


def depth_of_weak_learners(model: str) -> int:
    from sklearn import ensemble

    x, labels = clouds()
    return int(getattr(ensemble, model)(n_estimators=3, random_state=42).fit(x, labels).estimators_[0].get_depth())


def misclassified_gain() -> bool:
    """Whether one round of AdaBoost weighs what was wrong more than before, and half of all together."""
    wrong_rows = np.arange(10) < 3
    error = 0.3
    weights = np.where(wrong_rows, 0.1 * np.exp(np.log((1 - error) / error)), 0.1)
    weights /= weights.sum()
    return bool(weights[0] > 0.1 > weights[-1] and np.isclose(weights[wrong_rows].sum(), 0.5))


def scaling_changes_nothing() -> bool:
    from sklearn.ensemble import AdaBoostClassifier

    x, labels = clouds(apart=1.0)
    one, other = (
        AdaBoostClassifier(n_estimators=20, random_state=42).fit(k * x, labels).predict(k * x) for k in (1, 8)
    )
    return bool((one == other).all())


def boosting_fits_residuals() -> bool:
    """Whether one round is the mean and a tenth of a tree on what the mean leaves."""
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.tree import DecisionTreeRegressor

    x, _ = clouds()
    y = x[:, 0] ** 2 + x[:, 1]
    tree = DecisionTreeRegressor(max_depth=3, random_state=42).fit(x, y - y.mean())
    model = GradientBoostingRegressor(n_estimators=1, learning_rate=0.1, max_depth=3, random_state=42).fit(x, y)
    return bool(np.allclose(model.predict(x), y.mean() + 0.1 * tree.predict(x)))


CLAIMS: tuple[Claim, ...] = (
    wrong("2.11", "each level of a tree asks for one feature", "1", features_of_a_level,
          "every node chooses its own; the example beside the sentence, figure 2.7, shows as much"),
    unchecked("2.11", "figure 2.7: thresholds of 4 visits, 2 days and 10 days", "4 2 10",
              "an illustration; no data stand behind it"),
    right("2.11.2", "trees take missing values without preprocessing", "yes", tree_takes_gaps,
          "scikit-learn's have learned where to send them since 1.3"),
    right("2.13", "a bootstrap of 1,000 rows leaves some of them out", "above 0", lambda: (1 - 1 / 1000) ** 1000,
          "each is left out with probability 0.368"),
    right("2.13", "a tree of a random forest sees part of the rows", "below 1",
          lambda: rows_of_a_tree("RandomForestClassifier"), "drawing with replacement repeats some and misses others"),
    wrong("2.14", "a tree of extra trees sees a part of the rows, drawn without replacement", "below 1",
          lambda: rows_of_a_tree("ExtraTreesClassifier"),
          "the method and scikit-learn grow each tree from all rows; what is random are the splits"),
    wrong("2.14.1", "the listing loads the Boston data from scikit-learn", "yes", boston_is_there,
          "they were taken out in 1.2, because one column encodes race"),
    unchecked("2.14.1", "squared error on Boston and accuracy on Iris of extra trees", "–",
              "the listing would print them; the book does not"),
    right("2.15", "AdaBoost gives what was wrong more weight", "yes", misclassified_gain,
          "after its round the wrong rows weigh half of all"),
    right("2.15.1", "weak learners of the classifier are stumps, of depth", "1",
          lambda: depth_of_weak_learners("AdaBoostClassifier"), "scikit-learn's default"),
    wrong("2.15.1", "weak learners of the regressor are stumps, of depth", "1",
          lambda: depth_of_weak_learners("AdaBoostRegressor"),
          "scikit-learn's default for regression is a tree of three"),
    right("2.15.2", "AdaBoost does not mind the scale of the columns", "yes", scaling_changes_nothing,
          "its trees see the order of values only"),
    right("2.16", "a round of gradient boosting fits what the rounds before left", "yes", boosting_fits_residuals,
          "for squared errors: the mean first, then a tenth of a tree on the residuals"),
)  # fmt: skip
