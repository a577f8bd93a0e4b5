"""All learners over the same stream, a hundred calls at a time: the answers of a batch come in when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from handbook.labs.online_learning import judging
from handbook.labs.online_learning.calls import STEP, Array, Calls, Stream
from handbook.labs.online_learning.learners import LEARNERS, Batch, Learner, losses

POINTS = 80  # at which the fading measures are taken
ONCE, BASELINE = OTHERS = ("boosting, once", "share of yes")
WITHOUT_PROBABILITIES = ("passive-aggressive",)


@dataclass(frozen=True)
class Score:
    """A measure over all rows that judge, with its 95 % interval, and by how much it is better than two others."""

    value: float
    interval: tuple[float, float]
    gains: dict[str, tuple[float, float, float]]  # over the model trained once, over the baseline: with its interval


@dataclass(frozen=True)
class Race:
    """What every learner said of the rows after the first fifth, (M,) each, and what that is worth."""

    first: int
    answers: Array
    scores: dict[str, Array]
    at: Array  # rows, counted from the first that judges, at which the fading measures are taken
    fading: dict[str, dict[str, Array]]  # by measure and learner, (P,)
    areas: dict[str, Score]
    losses: dict[str, Score]
    accuracy: dict[str, float]
    fits: dict[str, list[int]]  # of batch models, the rows after which they learnt


@cache
def ran(calls: Calls) -> Race:
    """The race; run once for the same calls, because figures and checks both want it."""
    from threadpoolctl import threadpool_limits

    stream = calls.stream()
    with threadpool_limits(1):  # sums in one order
        learners = {name: new(stream) for name, new in LEARNERS.items()}
        scores = {name: tested_then_trained(each, stream)[stream.first :] for name, each in learners.items()}
        answers = stream.y[stream.first :]
        at = np.unique(np.linspace(min(STEP, len(answers) - 1), len(answers) - 1, POINTS).astype(int))
        row_losses = {name: losses(answers, each) for name, each in scores.items() if name not in WITHOUT_PROBABILITIES}
        return Race(
            stream.first, answers, scores, at,
            {
                "log-loss (nats)": {name: judging.fading(each)[at] for name, each in row_losses.items()},
                "ROC-AUC": {name: judging.fading_area(answers, each, at) for name, each in scores.items()},
            },
            *_whole(answers, scores, row_losses),
            {name: float((called(name, each) == answers).mean()) for name, each in scores.items()},
            {name: each.fits for name, each in learners.items() if isinstance(each, Batch)},
        )  # fmt: skip


def tested_then_trained(learner: Learner, stream: Stream) -> Array:
    """Scores (N,), each given before its row's answer was seen."""
    found = np.empty(len(stream.y))
    for start in range(0, len(stream.y), STEP):
        rows = slice(start, min(start + STEP, len(stream.y)))
        found[rows] = learner.score(stream, rows)
        learner.learn(stream, rows)
    return found


def called(name: str, scores: Array) -> Array:
    """Yes (1) where that is likelier than not, (M,)."""
    return (scores >= (0 if name in WITHOUT_PROBABILITIES else 0.5)).astype(int)


def _whole(
    answers: Array, scores: dict[str, Array], row_losses: dict[str, Array]
) -> tuple[dict[str, Score], dict[str, Score]]:
    """ROC-AUC and log-loss over all rows, resampled by the same blocks for every learner."""
    drawn = judging.draws(np.random.default_rng(0))
    areas = {name: judging.areas(answers, each, drawn) for name, each in scores.items()}
    return _compared(areas, 1), _compared({name: judging.means(each, drawn) for name, each in row_losses.items()}, -1)


def _compared(found: dict[str, Array], sign: int) -> dict[str, Score]:
    """Measures of all draws (R,), the first of which is all rows, with their intervals; `sign` -1: less is better."""
    gains = {name: {other: sign * (each - found[other]) for other in OTHERS} for name, each in found.items()}
    return {
        name: Score(
            float(each[0]),
            judging.interval(each),
            {other: (float(gain[0]), *judging.interval(gain)) for other, gain in gains[name].items()},
        )
        for name, each in found.items()
    }


def facts(race: Race) -> dict[str, float | bool]:
    """The scores over all rows that judge."""
    quarter = max(1, len(race.answers) // 4)
    facts: dict[str, float | bool] = {
        "rows that teach alone": race.first,
        "rows that judge": len(race.answers),
        "share of yes, first quarter": float(race.answers[:quarter].mean()),
        "share of yes, last quarter": float(race.answers[-quarter:].mean()),
        **{f"{name}: fits": len(each) for name, each in race.fits.items()},
        **{f"{name}: accuracy": value for name, value in race.accuracy.items()},
    }
    for measure, scores in (("ROC-AUC", race.areas), ("log-loss", race.losses)):
        for name, score in scores.items():
            facts[f"{name}: {measure}"] = score.value
            facts[f"{name}: {measure}, at least"], facts[f"{name}: {measure}, at most"] = score.interval
            for other, (gain, low, _) in score.gains.items():
                if name not in OTHERS:
                    facts[f"{name}: better than {other} by {measure}"] = gain
                    facts[f"{name}: better than {other} by {measure}, at least"] = low
    return facts
