"""The search: trials on a part of the rows, the best few on all of them, the best of those looked at once.

A trial is judged by ROC-AUC in folds of the part; one that does worse after a fold than the median of those that were
judged to the end is given up there. The finalists, the best few, are judged by folds of all development rows
(successive halving in two rungs, Jamieson and Talwalkar 2016), the best of these learns from all development rows, and
the test rows judge it.

Two searches with the same budget: TPE (Bergstra et al. 2011), which draws where good trials lie close and bad ones do
not, and drawing at random (Bergstra and Bengio 2012). The budget is counted in trials, not in seconds: else the result
would depend on the machine. Beside them a model with the settings that were found by hand for these rows
(those of a member of `boosting_before_call`), and one that nobody has set anything of.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data.schema import categories
from handbook.data.studies import Study
from handbook.data.subsets import plan_for
from handbook.data.tables import Table
from handbook.evaluation import paired
from handbook.labs.automl.space import SEED, Settings, dated, pipeline, probabilities, suggest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import optuna
    import pandas as pd

Floats = npt.NDArray[np.float64]
PART, FOLDS, FINALISTS, STARTUP = 6000, 3, 3, 8
TRIALS, SAMPLE_TRIALS = 40, 6  # each search; and of a drawn sample
SEARCHES = ("TPE", "random")
# A member of `boosting_before_call` in params.yaml, which lies above a lab; a test holds the two to each other.
BY_HAND: Settings = {
    "learning_rate": 0.05, "max_iter": 600, "max_leaf_nodes": 31, "min_samples_leaf": 20, "l2_regularization": 1.0,
    "max_features": 0.35, "n_iter_no_change": 30,
}  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """One point of the space, and the ROC-AUC on each fold that it was judged by: not all, if it was given up."""

    settings: Settings
    ranges: dict[str, optuna.distributions.BaseDistribution]  # that the settings were drawn from
    folds: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the folds that there are."""
        return float(np.mean(self.folds))

    @property
    def score(self) -> float:
        """Over all folds; -inf of a trial that was given up."""
        return self.mean if len(self.folds) == FOLDS else -np.inf


@dataclass(frozen=True)
class Found:
    """One search: its trials in order, the scores of its finalists on all rows, and what it chose."""

    trials: list[Trial]
    finalists: list[Trial]  # the best first
    scores: Floats  # (N,) of the test rows

    @property
    def chosen(self) -> Settings:
        return self.finalists[0].settings

    @property
    def best(self) -> Floats:
        """The best score so far after each trial, (trials,); -inf before the first that was not given up."""
        return np.maximum.accumulate([each.score for each in self.trials])


@dataclass(frozen=True)
class Results:
    """Both searches, and all models on the test rows: `paired.areas`, of the models by name."""

    searches: dict[str, Found]
    areas: dict[str, Floats]
    importance: dict[str, float]  # of each setting, over the trials of both searches; sums to 1


@cache
def results(study: Study) -> Results:
    """Search twice, train what was chosen and what it is held against; on one thread, so the same numbers twice."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), quiet():
        found = {name: search(study, name) for name in SEARCHES}
        scores = {f"searched by {name}": each.scores for name, each in found.items()}
        scores |= {"made by hand": by_hand(study), "default settings": default(study)}
        areas = paired.areas(study.test.target, scores, np.random.default_rng(SEED))
        return Results(found, areas, importance(found))


class quiet(warnings.catch_warnings):  # noqa: N801 (used like a function)
    """Trials are short on purpose; that they have not converged is what their score says."""

    def __enter__(self) -> Any:
        from sklearn.exceptions import ConvergenceWarning

        entered = super().__enter__()
        warnings.simplefilter("ignore", ConvergenceWarning)
        return entered


def search(study: Study, name: str) -> Found:
    """One search on the development rows; the test rows are scored at the end."""
    rows = study.development
    part = subsample(rows, PART)
    tried = run(part, name, plan_for(len(rows), TRIALS, SAMPLE_TRIALS))
    ranked = sorted(tried, key=lambda each: -each.score)
    final = [_judged(each, rows, known=part is rows) for each in ranked[:FINALISTS]]
    final.sort(key=lambda each: -each.score)
    fitted = pipeline(final[0].settings, rows.features).fit(rows.features, rows.target)
    return Found(tried, final, probabilities(fitted, study.test.features))


def _judged(trial: Trial, rows: Table, known: bool) -> Trial:
    """A trial by the folds of these rows; `known` if it has been judged by these very folds, unless it was given up."""
    if known and len(trial.folds) == FOLDS:
        return trial
    return replace(trial, folds=tuple(fold_scores(rows, trial.settings)))


def subsample(rows: Table, number: int) -> Table:
    """So many rows, with the classes' shares; all of them if there are no more."""
    from sklearn.model_selection import train_test_split

    if number >= len(rows):
        return rows
    places = train_test_split(np.arange(len(rows)), train_size=number, random_state=SEED, stratify=rows.target)[0]
    return rows.take(np.sort(places))


