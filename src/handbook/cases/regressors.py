"""The regressors of chapter 2, compared (sections 2.5 to 2.17).

Linear and polynomial regression, lasso, ridge, support vectors with a linear and an RBF kernel, nearest neighbours, a
pruned tree, and the ensembles of trees. All stand behind the same scaling of attributes and target, see the same
folds, and choose penalty, degree, neighbours or pruning inside the training folds.

    lasso:  min ||y - Xw||^2 / 2N + alpha ||w||_1        ridge:  min ||y - Xw||^2 + alpha ||w||^2

The book's listing for the lasso fits plain linear regression, and the one for ridge uses names that it never defines;
here both are what they are called, with their paths of coefficients. `load_boston`, which it uses, is gone from
scikit-learn, because the attribute `b` of those data encodes race: they are here because its listing for extra trees
takes them, though it prints no score, and no judgement of homes or people should rest on them. Its other settings (100
trees, rate 0.1, depth 3, seed 42) are kept.

The algorithm with the best cross-validated R^2 is fitted on all training rows and judged on test rows that took no
part in choosing it. Adjusted R^2 counts the attributes of the table: 1 - (1 - R^2)(N - 1)/(N - p - 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.contract import Split
from handbook.data import tables
from handbook.data.schema import categories, check_rows
from handbook.data.tables import Table
from handbook.evaluation import comparison
from handbook.evaluation.report import Report
from handbook.training import selection
from handbook.training.models import Fitted
from handbook.training.selection import Algorithm, Contest

if TYPE_CHECKING:
    import pandas as pd

PRIMARY = "r2"
PLAINEST = "linear_regression"
ERRORS = ("mean_squared_error", "root_mean_squared_error", "mean_absolute_error")
BOUNDS = {"r2": (-np.inf, 1.0), "adjusted_r2": (-np.inf, 1.0)} | dict.fromkeys(ERRORS, (0.0, np.inf))
# Reviewed: each holds numbers and other estimators, and runs nothing when it is built.
TRUSTED = (
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
)
ALPHAS = np.logspace(-3, 0, 60)  # of the lasso's path, for a target of deviation 1
RIDGE_ALPHAS = np.logspace(-2, 5, 60)
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
    """All that take part, with the settings that are searched; penalties are for a target of deviation 1."""
    from sklearn import ensemble
    from sklearn.linear_model import Lasso, LinearRegression, Ridge
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import PolynomialFeatures
    from sklearn.svm import SVR
    from sklearn.tree import DecisionTreeRegressor

    polynomial = Pipeline([("powers", PolynomialFeatures(include_bias=False)), ("ridge", Ridge())])
    many: dict[str, Any] = {"n_estimators": params.n_estimators, "random_state": params.seed}
    return {
        "linear_regression": _scaled(LinearRegression()),
        "polynomial_regression": _scaled(polynomial, powers__degree=[1, 2, 3], ridge__alpha=[10.0, 100.0]),
        "lasso": _scaled(Lasso(max_iter=10_000), alpha=[0.001, 0.003, 0.01, 0.03, 0.1, 0.3]),
        "ridge": _scaled(Ridge(), alpha=[0.1, 1.0, 10.0, 100.0, 1000.0]),  # 0.1 is the book's
        "svr_linear": _scaled(SVR(kernel="linear"), slow=True, C=[0.01, 0.1, 1.0]),
        "svr_rbf": _scaled(SVR(), slow=True, C=[1.0, 3.0, 10.0, 30.0], gamma=[0.01, 0.03, 0.1]),
        "k_nearest_neighbours": _scaled(
            KNeighborsRegressor(),
            slow=True,
            n_neighbors=list(params.n_neighbors),
            p=[1, 2],  # p: Manhattan, Euclidean
        ),
        "tree": _scaled(DecisionTreeRegressor(random_state=params.seed), ccp_alpha=[0.0, 0.001, 0.003, 0.01, 0.03]),
        "random_forest": _scaled(ensemble.RandomForestRegressor(**many)),
        "extra_trees": _scaled(ensemble.ExtraTreesRegressor(**many)),
        "adaboost": _scaled(ensemble.AdaBoostRegressor(**many)),
        "gradient_boosting": _scaled(ensemble.GradientBoostingRegressor(learning_rate=0.1, max_depth=3, **many)),
        "histogram_boosting": _scaled(
            ensemble.HistGradientBoostingRegressor(max_iter=params.n_estimators, random_state=params.seed)
        ),
    }


def _scaled(regressor: Any, slow: bool = False, **grid: list[Any]) -> Algorithm:
    """With the target to mean 0 and deviation 1 as well, so that penalties and tubes mean the same on any data."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    scaled = TransformedTargetRegressor(regressor, transformer=StandardScaler())
    return Algorithm(scaled, {f"regressor__{name}": values for name, values in grid.items()}, slow)


