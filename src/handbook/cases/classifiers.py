"""The classifiers of chapter 2, compared (sections 2.7 to 2.17).

Logistic regression, support vectors with a linear and an RBF kernel, nearest neighbours, discriminant analysis, a
pruned tree, and the ensembles of trees: forest, extra trees, AdaBoost, gradient and histogram boosting. All stand
behind the same scaling, see the same stratified folds, and choose what must be chosen inside the training folds.

The book shows support vectors on three toy points, extra trees on Iris, AdaBoost on generated rows, all others on data
that it never defines, and prints no score. Its settings (100 learners, depth 3, rate 0.1, seed 42) are kept.

The algorithm with the best cross-validated ROC-AUC is fitted on all training rows and judged on test rows that took
no part in choosing it. Support vectors and neighbours, whose work grows with the square of the rows, learn from
`slow_rows` of each fold; `rows` says from how many. All are given `duration`, known only after the call (chapter 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.contract import Split
from handbook.data import tables
from handbook.data.schema import categories, check_rows
from handbook.data.tables import Table
from handbook.evaluation import comparison
from handbook.evaluation.metrics import calibration, expected_calibration_error, majority
from handbook.evaluation.report import Report
from handbook.training import selection
from handbook.training.models import Fitted
from handbook.training.selection import Algorithm, Contest

if TYPE_CHECKING:
    import pandas as pd

PRIMARY = "roc_auc"  # one class against the rest, mean over classes, where there are more than two
PLAINEST = "logistic_regression"
SHARES = ("accuracy", "precision", "recall", "specificity", "f1", "roc_auc", "average_precision")
BOUNDS = dict.fromkeys(SHARES, (0.0, 1.0)) | {"log_loss": (0.0, np.inf)}
# Reviewed: each holds numbers and other estimators, and runs nothing when it is built.
TRUSTED = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
)
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Params:
    seed: int  # of folds and of every algorithm; the book's is 42
    split_seed: int  # of the split into training and test rows
    test_share: float
    n_folds: int
    inner_folds: int  # within each training fold, to choose settings by
    slow_rows: int  # rows that support vectors and neighbours learn from, at most
    n_neighbors: tuple[int, ...]  # among which nearest neighbours choose
    n_estimators: int  # learners of each ensemble
    shares: tuple[float, ...]  # of the training rows, for the learning curves

    def __post_init__(self) -> None:
        if not 0 < self.test_share < 1:
            raise ValueError(f"test_share must be in (0, 1), found {self.test_share}")
        if min(self.n_folds, self.inner_folds) < 2:
            raise ValueError(f"n_folds and inner_folds must be 2 or more, found {self.n_folds}, {self.inner_folds}")
        if min(self.slow_rows, self.n_estimators) < 1:
            raise ValueError(f"slow_rows, n_estimators must be 1 or more, found {self.slow_rows}, {self.n_estimators}")
        if not self.n_neighbors or not all(1 <= k <= self.slow_rows for k in self.n_neighbors):
            raise ValueError(f"n_neighbors must be in [1, slow_rows], found {self.n_neighbors}")
        if not self.shares or not all(0 < share <= 1 for share in self.shares):
            raise ValueError(f"shares must be in (0, 1], found {self.shares}")


def algorithms(params: Params) -> dict[str, Algorithm]:
    """All that take part, with the settings that are searched."""
    from sklearn import ensemble
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    def support(kernel: str) -> Any:
        """Margins made into probabilities by Platt's sigmoid, on rows held out from the margin."""
        return CalibratedClassifierCV(SVC(kernel=kernel), cv=3, ensemble=False)

    many: dict[str, Any] = {"n_estimators": params.n_estimators, "random_state": params.seed}
    return {
        "logistic_regression": Algorithm(LogisticRegression(max_iter=1000)),
        "linear_discriminant_analysis": Algorithm(LinearDiscriminantAnalysis()),
        "svc_linear": Algorithm(support("linear"), {"estimator__C": [0.01, 0.1, 1.0]}, slow=True),
        "svc_rbf": Algorithm(support("rbf"), {"estimator__C": [1.0, 10.0], "estimator__gamma": [0.01, 0.1]}, slow=True),
        "k_nearest_neighbours": Algorithm(
            KNeighborsClassifier(),
            {"n_neighbors": list(params.n_neighbors), "p": [1, 2]},
            slow=True,  # p: Manhattan, Euclidean
        ),
        "tree": Algorithm(DecisionTreeClassifier(random_state=params.seed), {"ccp_alpha": [1e-4, 3e-4, 1e-3, 1e-2]}),
        "random_forest": Algorithm(ensemble.RandomForestClassifier(**many)),
        "extra_trees": Algorithm(ensemble.ExtraTreesClassifier(**many)),
        "adaboost": Algorithm(ensemble.AdaBoostClassifier(**many)),
        "gradient_boosting": Algorithm(ensemble.GradientBoostingClassifier(learning_rate=0.1, max_depth=3, **many)),
        "histogram_boosting": Algorithm(
            ensemble.HistGradientBoostingClassifier(max_iter=params.n_estimators, random_state=params.seed)
        ),
    }


