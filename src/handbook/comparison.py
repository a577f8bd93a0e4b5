"""Comparing algorithms on a table (section 2.17): the same folds for all, choices made inside the training folds.

What an algorithm has to choose, such as its neighbours or its penalty, is searched by cross-validation within the
training part of each fold; the scores of a fold have then seen none of its rows (Varma and Simon 2006).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.storage import effort
from handbook.tables import Table, encoder

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
Bounds = dict[str, tuple[float, float]]  # the least and the greatest value that each metric can have
THREADS = 1  # for all alike: else the times compare how well each library shares its work


@dataclass(frozen=True)
class Algorithm:
    """One that takes part: an estimator of scaled numbers, and the settings that are searched, by name."""

    estimator: Any
    grid: dict[str, list[Any]] = field(default_factory=dict)
    slow: bool = False  # work grows with the square of the rows: learns from `slow_rows` of each training fold


@dataclass(frozen=True)
class Contest:
    """What all share: rows, folds, the score by which settings are chosen, and the measures of an answer."""

    table: Table
    n_folds: int
    inner_folds: int
    slow_rows: int
    seed: int
    scoring: str  # scikit-learn's name, greater is better
    answer: Callable[[Any, Any], Array]  # (fitted pipeline, features of N rows) -> (N, ...)
    measure: Callable[[Array, Array], dict[str, float]]  # (target (N,), answers (N, ...)) -> metrics by name

    def folds(self, number: int | None = None) -> Any:
        """The splitter: shuffled by the seed, each class with the same share in every fold."""
        from sklearn.model_selection import KFold, StratifiedKFold

        kind = StratifiedKFold if self.table.classes else KFold
        return kind(number or self.n_folds, shuffle=True, random_state=self.seed)

    def parts(self) -> Iterator[tuple[Rows, Rows]]:
        """Training and validation rows of each fold, the same at every call."""
        yield from self.folds().split(self.table.features, self.table.target)

    def thinned(self, rows: Rows, number: int) -> Rows:
        """So many of the rows, each class with its share; all of them if there are no more."""
        from sklearn.model_selection import train_test_split

        if number >= len(rows):
            return rows
        labels = self.table.target[rows] if self.table.classes else None
        kept = train_test_split(rows, train_size=number, random_state=self.seed, stratify=labels)[0]
        return np.sort(kept)


def pipeline(table: Table, estimator: Any) -> Pipeline:
    """The estimator behind the encoder of these attributes: what scales is learnt with it, from the same rows."""
    from sklearn.base import clone
    from sklearn.pipeline import Pipeline

    return Pipeline([("encode", encoder(table.features)), ("model", clone(estimator))])


@dataclass(frozen=True)
class Trained:
    """A fitted pipeline, its time, and the mean scores of all settings that were tried."""

    estimator: Pipeline
    seconds: float  # of the fit with the chosen settings; the search is not in it
    rows: int
    tried: list[dict[str, Any]]


def fit(contest: Contest, algorithm: Algorithm, rows: Rows) -> Trained:
    """Search the grid by cross-validation within these rows, then fit on all of them."""
    from sklearn.model_selection import GridSearchCV

    part = contest.table.take(contest.thinned(rows, contest.slow_rows) if algorithm.slow else rows)
    model = pipeline(part, algorithm.estimator)
    if not algorithm.grid:
        started = time.perf_counter()
        model.fit(part.features, part.target)
        return Trained(model, time.perf_counter() - started, len(part), [])
    grid = {f"model__{name}": values for name, values in algorithm.grid.items()}
    search = GridSearchCV(
        model, grid, scoring=contest.scoring, cv=contest.folds(contest.inner_folds), error_score="raise"
    ).fit(part.features, part.target)
    scores = zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True)
    tried = [_plain(settings) | {"score": float(score)} for settings, score in scores]
    return Trained(search.best_estimator_, search.refit_time_, len(part), tried)


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings by the last part of their names: `model__estimator__C` is `C`."""
    return {name.rsplit("__", 1)[1]: value for name, value in settings.items()}