def contest(train: Table, params: Params) -> Contest:
    measure = partial(measures, attributes=train.features.shape[1])
    return Contest(train, params.n_folds, params.inner_folds, params.slow_rows, params.seed, "r2", values, measure)


def values(model: Any, features: pd.DataFrame) -> Array:
    """Predicted values (N,)."""
    return np.asarray(model.predict(features))


def measures(target: Array, predicted: Array, attributes: int) -> dict[str, float]:
    """The metrics of 2.17 for values (N,) and predictions (N,) from so many attributes."""
    from sklearn.metrics import r2_score

    error = target - predicted
    mse, r2 = float(np.mean(error**2)), float(r2_score(target, predicted))
    spare = len(target) - attributes - 1  # none of the adjusted kind where there are more attributes than rows
    return {
        "r2": r2,
        "adjusted_r2": 1 - (1 - r2) * (len(target) - 1) / spare if spare > 0 else float("-inf"),
        "mean_squared_error": mse,
        "root_mean_squared_error": mse**0.5,
        "mean_absolute_error": float(np.abs(error).mean()),
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
        loss="mean_squared_error",
        shares=params.shares,
        plainest=PLAINEST,
    )
    return Fitted(end.estimator, params, end.facts | {"columns": categories(train.features)}, end.history, end.training)


def predict(model: Fitted, inputs: pd.DataFrame) -> pd.DataFrame:
    """The value of each row, in the target's unit.

    Raises ValueError for a missing or wrongly typed column; an unknown word is warned of.
    """
    import pandas as pd

    return pd.DataFrame({"value": values(model.estimator, check_rows(inputs, model.facts["columns"]))})


def example(split: Split[Table]) -> pd.DataFrame:
    """A few rows as a user would send them."""
    return split.test.features.iloc[:4].reset_index(drop=True)


def evaluate(model: Fitted, split: Split[Table]) -> Report:
    """The winner on the test rows; all algorithms by their cross-validated scores."""
    p, train, test = model.params, split.train, split.test
    predicted = values(model.estimator, test.features)
    measure = partial(measures, attributes=train.features.shape[1])
    best, ranked = model.facts["best"], comparison.compared(model.facts, BOUNDS)
    metrics = measure(test.target, predicted) | {"algorithm": best, "algorithms": ranked}
    low, high = ranked[best]["interval"][PRIMARY]
    second = max((name for name in ranked if name != best), key=lambda name: float(ranked[name][PRIMARY]))
    names, weights = coefficients(train, p)
    return Report(
        metrics=metrics,
        baseline=measure(test.target, np.full(len(test), train.target.mean())),
        interval=comparison.resampled(test.target, predicted, measure, strata=False, seed=p.seed),
        figures=figures(model, train, test, predicted),
        tables={
            "coefficients": [{"attribute": n, "deviations": float(w)} for n, w in zip(names, weights, strict=True)]
        },
        finding=(
            f"Of {len(ranked)} algorithms {comparison.display_name(best)} is best: R² {ranked[best][PRIMARY]:.3f} over "
            f"{p.n_folds} folds ({low:.3f} to {high:.3f}), {metrics[PRIMARY]:.3f} on the test rows; "
            f"{comparison.display_name(second)} follows with {ranked[second][PRIMARY]:.3f}."
        ),
    )


