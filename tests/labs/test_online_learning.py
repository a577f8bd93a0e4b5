"""The laws of the lab `online_learning`: nothing looks ahead, scores are scikit-learn's, detectors hear changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from handbook import datasets
from handbook.labs.online_learning import calls, drift, judging, learners, race
from handbook.labs.online_learning.calls import Calls, Stream


@pytest.fixture(scope="module")
def bank(samples: Callable[[str], Path]) -> Calls:
    return Calls.of(datasets.page("bank_marketing").load(samples("bank_marketing")))


@pytest.fixture(scope="module")
def ran(bank: Calls) -> race.Race:
    return race.ran(bank)


def changing(rows: int = 1_500, at: int = 900, seed: int = 0) -> Stream:
    """A stream of one number and one word, whose number turns its meaning at a row."""
    rng = np.random.default_rng(seed)
    x, word = rng.normal(size=rows), rng.integers(0, 3, rows)
    sign = np.where(np.arange(rows) < at, 1, -1)
    y = (rng.random(rows) < 1 / (1 + np.exp(-3 * sign * x))).astype(np.int64)
    return Stream(np.column_stack([x, word]).astype(float), y, ("number", "word"), (0, 3))


def test_what_is_known_after_the_call_is_left_out_and_the_order_is_kept(samples: Callable[[str], Path]) -> None:
    page = datasets.page("bank_marketing")
    table = page.load(samples("bank_marketing"))
    stream = Calls.of(table).stream()
    assert {calls.AFTER_THE_CALL} == set(page.KNOWN_AFTER_THE_CALL) == set(table.features) - set(stream.names)
    assert len(stream.y) == calls.SAMPLE
    np.testing.assert_array_equal(stream.y, table.target[: calls.SAMPLE])
    np.testing.assert_array_equal(stream.x[:, stream.names.index("age")], table.features["age"][: calls.SAMPLE])
    month = stream.x[:, stream.names.index("month")].astype(int)
    assert sorted(set(table.features["month"]))[month[7]] == table.features["month"].iloc[7]


def test_no_scale_is_learnt_from_rows_that_judge() -> None:
    stream = changing()
    later = stream.x.copy()
    later[stream.first :] = 7 - later[stream.first :] ** 2
    later[:, 1] = stream.x[:, 1]
    other = dataclasses.replace(stream, x=later)
    np.testing.assert_array_equal(other.dense[: stream.first], stream.dense[: stream.first])
    np.testing.assert_array_equal(other.binned[: stream.first], stream.binned[: stream.first])
    assert stream.dense.shape == (1_500, 4)
    assert set(np.unique(stream.binned[:, 0])) == set(range(calls.BINS))


def test_the_share_of_yes_so_far_knows_no_answer_of_its_own_batch_or_later(bank: Calls) -> None:
    stream = bank.stream()
    turned = np.where(np.arange(len(stream.y)) < 400, stream.y, 1 - stream.y)
    other = dataclasses.replace(bank, answers=turned.tobytes()).stream()
    np.testing.assert_array_equal(other.x[:500], stream.x[:500])
    assert (other.x[500:, -1] != stream.x[500:, -1]).all()
    fading = judging.fading(np.concatenate([[1, 0], stream.y]).astype(float))[1:]  # as one yes and then one no begin
    np.testing.assert_allclose(stream.x[:: calls.STEP, -1], fading[:: calls.STEP][: len(stream.y) // 100], atol=1e-3)


def test_a_number_that_does_not_vary_at_first_does_not_explode_later() -> None:
    stream = changing()
    x = stream.x.copy()
    x[: stream.first, 0] = -1
    assert np.abs(dataclasses.replace(stream, x=x).dense).max() < 10


@pytest.mark.parametrize("name", learners.LEARNERS)
def test_no_learner_looks_ahead(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learners, "boosting", learners.logistic)  # which rows it is given is the same, and it is quick
    stream = changing(600)
    turned = dataclasses.replace(stream, y=np.where(np.arange(600) < 400, stream.y, 1 - stream.y))
    one, other = (race.tested_then_trained(learners.LEARNERS[name](each), each) for each in (stream, turned))
    np.testing.assert_array_equal(one[: 400 + race.STEP], other[: 400 + race.STEP])
    assert np.isfinite(one).all()


def test_what_learns_on_recovers_when_the_world_turns_and_what_learnt_once_does_not() -> None:
    from sklearn.metrics import roc_auc_score

    stream = changing(3_000, at=1_000)
    late = slice(2_000, None)
    areas = {
        name: race.tested_then_trained(learners.LEARNERS[name](stream), stream)[late]
        for name in ("logistic, descent", "logistic, once", "boosting, recent rows")
    }
    found = {name: roc_auc_score(stream.y[late], each) for name, each in areas.items()}
    assert found["logistic, once"] < 0.3  # what it learnt is now the reverse of the truth
    assert found["logistic, descent"] > 0.7
    assert found["boosting, recent rows"] > 0.7


def test_descent_a_row_at_a_time_is_rivers() -> None:
    from river.linear_model import LogisticRegression
    from river.optim import SGD
    from sklearn.linear_model import SGDClassifier

    stream = changing(120)
    ours = learners.Increment(
        SGDClassifier(loss="log_loss", alpha=0, learning_rate="constant", eta0=0.05), lambda each: each.dense
    )
    theirs = LogisticRegression(optimizer=SGD(0.05), intercept_lr=0.05, l2=0)
    for row in range(120):
        named = dict(enumerate(stream.dense[row].tolist()))
        if row:
            p = theirs.predict_proba_one(named)[True]
            assert ours.score(stream, slice(row, row + 1))[0] == pytest.approx(p, abs=1e-6)
        ours.learn(stream, slice(row, row + 1))
        theirs.learn_one(named, bool(stream.y[row]))


def test_a_model_learns_again_at_tenths_of_the_stream_and_one_that_may_not_learns_once() -> None:
    stream = changing(1_000)
    again, once = (learners.Batch(learners.logistic, each) for each in (learners.at_intervals, None))
    for model in (again, once):
        race.tested_then_trained(model, stream)
    assert once.fits == [200]
    assert again.fits == list(range(200, 1_001, 100))


def test_fading_weighs_a_row_by_its_age() -> None:
    values = np.random.default_rng(0).normal(size=50)
    weights = calls.FADING ** np.arange(50)[::-1]
    assert judging.fading(values)[-1] == pytest.approx(np.average(values, weights=weights))
    assert judging.fading(values)[0] == pytest.approx(values[0])
    np.testing.assert_allclose(judging.fading(np.full(9, 3.0)), 3.0)


def test_the_areas_of_all_draws_are_scikit_learns_with_equal_scores_too() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(1)
    answers, scores = rng.integers(0, 2, 250), rng.integers(0, 20, 250) / 20
    drawn = judging.draws(rng)[:9]
    weights = drawn[:, judging.block_of(250)]
    expected = [roc_auc_score(answers, scores, sample_weight=each) for each in weights]
    np.testing.assert_allclose(judging.areas(answers, scores, drawn), expected, atol=1e-12)
    np.testing.assert_allclose(judging.means(scores, drawn), [np.average(scores, weights=each) for each in weights])
    assert judging.areas(answers, scores, drawn)[0] == pytest.approx(roc_auc_score(answers, scores))


def test_the_fading_area_weighs_rows_as_the_fading_mean_does() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(1)
    answers, scores = rng.integers(0, 2, 300), rng.random(300)
    late = calls.FADING ** np.arange(200)[::-1]
    found = judging.fading_area(answers, scores, np.array([199, 299]))
    assert found[0] == pytest.approx(roc_auc_score(answers[:200], scores[:200], sample_weight=late))
    assert judging.fading_area(np.zeros(300, np.int64), scores, np.array([299])) == 0.5


@pytest.mark.parametrize("rows", [60, 601, 959])
def test_blocks_are_of_neighbours_and_of_nearly_one_length(rows: int) -> None:
    block = judging.block_of(rows)
    assert set(np.diff(block)) <= {0, 1}
    assert np.ptp(np.bincount(block, minlength=judging.BLOCKS)) <= 1


def test_blocks_widen_the_interval_of_rows_that_follow_each_other() -> None:
    rng = np.random.default_rng(3)
    runs = np.repeat(rng.normal(size=30), 20)
    found = [judging.interval(judging.means(each, judging.draws(rng))) for each in (runs, rng.permutation(runs))]
    together, apart = (high - low for low, high in found)
    assert together > 2 * apart


@pytest.mark.parametrize("name", drift.DETECTORS)
def test_a_detector_hears_a_change_and_little_else(name: str) -> None:
    rng = np.random.default_rng(4)
    steady = (rng.random(3_000) < 0.1).astype(int)
    changed = np.concatenate([steady[:1_500], (rng.random(1_500) < 0.6).astype(int)])
    alarms = drift.sounded(drift.detector(name), changed)
    assert any(1_500 < place < 1_800 for place in alarms)
    assert len(drift.sounded(drift.detector(name), steady)) < 3


def test_every_learner_is_judged_on_the_same_rows_with_its_interval(ran: race.Race, bank: Calls) -> None:
    stream = bank.stream()
    assert len(ran.answers) == len(stream.y) - stream.first
    assert {len(each) for each in ran.scores.values()} == {len(ran.answers)}
    assert set(ran.areas) == set(ran.losses) | set(race.WITHOUT_PROBABILITIES)
    for score in (*ran.areas.values(), *ran.losses.values()):
        assert score.interval[0] < score.value < score.interval[1]
    assert ran.areas[race.ONCE].gains[race.ONCE] == (0, 0, 0)
    for name, (gain, low, high) in ((name, score.gains[race.BASELINE]) for name, score in ran.losses.items()):
        assert gain == pytest.approx(ran.losses[race.BASELINE].value - ran.losses[name].value)
        assert low <= gain <= high


def test_what_the_calls_say_is_worth_more_than_the_share_of_yes(ran: race.Race) -> None:
    assert ran.areas["logistic, descent"].value > ran.areas[race.BASELINE].interval[1]


def test_alarms_on_shuffles_are_counted_apart_from_those_on_the_stream(bank: Calls) -> None:
    heard = drift.heard(bank)
    assert {len(each) for each in heard.false.values()} == {drift.SHUFFLES}
    for name in heard.alarms:
        mean, low, high = heard.often(name)
        assert 0 <= low <= mean <= high
        assert mean == pytest.approx(heard.false[name].mean() * 10_000 / heard.rows)