@dataclass(frozen=True)
class Outcome:
    """How one algorithm did: a score of each metric for each fold, what it tried, and seconds."""

    scores: dict[str, list[float]]
    tried: list[dict[str, Any]]  # settings and their mean `score` over the searches of all folds
    rows: int  # that it learnt from in a fold
    fit_seconds: float  # mean over folds
    predict_seconds: float  # mean over folds, for 1,000 rows

    @property
    def chosen(self) -> dict[str, Any]:
        """The settings that did best over the searches of all folds."""
        best = max(self.tried, key=lambda row: float(row["score"]), default={})
        return {key: value for key, value in best.items() if key != "score"}


def cross_validated(contest: Contest, algorithm: Algorithm) -> Outcome:
    """The scores on the validation part of each fold, settings searched in its training part (nested)."""
    table, scores, times, trained = contest.table, [], [], []
    for train, valid in contest.parts():
        trained.append(fit(contest, algorithm, train))
        started = time.perf_counter()
        answers = contest.answer(trained[-1].estimator, table.features.iloc[valid])
        times.append((trained[-1].seconds, (time.perf_counter() - started) / len(valid) * 1000))
        scores.append(contest.measure(table.target[valid], answers))
    fit_seconds, predict_seconds = np.mean(times, axis=0)
    searches = zip(*(each.tried for each in trained), strict=True)
    tried = [rows[0] | {"score": float(np.mean([row["score"] for row in rows]))} for rows in searches]
    by_metric = {name: [float(fold[name]) for fold in scores] for name in scores[0]}
    return Outcome(by_metric, tried, trained[-1].rows, float(fit_seconds), float(predict_seconds))


def fold_interval(values: list[float], least: float = -np.inf, most: float = np.inf) -> tuple[float, float]:
    """The 95 % interval of a mean over folds, widened because training folds overlap (Nadeau and Bengio 2003).

    It ends where the metric's values do: at `least` and `most`.
    """
    from scipy.stats import t

    n = len(values)
    spread = np.std(values, ddof=1) * np.sqrt(1 / n + 1 / (n - 1))  # a validation fold is 1/(n - 1) of a training one
    mean, half = float(np.mean(values)), float(t.ppf(0.975, n - 1) * spread)
    return max(mean - half, least), min(mean + half, most)


def learning_curve(
    contest: Contest, algorithm: Algorithm, chosen: dict[str, Any], shares: tuple[float, ...], loss: str
) -> list[dict[str, float]]:
    """Metrics on training and validation rows, mean over the folds, as the algorithm learns from more and more rows.

    A row a share of the training fold; `epoch` counts them, for whoever reads histories.
    """
    history = []
    for epoch, share in enumerate(shares, start=1):
        found = [_at(contest, algorithm, chosen, share, part) for part in contest.parts()]
        means = {key: float(np.mean([each[key] for each in found])) for key in found[0]}
        row = {"epoch": epoch, "rows": means.pop("rows"), "train_loss": means[f"train_{loss}"]}
        history.append(row | {"valid_loss": means[f"valid_{loss}"]} | means)
    return history


def _at(
    contest: Contest, algorithm: Algorithm, chosen: dict[str, Any], share: float, part: tuple[Rows, Rows]
) -> dict[str, float]:
    """The metrics of one fold on both of its parts, after learning from a share of its training part."""
    train, valid = part
    table, rows = contest.table, contest.thinned(train, round(share * len(train)))
    model = settled(contest, algorithm, chosen, rows)
    measures: dict[str, float] = {"rows": len(rows)}
    for name, judged in (("train", rows), ("valid", valid)):
        told = contest.measure(table.target[judged], contest.answer(model, table.features.iloc[judged]))
        measures |= {f"{name}_{key}": value for key, value in told.items()}
    return measures


def settled(contest: Contest, algorithm: Algorithm, chosen: dict[str, Any], rows: Rows) -> Pipeline:
    """The algorithm with these settings, fitted on these rows, or on as many of them as it can take."""
    part = contest.table.take(contest.thinned(rows, contest.slow_rows) if algorithm.slow else rows)
    return with_settings(part, algorithm, chosen).fit(part.features, part.target)