def coefficients(train: Table, params: Params) -> tuple[list[str], Array]:
    """Linear regression's: deviations of the target for a deviation of each attribute, greatest first."""
    model = selection.pipeline(train, algorithms(params)["linear_regression"].estimator)
    with selection.one_thread():
        model.fit(train.features, train.target)
    weights = model[-1].regressor_.coef_.ravel()
    order = np.argsort(-np.abs(weights))
    return [str(model[0].get_feature_names_out()[i]) for i in order], weights[order]


def scaled(train: Table) -> tuple[Array, Array, list[str]]:
    """Attributes (N, p) and target (N,), each of mean 0 and deviation 1, and the attributes' names."""
    from handbook.data.schema import encoder

    encode = encoder(train.features).set_output(transform="default")
    X = encode.fit_transform(train.features)
    return X, (train.target - train.target.mean()) / train.target.std(), list(encode.get_feature_names_out())


def lasso_path(X: Array, y: Array, alphas: Array) -> Array:
    """Coefficients (alphas, p) of the lasso for each penalty, by coordinate descent."""
    from sklearn.linear_model import lasso_path as path

    _, coefficients, _ = path(X, y, alphas=alphas)  # it sorts penalties downwards
    return np.asarray(coefficients.T[::-1] if alphas[0] < alphas[-1] else coefficients.T)


def ridge_path(X: Array, y: Array, alphas: Array) -> Array:
    """Coefficients (alphas, p) of ridge for each penalty, from one decomposition: V diag(s / (s^2 + alpha)) U'y."""
    U, s, V = np.linalg.svd(X, full_matrices=False)
    return np.asarray((s / (s**2 + alphas[:, None]) * (U.T @ y)) @ V)


def figures(model: Fitted, train: Table, test: Table, predicted: Array) -> dict[str, Any]:
    """The page's pictures, each with its finding as title."""
    from handbook.evaluation import figures as draw

    facts, best = model.facts, comparison.display_name(model.facts["best"])
    importance = comparison.importances(model.estimator, test, "r2", model.params.seed)
    names, weights = coefficients(train, model.params)
    X, y, attributes = scaled(train)
    with selection.one_thread():
        lasso, ridge = lasso_path(X, y, ALPHAS), ridge_path(X, y, RIDGE_ALPHAS)
        non_zero = int((lasso_path(X, y, np.array([facts["chosen"]["lasso"]["alpha"]]))[0] != 0).sum())
    penalty, change = "penalty alpha", "deviations of the target for one of the attribute"
    return {
        **comparison.pictures(
            facts, primary=PRIMARY, loss=ERRORS[0], bounds=BOUNDS, label="R²", loss_label="mean squared error"
        ),
        "predicted": draw.scatter(
            test.target, predicted, f"{comparison.capital(best)} on {len(test)} test rows", "actual", "predicted"
        ),
        "importances": draw.bars(
            importance[0],
            importance[1],
            f"{importance[0][0]} is worth most to {best}",
            "loss of R² when shuffled",
            importance[2],
        ),
        "coefficients": draw.bars(names, weights, f"Linear regression leans on {names[0]} most", change),
        "lasso_path": draw.paths(
            ALPHAS,
            dict(zip(attributes, lasso.T, strict=True)),
            f"Lasso: at the chosen alpha {facts['chosen']['lasso']['alpha']:g}, {non_zero} of {len(attributes)} remain",
            penalty,
            change,
        ),
        "ridge_path": draw.paths(
            RIDGE_ALPHAS,
            dict(zip(attributes, ridge.T, strict=True)),
            f"Ridge shrinks all and drops none; the chosen alpha is {facts['chosen']['ridge']['alpha']:g}",
            penalty,
            change,
        ),
        "tree": comparison.drawn_tree(train, algorithms(model.params)["tree"], facts["chosen"]["tree"]),
    }