def run(part: Table, name: str, trials: int) -> list[Trial]:
    """The trials of a search, by folds of these rows; the same for the same rows."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = (
        optuna.samplers.TPESampler(seed=SEED, n_startup_trials=min(STARTUP, trials // 2))
        if name == "TPE"
        else optuna.samplers.RandomSampler(seed=SEED + 1)  # not by TPE's seed: its first trials would be TPE's own
    )
    pruner = optuna.pruners.MedianPruner(n_startup_trials=STARTUP)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    return [_tried(study, part) for _ in range(trials)]


def _tried(study: optuna.Study, part: Table) -> Trial:
    """One trial more, given up after a fold if it is worse than the median of those that were judged to the end."""
    import optuna

    trial = study.ask()
    settings, scores = suggest(trial), []
    for k, score in enumerate(fold_scores(part, settings)):
        scores.append(score)
        trial.report(float(np.mean(scores)), k)
        if k < FOLDS - 1 and trial.should_prune():
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            break
    else:
        study.tell(trial, float(np.mean(scores)))
    return Trial(settings, dict(trial.distributions), tuple(scores))


def fold_scores(rows: Table, settings: Settings) -> Iterator[float]:
    """ROC-AUC on each fold of a model that learnt from the others; the same folds for every point."""
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    for learn, judge in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(rows.features, rows.target):
        part, held = rows.take(learn), rows.take(judge)
        fitted = pipeline(settings, part.features).fit(part.features, part.target)
        yield float(roc_auc_score(held.target, probabilities(fitted, held.features)))


def by_hand(study: Study) -> Floats:
    """The test rows' probabilities (N,) by the model made by hand: words as sets, rounds ended by the held-out rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    words = dict(sorted(categories(dated(study.train.features)).items()))
    estimator = HistGradientBoostingClassifier(
        early_stopping=True, random_state=SEED, categorical_features=[known is not None for known in words.values()],
        **BY_HAND,
    ).fit(
        numbered(study.train.features, words), study.train.target,
        X_val=numbered(study.valid.features, words), y_val=study.valid.target,
    )  # fmt: skip
    return probabilities(estimator, numbered(study.test.features, words))


def numbered(rows: pd.DataFrame, words: dict[str, list[str] | None]) -> Floats:
    """Rows as numbers (N, attributes): a word is its place among the words, NaN where it is unknown."""
    with_date = dated(rows)
    columns = [
        with_date[name] if known is None else with_date[name].map({word: float(k) for k, word in enumerate(known)})
        for name, known in words.items()
    ]
    return np.column_stack([np.asarray(each, dtype=np.float64) for each in columns])


def default(study: Study) -> Floats:
    """The same by histogram boosting as scikit-learn sets it, from all development rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    rows = study.development
    words = categories(dated(rows.features))
    estimator = HistGradientBoostingClassifier(random_state=SEED).fit(numbered(rows.features, words), rows.target)
    return probabilities(estimator, numbered(study.test.features, words))


def importance(found: dict[str, Found]) -> dict[str, float]:
    """How much of what sets the best quarter of all trials apart lies in each setting, the greatest first; sums to 1.

    By PED-ANOVA (Watanabe, Bansal and Hutter 2023), which takes settings too that only some trials have. A trial that
    was given up counts by the folds that it was judged by.
    """
    import optuna

    both = optuna.create_study(direction="maximize")
    for each in found.values():
        for trial in each.trials:
            both.add_trial(
                optuna.trial.create_trial(params=trial.settings, distributions=trial.ranges, value=trial.mean)
            )
    judge = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.25)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Some regimes for parameter")  # of an algorithm that was tried once
        return dict(optuna.importance.get_param_importances(both, evaluator=judge))


def best_by_chance(found: Found, rng: np.random.Generator, shuffles: int = 500) -> tuple[Floats, Floats]:
    """The 95 % bounds (trials,) of the best score so far, had the same trials come in another order.

    Trials drawn at random may come in any order: so this is how lucky a random search of that length is.
    """
    scores = np.array([each.score for each in found.trials])
    best = np.maximum.accumulate(rng.permuted(np.tile(scores, (shuffles, 1)), axis=1), axis=1)
    low, high = np.percentile(best, [2.5, 97.5], axis=0, method="nearest")
    return low, high
