"""What is searched: an algorithm, its settings and how its rows are prepared, as one space (Thornton et al. 2013).

A point of the space is a flat dictionary of plain values, as Optuna keeps it: `algorithm` first, then what only that
algorithm has, `MLP: alpha`. `pipeline` makes of it a scikit-learn pipeline that takes the bank's rows as they are.
What is prepared (words, numbers, what is missing, which columns are kept) is learnt from the rows that it is fitted on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from handbook.data.schema import categories

if TYPE_CHECKING:
    import optuna
    import pandas as pd

Settings = dict[str, Any]
ALGORITHMS = ("logistic regression", "random forest", "histogram boosting", "LightGBM", "random features", "MLP")
SCALED = ("logistic regression", "random features", "MLP")  # those to which an attribute's unit matters
MISSING, NEVER = "unknown", -1  # a word of the data; `pdays` of a client who was never called before
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SEED = 0


def suggest(trial: optuna.Trial) -> Settings:
    """Draw a point of the space; what another algorithm has is not drawn."""
    name = trial.suggest_categorical("algorithm", ALGORITHMS)
    trial.suggest_categorical("words", ["one-hot", "ordinal", "target"])
    trial.suggest_categorical("missing", ["as it stands", "imputed"])
    trial.suggest_categorical("day of the year", [False, True])
    trial.suggest_int("columns kept (%)", 40, 100, step=20)
    if name in SCALED:
        trial.suggest_categorical(f"{name}: numbers", ["standard", "quantiles"])
    _own(trial, name)
    return dict(trial.params)


def _own(trial: optuna.Trial, name: str) -> None:
    """The settings of an algorithm, in ranges about what people use."""
    if name == "logistic regression":
        trial.suggest_float(f"{name}: C", 1e-3, 1e2, log=True)
    elif name == "random forest":
        trial.suggest_int(f"{name}: min_samples_leaf", 1, 50, log=True)
        trial.suggest_float(f"{name}: max_features", 0.1, 0.8)
    elif name in ("histogram boosting", "LightGBM"):
        trial.suggest_float(f"{name}: learning_rate", 0.02, 0.3, log=True)
        trial.suggest_int(f"{name}: rounds", 40, 200, log=True)
        trial.suggest_int(f"{name}: leaves", 4, 48, log=True)
        trial.suggest_int(f"{name}: min_samples_leaf", 5, 100, log=True)
        trial.suggest_float(f"{name}: share of columns", 0.3, 1.0)
    elif name == "random features":
        trial.suggest_float(f"{name}: gamma", 1e-3, 0.3, log=True)
        trial.suggest_int(f"{name}: features", 50, 400, log=True)
        trial.suggest_float(f"{name}: C", 1e-2, 1e2, log=True)
    else:
        trial.suggest_int(f"{name}: units", 8, 64, log=True)
        trial.suggest_float(f"{name}: learning_rate", 3e-4, 1e-2, log=True)
        trial.suggest_float(f"{name}: alpha", 1e-4, 3.0, log=True)


def pipeline(settings: Settings, features: pd.DataFrame) -> Any:
    """A scikit-learn pipeline, not yet fitted, for rows with the columns of `features`. KeyError for half a point."""
    from sklearn.feature_selection import SelectPercentile, VarianceThreshold, f_classif
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    name = settings["algorithm"]
    rows = dated(features.head(2)) if settings["day of the year"] else features
    steps = [
        ("date", FunctionTransformer(dated if settings["day of the year"] else as_objects)),
        ("encode", _encoder(settings, rows)),
        ("varying", VarianceThreshold()),
        ("select", SelectPercentile(f_classif, percentile=settings["columns kept (%)"])),
        ("model", estimator(name, {key.removeprefix(f"{name}: "): value for key, value in settings.items()})),
    ]
    return Pipeline(steps)


def dated(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the day of the year beside day and month, a month as 30.5 days."""
    month = rows["month"].map({name: float(k) for k, name in enumerate(MONTHS)})
    return as_objects(rows.assign(day_of_year=month.fillna(5.5).astype(float) * 30.5 + rows["day"]))


