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

from handbook.data.schema import encoder
from handbook.data.tables import Table
from handbook.training.models import effort

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
THREADS = 1  # for all alike: else the times compare how well each library shares its work


@dataclass(frozen=True)
class Algorithm:
    """One that takes part: an estimator of scaled numbers, and the settings that are searched, by name."""

    estimator: Any
    grid: dict[str, list[Any]] = field(default_factory=dict)
    slow: bool = False  # work grows with the square of the rows: learns from `slow_rows` of each training fold


@dataclass(frozen=True)
class Contest:
    """What all algorithms share: rows, folds, the score by which settings are chosen, and the metrics of an answer."""

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

    def subsample(self, rows: Rows, number: int) -> Rows:
        """A stratified subsample of `number` rows; all of them if there are no more."""
        from sklearn.model_selection import train_test_split

        if number >= len(rows):
            return rows
        labels = self.table.target[rows] if self.table.classes else None
        drawn = train_test_split(rows, train_size=number, random_state=self.seed, stratify=labels)[0]
        return np.sort(drawn)


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

    part = contest.table.take(contest.subsample(rows, contest.slow_rows) if algorithm.slow else rows)
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
    table, rows = contest.table, contest.subsample(train, round(share * len(train)))
    model = settled(contest, algorithm, chosen, rows)
    measures: dict[str, float] = {"rows": len(rows)}
    for name, judged in (("train", rows), ("valid", valid)):
        measured = contest.measure(table.target[judged], contest.answer(model, table.features.iloc[judged]))
        measures |= {f"{name}_{key}": value for key, value in measured.items()}
    return measures


def settled(contest: Contest, algorithm: Algorithm, chosen: dict[str, Any], rows: Rows) -> Pipeline:
    """The algorithm with these settings, fitted on these rows, or on as many of them as it can take."""
    part = contest.table.take(contest.subsample(rows, contest.slow_rows) if algorithm.slow else rows)
    return with_settings(part, algorithm, chosen).fit(part.features, part.target)


def with_settings(table: Table, algorithm: Algorithm, chosen: dict[str, Any]) -> Pipeline:
    """The algorithm's pipeline, not yet fitted, with these settings."""
    return pipeline(table, algorithm.estimator).set_params(
        **{f"model__{name}": chosen[name.rsplit("__", 1)[-1]] for name in algorithm.grid}
    )


@dataclass(frozen=True)
class Selection:
    """The result of a contest: facts of all algorithms as plain types, the best one fitted on all rows, its cost."""

    best: str
    estimator: Pipeline
    facts: dict[str, Any]
    history: list[dict[str, float]]
    training: dict[str, Any]


def compare(
    contest: Contest,
    algorithms: dict[str, Algorithm],
    *,
    primary: str,
    loss: str,
    shares: tuple[float, ...],
    plainest: str,
) -> Selection:
    """Compare all algorithms; the one with the best mean of the primary metric is fitted on all rows.

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
    return Selection(best, estimator, facts, curves[best], cost)


def _place(outcome: Outcome, primary: str, loss: str) -> tuple[float, float]:
    """What ranks: the primary metric, greatest first; where it is the same to six digits, the loss."""
    return -round(float(np.mean(outcome.scores[primary])), 6), float(np.mean(outcome.scores[loss]))


@contextmanager
def one_thread() -> Iterator[None]:
    """The same single thread for what `evaluate` fits once more."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(THREADS):
        yield
