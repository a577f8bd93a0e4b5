"""Laws of the lab automl: each point of its space can be learnt, searches are fair, the hand-made model is ours."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pytest

from handbook import datasets
from handbook.data.studies import KNOWN_AFTER_THE_CALL, Study
from handbook.labs.automl import search, space
from handbook.labs.automl.search import Found, Trial
from handbook.project import Project
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def study(samples: Any) -> Study:
    return Study.of(datasets.page("bank_marketing").load(samples("bank_marketing")), KNOWN_AFTER_THE_CALL)


def point(algorithm: str, **fixed: Any) -> space.Settings:
    """A point of the space with that algorithm, drawn by a seed."""
    drawn = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn.enqueue_trial({"algorithm": algorithm, **fixed})
    return space.suggest(drawn.ask())


@pytest.mark.parametrize("algorithm", space.ALGORITHMS)
def test_every_algorithm_learns_from_the_rows_as_they_are(algorithm: str, study: Study) -> None:
    settings = point(algorithm)
    assert all(":" not in name or name.startswith(algorithm) for name in settings)
    rows = search.subsample(study.train, 500)
    with search.quiet():
        fitted = space.pipeline(settings, rows.features).fit(rows.features, rows.target)
    found = space.probabilities(fitted, study.test.features)
    assert found.shape == (len(study.test),)
    assert ((found >= 0) & (found <= 1)).all()
    assert np.ptp(found) > 0


@pytest.mark.parametrize("words", ["one-hot", "ordinal", "target"])
@pytest.mark.parametrize("missing", ["as it stands", "imputed"])
def test_preparation_learns_from_the_training_rows_alone_and_takes_words_that_are_new(
    words: str, missing: str, study: Study
) -> None:
    settings = point("logistic regression", words=words, missing=missing) | {"day of the year": True}
    rows = search.subsample(study.train, 400)
    strange = study.test.features.head(20).assign(job="astronaut", poutcome="unknown").astype({"job": "str"})
    with search.quiet():
        fitted = space.pipeline(settings, rows.features).fit(rows.features, rows.target)
        alone = space.probabilities(fitted, strange.head(1))
    assert space.probabilities(fitted, strange)[0] == pytest.approx(alone[0], abs=1e-12)


def test_the_hand_made_model_has_the_settings_of_the_cases_members() -> None:
    case = Project(ROOT).case("boosting_before_call")
    assert {name: getattr(case.params, name) for name in search.BY_HAND} == search.BY_HAND


def test_the_day_of_the_year_is_that_of_the_cases(study: Study) -> None:
    from handbook.training import encodings

    ours, theirs = space.dated(study.test.features), encodings.dated(study.test.features)
    assert np.array_equal(ours["day_of_year"].to_numpy(float), theirs[encodings.DATE].to_numpy(float))
    assert list(space.MONTHS) == list(encodings.MONTHS)


def test_a_subsample_keeps_the_shares_of_the_classes(study: Study) -> None:
    some = search.subsample(study.development, 600)
    assert len(some) == 600
    assert some.target.mean() == pytest.approx(study.development.target.mean(), abs=0.002)
    assert search.subsample(some, 600) is some


@pytest.mark.parametrize("name", search.SEARCHES)
def test_a_search_tries_the_same_points_twice_and_gives_up_only_what_is_behind(
    name: str, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scores(_: Any, settings: space.Settings) -> Iterator[float]:
        """Of each point its own, without learning anything."""
        rng = np.random.default_rng(zlib.crc32(repr(sorted(settings.items())).encode()))
        yield from rng.normal(0.75, 0.02, search.FOLDS)

    monkeypatch.setattr(search, "fold_scores", scores)
    one, two = (search.run(study.valid, name, 30) for _ in range(2))
    assert 5 < sum(len(each.folds) < search.FOLDS for each in one) < 22
    assert [(each.settings, each.folds) for each in one] == [(each.settings, each.folds) for each in two]
    for k, trial in enumerate(one):
        if len(trial.folds) < search.FOLDS:
            assert trial.score == -np.inf
            assert k >= search.STARTUP
            at = len(trial.folds)
            before = [np.mean(each.folds[:at]) for each in one[:k] if len(each.folds) == search.FOLDS]
            assert trial.mean < np.median(before)


def trials(*scores: float | None) -> list[Trial]:
    folds = [(score,) * search.FOLDS if score is not None else (0.5,) for score in scores]
    return [Trial({}, {}, each) for each in folds]


def test_the_best_so_far_never_falls_and_a_trial_given_up_is_never_best() -> None:
    found = Found(trials(None, 0.7, 0.6, 0.8, None, 0.75), [], np.empty(0))
    assert found.best == pytest.approx([-np.inf, 0.7, 0.7, 0.8, 0.8, 0.8])


def test_another_order_of_the_trials_ends_at_the_same_best() -> None:
    found = Found(trials(0.5, 0.6, 0.9, 0.7), [], np.empty(0))
    low, high = search.best_by_chance(found, np.random.default_rng(0))
    assert (low[0], high[0]) == pytest.approx((0.5, 0.9))
    assert (low[-1], high[-1]) == pytest.approx((0.9, 0.9))
    assert (np.diff(low) >= 0).all()


def test_what_matters_is_found_where_one_setting_alone_decides() -> None:
    drawn = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=3))
    some = []
    for _ in range(60):
        trial = drawn.ask()
        settings = space.suggest(trial)
        score = 0.7 + (0.1 if settings["words"] == "target" else 0)
        some.append(Trial(settings, dict(trial.distributions), (score,) * search.FOLDS))
    found = search.importance({"random": Found(some, [], np.empty(0))})
    assert next(iter(found)) == "words"
    assert sum(found.values()) == pytest.approx(1)


@pytest.fixture(scope="module")
def few(study: Study) -> Study:
    """A part of the sample's rows."""
    parts = {
        name: getattr(study, name).take(np.arange(n)) for name, n in (("train", 500), ("valid", 150), ("test", 700))
    }
    return Study(**parts, digest="a part of the sample")


@pytest.fixture(scope="module")
def found(few: Study) -> search.Results:
    """The whole lab on a part of the sample, with few trials."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "SAMPLE_TRIALS", 5)
        return search.results(few)


def test_what_was_searched_beats_no_order_and_the_worst_finalist_is_not_chosen(found: search.Results) -> None:
    for name, each in found.searches.items():
        assert found.areas[f"searched by {name}"][0] > 0.6
        assert each.chosen == max(each.finalists, key=lambda trial: trial.score).settings
        assert len(each.finalists) == search.FINALISTS


def test_a_finalist_has_the_score_of_the_folds_of_all_development_rows(found: search.Results, few: Study) -> None:
    best = found.searches["TPE"].finalists[0]
    with search.quiet():
        assert tuple(search.fold_scores(few.development, best.settings)) == pytest.approx(best.folds)


def test_the_test_rows_have_no_say_in_what_is_chosen_and_all_is_the_same_twice(
    found: search.Results, few: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SAMPLE_TRIALS", 5)
    shuffled = replace(few.test, target=np.random.default_rng(0).permutation(few.test.target))
    with search.quiet():
        again = search.search(replace(few, test=shuffled, digest="with other answers"), "TPE")
    assert again.chosen == found.searches["TPE"].chosen
    assert np.array_equal(again.scores, found.searches["TPE"].scores)