def as_objects(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with words as Python's own, which the imputer of words asks for."""
    words = [name for name, known in categories(rows.head(2)).items() if known is not None]
    return rows.astype(dict.fromkeys(words, object))


def _encoder(settings: Settings, rows: pd.DataFrame) -> Any:
    """Words and numbers as numbers; what is missing stays a word and a -1, or becomes what is most usual."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    kinds, filled = categories(rows), settings["missing"] == "imputed"
    words = [name for name, known in kinds.items() if known is not None]
    numbers = [name for name, known in kinds.items() if known is None and not (filled and name == "pdays")]
    scaled = _scaler(settings)
    usual = [SimpleImputer(missing_values=MISSING, strategy="most_frequent")] if filled else []
    parts = [("words", make_pipeline(*usual, *_words(settings)), words), ("numbers", make_pipeline(*scaled), numbers)]
    if filled:
        median = SimpleImputer(missing_values=NEVER, strategy="median", add_indicator=True)
        parts.append(("never", make_pipeline(median, *_scaler(settings)), ["pdays"]))
    return ColumnTransformer(parts)


def _words(settings: Settings) -> list[Any]:
    from sklearn.model_selection import StratifiedKFold
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

    kind = settings["words"]
    if kind == "one-hot":
        return [OneHotEncoder(handle_unknown="ignore", sparse_output=False)]
    coder = (
        TargetEncoder(cv=StratifiedKFold(5, shuffle=True, random_state=SEED))
        if kind == "target"
        else OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    )
    return [coder, StandardScaler()] if settings["algorithm"] in SCALED else [coder]


def _scaler(settings: Settings) -> list[Any]:
    """For numbers; those to whom units do not matter get them as they are."""
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    name = settings["algorithm"]
    if name not in SCALED:
        return ["passthrough"]
    if settings[f"{name}: numbers"] == "standard":
        return [StandardScaler()]
    return [QuantileTransformer(n_quantiles=100, output_distribution="normal", random_state=SEED), StandardScaler()]


def estimator(name: str, own: Settings) -> Any:
    """The algorithm with its own settings, on one thread and by one seed."""
    if name == "LightGBM":
        from lightgbm import LGBMClassifier

        return LGBMClassifier(
            learning_rate=own["learning_rate"], n_estimators=own["rounds"], num_leaves=own["leaves"],
            min_child_samples=own["min_samples_leaf"], colsample_bytree=own["share of columns"],
            random_state=SEED, n_jobs=1, verbosity=-1, deterministic=True, force_row_wise=True,
        )  # fmt: skip
    if name == "MLP":
        from sklearn.neural_network import MLPClassifier

        return MLPClassifier(
            hidden_layer_sizes=(own["units"],), learning_rate_init=own["learning_rate"], alpha=own["alpha"],
            max_iter=20, random_state=SEED,
        )  # fmt: skip
    return _trees(name, own) if name in ("random forest", "histogram boosting") else _linear(name, own)


def _trees(name: str, own: Settings) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

    if name == "random forest":
        return RandomForestClassifier(
            n_estimators=80, min_samples_leaf=own["min_samples_leaf"], max_features=own["max_features"],
            random_state=SEED, n_jobs=1,
        )  # fmt: skip
    return HistGradientBoostingClassifier(
        learning_rate=own["learning_rate"], max_iter=own["rounds"], max_leaf_nodes=own["leaves"],
        min_samples_leaf=own["min_samples_leaf"], max_features=own["share of columns"], early_stopping=False,
        random_state=SEED,
    )  # fmt: skip


def _linear(name: str, own: Settings) -> Any:
    from sklearn.kernel_approximation import RBFSampler
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    line = LogisticRegression(C=own["C"], max_iter=200)
    if name == "logistic regression":
        return line
    return make_pipeline(RBFSampler(gamma=own["gamma"], n_components=own["features"], random_state=SEED), line)


def probabilities(fitted: Any, rows: pd.DataFrame) -> np.ndarray:
    """The probability (N,) of the second class."""
    return np.asarray(fitted.predict_proba(rows)[:, 1], dtype=np.float64)
