"""Chapter 2, machine learning, from linear regression to discriminant analysis: 2.1 to 2.10."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.claims.claim import Claim, check, right, unchecked, wrong
from handbook.claims.trials import clouds, runs

Array = npt.NDArray[np.float64]
X = np.arange(1.0, 6.0)[:, None]  # section 2.6.1: five inputs, and twice as much as targets
Y = 2 * X[:, 0]


def line(*at: float) -> Array:
    """What least squares predicts from the five points."""
    from sklearn.linear_model import LinearRegression

    return np.asarray(LinearRegression().fit(X, Y).predict(np.array(at)[:, None]))


def outlier_moves_the_line() -> bool:
    """One target of five goes from 10 to 100: whether the slope moves by more than itself."""
    from sklearn.linear_model import LinearRegression

    spoiled = np.where(Y.max() == Y, 100, Y)
    return bool(abs(LinearRegression().fit(X, spoiled).coef_[0] - 2) > 2)


def lasso_as_listed() -> bool:
    """One row of five columns against five targets."""
    from sklearn.linear_model import LinearRegression

    return runs(lambda: LinearRegression().fit(X.T, Y))


def shrunk(model: str) -> Array:
    """The coefficients of a penalised regression with two useless columns among three."""
    from sklearn import linear_model

    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 3))
    return np.asarray(getattr(linear_model, model)(alpha=0.5).fit(x, 2 * x[:, 0] + rng.standard_normal(50)).coef_)


def logistic(x: Array, labels: Any) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression().fit(x, labels)


def logistic_with_outliers() -> bool:
    """Five points of class 1 far on the wrong side: whether the model still divides the clouds as before."""
    x, labels = clouds()
    far = np.array([[-200.0, 0.0]] * 5)
    model = logistic(np.vstack([x, far]), np.concatenate([labels, np.ones(5)]))
    return bool(model.score(x, labels) > logistic(x, labels).score(x, labels) - 0.05)


def threshold_is_a_half() -> bool:
    x, labels = clouds(apart=1.0)
    model = logistic(x, labels)
    return bool(((model.predict_proba(x)[:, 1] > 0.5) == model.predict(x)).all())


def three_points(model: str, targets: list[float]) -> Any:
    """A linear support vector machine on the three points of section 2.8.1."""
    from sklearn import svm

    x = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    return getattr(svm, model)(kernel="linear").fit(x, targets).predict(x)


def separated() -> bool:
    return bool((three_points("SVC", [0, 1, 0]) == [0, 1, 0]).all())


def in_the_tube() -> bool:
    return bool((np.abs(three_points("SVR", [1, 2, 3]) - [1, 2, 3]) < 0.1 + 1e-3).all())


def gives_probabilities() -> bool:
    from sklearn.svm import SVC

    return hasattr(SVC().fit(*clouds()), "predict_proba")


def scaling_matters(kind: str) -> bool:
    """A second column of mere noise, a thousand times as wide: whether scaling gains more than 10 points."""
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    x, labels = clouds()
    x = x * np.array([1.0, 1000.0])
    model = SVC() if kind == "svc" else KNeighborsClassifier()
    plain = model.fit(x[:100], labels[:100]).score(x[100:], labels[100:])
    scaled = make_pipeline(StandardScaler(), model).fit(x[:100], labels[:100]).score(x[100:], labels[100:])
    return bool(scaled > plain + 0.1)


def neighbours(k: int, noise: float) -> tuple[float, float]:
    """Accuracy of k nearest neighbours on its own noisy labels, and on clean new ones."""
    from sklearn.neighbors import KNeighborsClassifier

    x, labels = clouds(400)
    noisy = np.where(np.random.default_rng(1).random(200) < noise, 1 - labels[:200], labels[:200])
    model = KNeighborsClassifier(k).fit(x[:200], noisy)
    return float(model.score(x[:200], noisy)), float(model.score(x[200:], labels[200:]))


def distances_agree() -> bool:
    from sklearn.metrics import pairwise_distances

    a, b = np.random.default_rng(0).standard_normal((2, 1, 6))
    return bool(
        np.isclose(pairwise_distances(a, b)[0, 0], np.sqrt(((a - b) ** 2).sum()))
        and np.isclose(pairwise_distances(a, b, metric="manhattan")[0, 0], np.abs(a - b).sum())
    )


def discriminant_is_the_first_eigenvector() -> bool:
    """Whether the direction of LDA is the eigenvector of S_w⁻¹ S_b with the largest eigenvalue."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x, labels = clouds()
    means = [x[labels == each].mean(axis=0) for each in (0, 1)]
    within = sum((x[labels == each] - means[each]).T @ (x[labels == each] - means[each]) for each in (0, 1))
    between = 100 * sum(np.outer(m - x.mean(axis=0), m - x.mean(axis=0)) for m in means)
    values, vectors = np.linalg.eig(np.linalg.solve(within, between))
    ours = np.real(vectors[:, np.argmax(np.real(values))])
    theirs = LinearDiscriminantAnalysis(solver="eigen").fit(x, labels).scalings_[:, 0]
    return bool(np.isclose(abs(ours @ theirs), np.linalg.norm(ours) * np.linalg.norm(theirs)))