def contest(train: Table, params: Params) -> Contest:
    return Contest(
        train,
        params.n_folds,
        params.inner_folds,
        params.slow_rows,
        params.seed,
        "roc_auc_ovr",
        class_probabilities,
        measures,
    )


def class_probabilities(model: Any, features: pd.DataFrame) -> Array:
    """Class probabilities (N, K)."""
    return np.asarray(model.predict_proba(features))


def measures(labels: Array, probabilities: Array) -> dict[str, float]:
    """The metrics of 2.17 for labels (N,) and class probabilities (N, K).

    Of two classes the second is the positive one; of more, each is held against the rest and the mean is given.
    """
    from sklearn.metrics import average_precision_score, confusion_matrix, log_loss, roc_auc_score

    K = probabilities.shape[1]
    matrix = confusion_matrix(labels, probabilities.argmax(axis=1), labels=range(K))
    scored = slice(1, 2) if K == 2 else slice(None)
    hits = np.diag(matrix)
    called, actual = matrix.sum(axis=0), matrix.sum(axis=1)
    precision, recall = hits / np.maximum(called, 1), hits / np.maximum(actual, 1)
    specificity = 1 - (called - hits) / np.maximum(len(labels) - actual, 1)
    f1 = 2 * hits / np.maximum(called + actual, 1)
    each = {"precision": precision, "recall": recall, "specificity": specificity, "f1": f1}
    one_hot = (labels[:, None] == np.arange(K)).astype(int)[:, scored]
    return {
        "accuracy": float(hits.sum() / len(labels)),
        **{name: float(values[scored].mean()) for name, values in each.items()},
        "roc_auc": float(roc_auc_score(one_hot, probabilities[:, scored])),
        "average_precision": float(average_precision_score(one_hot, probabilities[:, scored])),
        "log_loss": float(log_loss(labels, probabilities, labels=range(K))),
    }


def split(data: Table, params: Params) -> Split[Table]:
    """Training and test rows, as the book splits; what has to be chosen is chosen inside the training rows."""
    train, test = tables.split(data, params.test_share, params.split_seed, stratify=False)
    return Split(train, None, test)


def fit(split: Split[Table], params: Params, run: Any = None) -> Fitted:
    """Compare all on the training rows; the best of them, fitted on all of these rows, is the model."""
    train = split.train
    end = selection.compare(
        contest(train, params),
        algorithms(params),
        primary=PRIMARY,
        loss="log_loss",
        shares=params.shares,
        plainest=PLAINEST,
    )
    facts = end.facts | {"classes": list(train.classes), "columns": categories(train.features)}
    return Fitted(end.estimator, params, facts, end.history, end.training)


def predict(model: Fitted, inputs: pd.DataFrame) -> pd.DataFrame:
    """The class of each row: label, its name, and its probability, 0-1.

    Raises ValueError for a missing or wrongly typed column; an unknown word is warned of.
    """
    import pandas as pd

    probabilities = class_probabilities(model.estimator, check_rows(inputs, model.facts["columns"]))
    label = probabilities.argmax(axis=1)
    names = np.asarray(model.facts["classes"])
    return pd.DataFrame({"label": label, "name": names[label], "probability": probabilities.max(axis=1)})


def example(split: Split[Table]) -> pd.DataFrame:
    """A few rows as a user would send them."""
    return split.test.features.iloc[:4].reset_index(drop=True)


