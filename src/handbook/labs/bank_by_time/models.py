"""Models for rows of words and numbers, with settings near those of the cases of chapter 7.

They are those of well-known libraries, since a lab takes nothing from a case; what counts here is not the last
thousandth of a score but how much of it is left when time goes on.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from handbook.data.schema import categories
from handbook.labs.bank_by_time.calls import DATE, Array

if TYPE_CHECKING:
    import pandas as pd

Model = Callable[["pd.DataFrame"], Array]  # the probability (N,) of yes for rows
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ROUNDS, RATE, LEAVES, SHARE = 150, 0.05, 31, 0.5  # of all boosted trees; the share is of attributes, a split
CENTRES, NEAREST, EPOCHS = 400, 10, 8
DAY = "day of the year"


def dated(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the day of the year beside day and month, where they have both."""
    if not set(DATE) <= set(rows):
        return rows
    return rows.assign(**{DAY: rows["month"].map(MONTHS.index) * 30.5 + rows["day"]})


def _encoder(rows: pd.DataFrame, words: Any, numbers: Any) -> Any:
    from sklearn.compose import ColumnTransformer

    kinds = categories(rows)
    texts = [name for name, known in kinds.items() if known is not None]
    return ColumnTransformer(
        [("words", words, texts), ("numbers", numbers, [each for each in kinds if each not in texts])]
    )


def _numbered(rows: pd.DataFrame) -> tuple[Any, list[bool]]:
    """What makes rows numbers for trees, a word its place or missing if it is unknown; which columns are words."""
    from sklearn.preprocessing import OrdinalEncoder

    words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    encoder = _encoder(rows, words, "passthrough").fit(rows)
    many = len(encoder.named_transformers_["words"].categories_)
    return encoder, [k < many for k in range(rows.shape[1])]


def _trees(rows: pd.DataFrame, fit: Callable[[Array, list[bool]], Any]) -> Model:
    encoder, is_word = _numbered(dated(rows))
    fitted = fit(encoder.transform(dated(rows)), is_word)
    return lambda new: np.asarray(fitted.predict_proba(encoder.transform(dated(new)))[:, 1], dtype=np.float64)


def boosting(rows: pd.DataFrame, answers: Array) -> Model:
    """Scikit-learn's trees over binned values, words as categories."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return _trees(
        rows,
        lambda x, is_word: HistGradientBoostingClassifier(
            learning_rate=RATE, max_iter=ROUNDS, max_leaf_nodes=LEAVES, max_features=SHARE, l2_regularization=1.0,
            early_stopping=False, categorical_features=is_word, random_state=0,
        ).fit(x, answers),
    )  # fmt: skip


def lightgbm(rows: pd.DataFrame, answers: Array) -> Model:
    """LightGBM on the same budget: rounds, rate, leaves, share of the attributes a split."""
    from lightgbm import LGBMClassifier

    return _trees(
        rows,
        lambda x, is_word: LGBMClassifier(
            n_estimators=ROUNDS, learning_rate=RATE, num_leaves=LEAVES, feature_fraction_bynode=SHARE, reg_lambda=1.0,
            n_jobs=1, random_state=0, deterministic=True, force_row_wise=True, verbose=-1,
        ).fit(x, answers, categorical_feature=np.flatnonzero(is_word).tolist()),
    )  # fmt: skip


def xgboost(rows: pd.DataFrame, answers: Array) -> Model:
    """XGBoost on the same budget, growing the leaf that gains most, as the others do."""
    from xgboost import XGBClassifier

    return _trees(
        rows,
        lambda x, is_word: XGBClassifier(
            n_estimators=ROUNDS, learning_rate=RATE, max_leaves=LEAVES, max_depth=0, grow_policy="lossguide",
            colsample_bynode=SHARE, reg_lambda=1.0, tree_method="hist", n_jobs=1, random_state=0,
            enable_categorical=True, feature_types=["c" if each else "q" for each in is_word],
        ).fit(x, answers),
    )  # fmt: skip


def _bent(rows: pd.DataFrame) -> Any:
    """Words one-hot and numbers bent to a normal curve, for what takes sums or distances."""
    from sklearn.preprocessing import OneHotEncoder, QuantileTransformer

    numbers = QuantileTransformer(n_quantiles=min(200, len(rows)), output_distribution="normal", random_state=0)
    return _encoder(rows, OneHotEncoder(handle_unknown="ignore", sparse_output=False), numbers).fit(rows)


def perceptrons(rows: pd.DataFrame, answers: Array) -> Model:
    """A network of one hidden layer, trained for a few passes: more would learn the rows by heart."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    encoder = _bent(dated(rows))
    network = MLPClassifier(
        (64,), alpha=0.01, batch_size=128, learning_rate_init=0.002, max_iter=EPOCHS, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is stopped before, on purpose
        network.fit(encoder.transform(dated(rows)), answers)
    return lambda new: np.asarray(network.predict_proba(encoder.transform(dated(new)))[:, 1])


def radial(rows: pd.DataFrame, answers: Array) -> Model:
    """exp(-d² / 2σ²) around rows drawn as centres, σ the mean distance to the nearest of them; a logistic output."""
    from scipy.spatial.distance import cdist
    from sklearn.linear_model import LogisticRegression

    encoder = _bent(dated(rows))
    x = encoder.transform(dated(rows))
    drawn = np.random.default_rng(0).choice(len(x), min(CENTRES, len(x)), replace=False)
    centres = x[drawn]
    sigma = float(np.sort(cdist(centres, centres), axis=1)[:, 1 : NEAREST + 1].mean())

    def activations(values: Array) -> Array:
        return np.asarray(np.exp(-cdist(values, centres, "sqeuclidean") / (2 * sigma**2)))

    fitted = LogisticRegression(C=10.0, solver="newton-cholesky", max_iter=50).fit(activations(x), answers)
    return lambda new: np.asarray(fitted.predict_proba(activations(encoder.transform(dated(new))))[:, 1])


MODELS: dict[str, Callable[[Any, Array], Model]] = {
    "boosting": boosting,
    "LightGBM": lightgbm,
    "XGBoost": xgboost,
    "perceptrons": perceptrons,
    "RBF network": radial,
}