def with_settings(table: Table, algorithm: Algorithm, chosen: dict[str, Any]) -> Pipeline:
    """The algorithm's pipeline, not yet fitted, with these settings."""
    return pipeline(table, algorithm.estimator).set_params(
        **{f"model__{name}": chosen[name.rsplit("__", 1)[-1]] for name in algorithm.grid}
    )


@dataclass(frozen=True)
class Standing:
    """A contest that is over: facts of all, as plain types; the best one fitted on all rows; what it cost."""

    best: str
    estimator: Pipeline
    facts: dict[str, Any]
    history: list[dict[str, float]]
    training: dict[str, Any]


def hold(
    contest: Contest,
    algorithms: dict[str, Algorithm],
    *,
    primary: str,
    loss: str,
    shares: tuple[float, ...],
    plainest: str,
) -> Standing:
    """Let all take part; the one with the best mean of the primary metric is fitted on all rows.

    Learning curves are drawn for it and for `plainest`, the simplest of them, beside it.
    """
    from threadpoolctl import threadpool_limits

    started = time.perf_counter()
    with threadpool_limits(THREADS):
        outcomes = {name: cross_validated(contest, each) for name, each in algorithms.items()}
        best = min(outcomes, key=lambda name: _place(outcomes[name], primary, loss))
        chosen = {name: each.chosen for name, each in outcomes.items() if each.chosen}
        estimator = settled(contest, algorithms[best], chosen.get(best, {}), np.arange(len(contest.table)))
        curves = {
            name: learning_curve(contest, algorithms[name], chosen.get(name, {}), shares, loss)
            for name in dict.fromkeys((best, plainest))
        }
    facts = {
        "best": best,
        "chosen": chosen,
        "scores": {name: each.scores for name, each in outcomes.items()},
        "rows": {name: each.rows for name, each in outcomes.items()},
        "tried": {name: each.tried for name, each in outcomes.items() if each.tried},
        "curves": curves,
    }
    times = {
        name: {"fit_seconds": round(each.fit_seconds, 4), "predict_seconds_1000_rows": round(each.predict_seconds, 5)}
        for name, each in outcomes.items()
    }
    cost = effort(time.perf_counter() - started, len(contest.table)) | {"threads": THREADS, "algorithms": times}
    return Standing(best, estimator, facts, curves[best], cost)


def _place(outcome: Outcome, primary: str, loss: str) -> tuple[float, float]:
    """What ranks: the primary metric, greatest first; where it is the same to six digits, the loss."""
    return -round(float(np.mean(outcome.scores[primary])), 6), float(np.mean(outcome.scores[loss]))


def compared(facts: dict[str, Any], bounds: Bounds) -> dict[str, dict[str, Any]]:
    """Each algorithm's means over the folds with their intervals, the rows it learnt from, and its settings."""
    return {
        name: {metric: float(np.mean(values)) for metric, values in scores.items()}
        | {"interval": {key: list(fold_interval(values, *bounds[key])) for key, values in scores.items()}}
        | {"rows": facts["rows"][name], "chosen": facts["chosen"].get(name, {})}
        for name, scores in facts["scores"].items()
    }