def evaluate(model: Fitted, split: Split[Table]) -> Report:
    """The winner on the test rows; all algorithms by their cross-validated scores."""
    p, train, test = model.params, split.train, split.test
    probabilities = class_probabilities(model.estimator, test.features)
    best, ranked = model.facts["best"], comparison.compared(model.facts, BOUNDS)
    metrics = measures(test.target, probabilities) | {
        "expected_calibration_error": expected_calibration_error(test.target, probabilities),
        "algorithm": best,
        "algorithms": ranked,
    }
    baseline = majority(test.target, train.target, len(test.classes)) | {"roc_auc": 0.5}
    low, high = ranked[best]["interval"][PRIMARY]
    second = max((name for name in ranked if name != best), key=lambda name: float(ranked[name][PRIMARY]))
    return Report(
        metrics=metrics,
        baseline=baseline,
        interval=comparison.resampled(test.target, probabilities, measures, strata=True, seed=p.seed),
        figures=figures(model, train, test, probabilities),
        tables={
            "confusion": [
                {"actual": test.classes[a], "predicted": test.classes[b]}
                for a, b in zip(test.target, probabilities.argmax(axis=1), strict=True)
            ],
            "odds_ratios": odds_ratios(train, p)[0],
        },
        finding=(
            f"Of {len(ranked)} algorithms {comparison.display_name(best)} is best: ROC-AUC {ranked[best][PRIMARY]:.3f} "
            f"over {p.n_folds} folds ({low:.3f} to {high:.3f}), {metrics[PRIMARY]:.3f} on the test rows; "
            f"{comparison.display_name(second)} follows with {ranked[second][PRIMARY]:.3f}."
        ),
    )


def odds_ratios(train: Table, params: Params) -> tuple[list[dict[str, Any]], str]:
    """What multiplies the odds of the last class: a deviation more of a number, or having a word. Greatest first.

    Odds of that class against the other, or, of more than two, against the geometric mean of all.
    """
    with selection.one_thread():
        model = selection.pipeline(train, algorithms(params)["logistic_regression"].estimator)
        model.fit(train.features, train.target)
    weights = model[-1].coef_[-1]
    names = model[0].get_feature_names_out()
    order = np.argsort(-np.abs(weights))
    return [{"attribute": str(names[i]), "odds_ratio": float(np.exp(weights[i]))} for i in order], train.classes[-1]


def figures(model: Fitted, train: Table, test: Table, probabilities: Array) -> dict[str, Any]:
    """The page's pictures, each with its finding as title."""
    from sklearn.metrics import confusion_matrix

    from handbook.evaluation import figures as draw

    classes, predicted = train.classes, probabilities.argmax(axis=1)
    matrix = confusion_matrix(test.target, predicted, labels=range(len(classes)))
    bins = calibration(test.target, probabilities)
    best = comparison.display_name(model.facts["best"])
    error = expected_calibration_error(test.target, probabilities)
    importance = comparison.importances(model.estimator, test, "roc_auc_ovr", model.params.seed)
    ratios, against = odds_ratios(train, model.params)
    shown = ratios[:12]
    return {
        **comparison.pictures(
            model.facts, primary=PRIMARY, loss="log_loss", bounds=BOUNDS, label="ROC-AUC", loss_label="log-loss (nats)"
        ),
        "confusion": draw.confusion(
            matrix,
            classes,
            f"{comparison.capital(best)} errs in {int((predicted != test.target).sum()):,} of {len(test):,}",
        ),
        "reliability": draw.reliability(*bins, f"{comparison.capital(best)}: calibration error {error:.3f}"),
        "importances": draw.bars(
            importance[0],
            importance[1],
            f"{importance[0][0]} is worth most to {best}",
            "loss of ROC-AUC when shuffled",
            importance[2],
        ),
        "odds_ratios": draw.bars(
            [row["attribute"] for row in shown],
            np.log2([row["odds_ratio"] for row in shown]),
            f"{shown[0]['attribute']} multiplies the odds of {against!r} by {shown[0]['odds_ratio']:.2f}",
            "doublings of the odds (logistic regression)",
        ),
        "projection": _projection(train, test),
        "tree": comparison.drawn_tree(train, algorithms(model.params)["tree"], model.facts["chosen"]["tree"]),
    }


def _projection(train: Table, test: Table) -> Any:
    """Test rows on the axes that discriminant analysis found in the training rows (section 2.10)."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    from handbook.evaluation import figures as draw

    with selection.one_thread():
        axes = selection.pipeline(train, LinearDiscriminantAnalysis(n_components=min(2, len(train.classes) - 1)))
        points = axes.fit(train.features, train.target).transform(test.features)
    title = f"The discriminant axis of {train.classes[0]!r} and {train.classes[-1]!r}: they overlap where the bars do"
    if points.shape[1] > 1:
        share = axes[-1].explained_variance_ratio_[0]
        title = f"The first discriminant axis holds {share:.0%} of what separates the {len(train.classes)} classes"
    return draw.projection(points, test.target, train.classes, title)