def discriminant_needs(what: str) -> bool:
    """Whether LDA loses over 2 points to the best rule there is, where clouds overlap or one is nine times rarer."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x, labels = clouds(4000, apart=2.0)
    kept = slice(None) if what == "separable classes" else (labels == 0) | (np.arange(4000) % 18 == 1)
    x, labels = x[kept], labels[kept]
    border = 1 + np.log((1 - labels.mean()) / labels.mean()) / 2  # where the two densities times shares are equal
    best = ((x[:, 0] > border) == labels).mean()
    return bool(LinearDiscriminantAnalysis().fit(x, labels).score(x, labels) < best - 0.02)


CLAIMS: tuple[Claim, ...] = (
    unchecked("2.1", "the term machine learning is of 1959", "1959", "a date of history, which nothing here computes"),
    right("2.4.4", "rows without labels improve what few labels teach: digits, 30 of 2,000 labelled", "above 0",
          check("few_labels", "digits: 30 labels, label spreading over logistic regression, at least"),
          "on digits by label spreading; on garments it gains nothing over regression, and self-training nowhere"),
    wrong("2.5.2", "classifiers give each class a probability", "yes", gives_probabilities,
          "a support vector machine gives distances from its border, and probabilities only by a calibration on top"),
    right("2.6.1", "five points of y = 2x, predicted at 6, 7 and 8", "12 14 16", lambda: line(6, 7, 8),
          "the points lie on a line, which least squares finds exactly"),
    right("2.6.2", "one outlier pulls the line far off", "yes", outlier_moves_the_line,
          "errors count squared: a target of 100 in place of 10 makes the slope ten times as steep"),
    wrong("2.6.4", "penalty of the coefficients 1 and −1, by the printed formula", "0",
          lambda: float(np.abs([1.0, -1.0]).sum()), "the formula lacks the absolute value, which the text has"),
    right("2.6.4", "the lasso sets coefficients of useless columns to zero", "yes",
          lambda: bool((shrunk("Lasso")[1:] == 0).all()), "both useless columns of three get exactly zero"),
    wrong("2.6.4", "the listing runs", "yes", lasso_as_listed,
          "its inputs are one row of five columns against five targets, and it fits least squares, not the lasso"),
    right("2.6.5", "ridge shrinks coefficients without setting any to zero", "yes",
          lambda: bool((shrunk("Ridge") != 0).all()), "none of three is exactly zero"),
    unchecked("2.6.5", "coefficients and squared error of a ridge with penalty 0.1", "–",
              "the listing names a table and a function that it never defines, and no result is printed"),
    right("2.7", "the sigmoid maps every logit into 0 to 1", "0 to 1",
          lambda: 1 / (1 + np.exp(-np.array([-30.0, 0.0, 30.0]))), "its limits are 0 and 1"),
    right("2.7", "a class is assigned by the threshold 0.5", "yes", threshold_is_a_half,
          "scikit-learn predicts the class whose probability is above a half"),
    wrong("2.7", "logistic regression is robust to outliers", "yes", logistic_with_outliers,
          "five far points of two hundred spoil it: a logit grows without bound with the distance"),
    right("2.8", "a support vector regression lets points lie within a margin", "yes", in_the_tube,
          "the three points of the listing are met to within its tube of 0.1"),
    wrong("2.8.1", "the hyperplane separates the classes of the listing's three points", "yes", separated,
          "the points lie on a line and the middle one is of the other class: no hyperplane can"),
    right("2.8.2", "support vector machines need scaled columns", "yes", lambda: scaling_matters("svc"),
          "a useless column a thousand times as wide costs more than ten points"),
    right("2.9", "the formulas of Euclid's and of the Manhattan distance", "yes", distances_agree,
          "they are those of scikit-learn"),
    right("2.9", "a small K fits its own noise", "1", lambda: neighbours(1, 0.2)[0],
          "with K = 1 every point is its own neighbour: all noisy labels are repeated"),
    wrong("2.9.2", "nearest neighbours are robust to noise (an advantage)", "yes",
          lambda: neighbours(1, 0.2)[1] > 0.9,
          "the list of disadvantages says the opposite, and for small K it is right; a large K evens it out"),
    right("2.9.2", "a larger K evens noise out", "yes", lambda: neighbours(25, 0.2)[1] > neighbours(1, 0.2)[1] + 0.1,
          "25 neighbours outvote a fifth of wrong labels"),
    right("2.9.2", "nearest neighbours need scaled columns", "yes", lambda: scaling_matters("knn"),
          "the widest column decides who is near"),
    right("2.10", "discriminants are eigenvectors of the between by the within scatter", "yes",
          discriminant_is_the_first_eigenvector,
          "if the printed fraction is read as the inverse of one times the other"),
    wrong("2.10.2", "LDA assumes that the classes can be separated by a line", "yes",
          lambda: discriminant_needs("separable classes"),
          "it assumes normal classes of one covariance; where two such overlap it is as good as any rule"),
    wrong("2.10.2", "LDA needs classes of about the same size", "yes", lambda: discriminant_needs("equal shares"),
          "it takes their shares into account: at nine to one it is as good as the best rule"),
)  # fmt: skip
