"""Chapter 2, how models are judged: section 2.17."""

from __future__ import annotations

import numpy as np

from handbook.claims.claim import Claim, metric, right, unchecked, wrong
from handbook.claims.trials import clouds

# eight found, two false alarms, four missed, six rightly left alone
TRUTH = np.repeat([1, 0, 1, 0], [8, 2, 4, 6])
FOUND = np.repeat([1, 1, 0, 0], [8, 2, 4, 6])
TP, FP, FN, TN = 8, 2, 4, 6


def score(name: str) -> float:
    """A metric of scikit-learn's on those twenty."""
    from sklearn import metrics

    return float(getattr(metrics, name)(TRUTH, FOUND))


def same(ours: float, name: str) -> bool:
    return bool(np.isclose(ours, score(name)))


def f1_is_the_harmonic_mean() -> bool:
    precision, recall = TP / (TP + FP), TP / (TP + FN)
    return same(2 * precision * recall / (precision + recall), "f1_score")


def specificity_is_the_recall_of_the_negatives() -> bool:
    from sklearn.metrics import recall_score

    return bool(np.isclose(TN / (TN + FP), recall_score(TRUTH, FOUND, pos_label=0)))


def r2_of_a_bad_guess() -> float:
    from sklearn.metrics import r2_score

    return float(r2_score([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]))


def adjusted(r2: float, n: int, k: int) -> float:
    """By the printed formula."""
    return 1 - (1 - r2) * (n - 1) / (n - k - 1)


def adjusted_compares_variances() -> bool:
    """Whether it is one less the unbiased variance left by the unbiased variance there was."""
    rng = np.random.default_rng(0)
    x, y = np.c_[np.ones(20), rng.standard_normal((20, 3))], rng.standard_normal(20)
    left, there = y - x @ np.linalg.lstsq(x, y, rcond=None)[0], y - y.mean()
    r2 = 1 - left @ left / (there @ there)
    return bool(np.isclose(adjusted(r2, 20, 3), 1 - (left @ left / 16) / (there @ there / 19)))


def one_error_of_ten() -> tuple[float, float]:
    """By how much mean squared and mean absolute error grow if one error of ten is ten times as large."""
    errors, spoiled = np.ones(10), np.append(np.ones(9), 10.0)
    return float((spoiled**2).mean() / (errors**2).mean()), float(np.abs(spoiled).mean() / np.abs(errors).mean())


def better_is(name: str) -> float:
    """A metric for surely right probabilities, less that for mere chance."""
    from sklearn import metrics

    labels = np.array([0, 1, 0, 1])
    return float(getattr(metrics, name)(labels, [0.01, 0.99, 0.02, 0.98]) - getattr(metrics, name)(labels, [0.5] * 4))


def validations_of_a_row() -> np.ndarray:
    """How often each of twenty rows is held out by five folds."""
    from sklearn.model_selection import KFold

    return np.bincount(np.concatenate([held for _, held in KFold(5).split(np.zeros(20))]))


def deep_tree_overfits() -> bool:
    from sklearn.tree import DecisionTreeClassifier

    x, labels = clouds(apart=1.0)
    tree = DecisionTreeClassifier(random_state=0).fit(x[:100], labels[:100])
    return bool(tree.score(x[:100], labels[:100]) == 1 > tree.score(x[100:], labels[100:]) + 0.1)


CLAIMS: tuple[Claim, ...] = (
    right("2.17.1", "a model that is too complex fits its rows and fails on new ones", "yes", deep_tree_overfits,
          "a tree without a limit knows its hundred rows by heart"),
    right("2.17.2", "K folds hold out each row once", "1", lambda: float(np.unique(validations_of_a_row()).item()),
          "the folds share no row and cover all"),
    right("2.17.3", "mean squared error gives large errors more weight than the mean absolute", "yes",
          lambda: one_error_of_ten()[0] > one_error_of_ten()[1],
          "one error of ten made ten times as large: 10.9 times against 1.9"),
    wrong("2.17.3", "R² lies in 0 to 1", "0 to 1", r2_of_a_bad_guess,
          "it is below zero for whatever is worse than the mean"),
    right("2.17.3", "the formula of adjusted R²", "yes", adjusted_compares_variances,
          "it compares variances in place of sums of squares"),
    wrong("2.17.3", "adjusted R² lies in 0 to 1; for R² 0.1, 10 rows and 5 columns it is", "0 to 1",
          lambda: adjusted(0.1, 10, 5), "its own formula goes below zero where columns are many and rows few"),
    wrong("2.17.3", "precision, by the first of two printed denominators (actual results)", "yes",
          lambda: same(TP / (TP + FN), "precision_score"),
          "what is actually positive is the denominator of the recall; the second form is right"),
    wrong("2.17.3", "recall, by the first of two printed denominators (predicted results)", "yes",
          lambda: same(TP / (TP + FP), "recall_score"),
          "what is predicted is the denominator of the precision; the second form is right"),
    right("2.17.3", "the formula of the precision", "yes", lambda: same(TP / (TP + FP), "precision_score"),
          "as scikit-learn's"),
    right("2.17.3", "the formula of the recall", "yes", lambda: same(TP / (TP + FN), "recall_score"),
          "as scikit-learn's"),
    right("2.17.3", "the formula of the accuracy", "yes", lambda: same((TP + TN) / 20, "accuracy_score"),
          "as scikit-learn's"),
    right("2.17.3", "the formula of the specificity", "yes", specificity_is_the_recall_of_the_negatives,
          "the recall of the negatives, by scikit-learn"),
    right("2.17.3", "the formula of F1", "yes", f1_is_the_harmonic_mean, "as scikit-learn's"),
    right("2.17.3", "a better model has a higher area under the ROC curve", "above 0",
          lambda: better_is("roc_auc_score"), "1 for a perfect order, 0.5 for none"),
    right("2.17.3", "a better model has a lower log loss", "below 0", lambda: better_is("log_loss"),
          "sure and right costs next to nothing"),
    right("2.17.3", "accuracy misleads where one class is rare: of always saying no, on the bank rows", "above 0.8",
          metric("rbf_book", "baseline", "accuracy"),
          "88 % of the clients refuse, so whoever says no is right as often"),
    unchecked("2.17.3", "figure 2.9: the folds of a cross-validation", "–", "a drawing without numbers"),
)  # fmt: skip