@contextmanager
def one_thread() -> Iterator[None]:
    """The same single thread for what `evaluate` fits once more."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(THREADS):
        yield


def resampled(
    target: Array, answers: Array, measure: Callable[[Array, Array], dict[str, float]], strata: bool, seed: int
) -> dict[str, tuple[float, float]]:
    """95 % bootstrap intervals of every measure on test rows, drawn within each class where there are classes."""
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(target == label) for label in np.unique(target)] if strata else [np.arange(len(target))]
    draws = [np.concatenate([rng.choice(group, len(group)) for group in groups]) for _ in range(200)]
    found = [measure(target[rows], answers[rows]) for rows in draws]
    bounds = {name: np.percentile([each[name] for each in found], [2.5, 97.5]) for name in found[0]}
    return {name: (float(low), float(high)) for name, (low, high) in bounds.items()}


def importances(model: Any, table: Table, scoring: str, seed: int, rows: int = 3000) -> tuple[list[str], Array, Array]:
    """Permutation importances (Breiman 2001): attributes, greatest first, what of the score each is worth, spread."""
    from sklearn.inspection import permutation_importance

    some = table.take(np.arange(min(rows, len(table))))  # a test split is shuffled already
    with one_thread():
        found = permutation_importance(
            model, some.features, some.target, scoring=scoring, n_repeats=5, random_state=seed
        )
    order = np.argsort(-found.importances_mean)
    names = [str(some.features.columns[i]) for i in order]
    return names, found.importances_mean[order], found.importances_std[order]


def pictures(
    facts: dict[str, Any], *, primary: str, loss: str, bounds: Bounds, label: str, loss_label: str
) -> dict[str, Any]:
    """What every comparison shows: the ranking, the learning curves, and the validation curves of the searches."""
    from handbook import figures as draw

    ranked = compared(facts, bounds)
    names = sorted(ranked, key=lambda name: (name != facts["best"], -ranked[name][primary]))
    values = np.array([ranked[name][primary] for name in names])
    intervals = np.array([ranked[name]["interval"][primary] for name in names])
    level = int((intervals[:, 1] >= values[0]).sum()) - 1
    chosen = {name: _validation_lines(tried) for name, tried in facts["tried"].items()}
    curves = {
        name: {
            part: (np.array([row["rows"] for row in rows]), np.array([row[f"{part}_{loss}"] for row in rows]))
            for part in ("train", "valid")
        }
        for name, rows in facts["curves"].items()
    }
    last = next(iter(facts["curves"].values()))[-1]
    return {
        "ranking": draw.ranking(
            [f"{spoken(name)} ({ranked[name]['rows']:,} rows)" for name in names], values, intervals,
            f"{capital(spoken(names[0]))} is best; {level} more come within their intervals of it",
            f"{label}, mean and 95 % interval over folds",
        ),
        "learning_curves": draw.panels(
            {spoken(name): lines for name, lines in curves.items()},
            f"{capital(spoken(facts['best']))} on all rows: {last[f'train_{loss}']:.3f} in training, "
            f"{last[f'valid_{loss}']:.3f} held out", ["training rows"] * len(curves), loss_label,
        ),
        "validation_curves": draw.panels(
            {spoken(name): lines for name, (_, lines) in chosen.items()},
            "The settings that were searched, and what each scores", [axis for axis, _ in chosen.values()], label,
        ),
    }  # fmt: skip


def spoken(name: str) -> str:
    """`svc_rbf` as people write it."""
    return name.replace("_", " ").replace("svc", "SVC").replace("svr", "SVR").replace("rbf", "RBF")


def capital(words: str) -> str:
    """With a capital to begin a sentence, the others as they are."""
    return words[0].upper() + words[1:]


def _validation_lines(tried: list[dict[str, Any]]) -> tuple[str, dict[str, tuple[Array, Array]]]:
    """What was searched as lines: the setting with the most values is x, each combination of the others a line."""
    settings = [key for key in tried[0] if key != "score"]
    axis = max(settings, key=lambda key: len({row[key] for row in tried}))
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in tried:
        others = ", ".join(f"{key} {row[key]}" for key in settings if key != axis)
        lines.setdefault(others, []).append((row[axis], row["score"]))
    return axis, {name: tuple(np.array(sorted(points)).T) for name, points in lines.items()}


def drawn_tree(train: Table, algorithm: Algorithm, chosen: dict[str, Any]) -> Any:
    """The pruned tree in the attributes' own units: scaling moves no split, so none is needed to draw it."""
    from sklearn.base import clone
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OneHotEncoder

    from handbook import figures as draw
    from handbook.tables import categories

    words = [name for name, known in categories(train.features).items() if known is not None]
    unscaled = make_column_transformer(
        (OneHotEncoder(sparse_output=False), words), remainder="passthrough", verbose_feature_names_out=False
    )
    numbers = unscaled.fit_transform(train.features)
    tree = clone(getattr(algorithm.estimator, "regressor", algorithm.estimator)).set_params(**chosen)
    tree.fit(numbers, train.target)
    names = [str(name) for name in unscaled.get_feature_names_out()]
    root = names[tree.tree_.feature[0]] if tree.tree_.node_count > 1 else "nothing"
    title = f"The pruned tree asks for {root} first, and has {tree.get_n_leaves()} leaves"
    return draw.tree(tree, names, train.classes or None, title)
