"""Drift detection: three detectors over the mistakes of a model that learnt once.

ADWIN (Bifet and Gavaldà 2007) keeps a window that it cuts where the means of both parts differ; DDM (Gama, Medas,
Castillo and Rodrigues 2004) waits for the error rate to rise by three deviations over its least; Page-Hinkley (Page
1954) sums how far the errors exceed their mean. All have the settings that river ships.

Every alarm on shuffled mistakes is false: the same mistakes in an order that says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from handbook.evaluation.metrics import mean_interval
from handbook.labs.online_learning import race
from handbook.labs.online_learning.calls import Array, Calls

DETECTORS = ("ADWIN", "DDM", "Page-Hinkley")
SHUFFLES = 20
WATCHED = "boosting, once"


@dataclass(frozen=True)
class Heard:
    """By detector: the rows at which it sounded, counted from the first that judges; and alarms a shuffle (S,)."""

    alarms: dict[str, list[int]]
    false: dict[str, Array]
    rows: int

    def often(self, name: str) -> tuple[float, float, float]:
        """False alarms in 10,000 rows, and their 95 % interval over shuffles by Student's t."""
        mean, low, high = mean_interval(self.false[name] * 10_000 / self.rows)
        return mean, max(low, 0.0), high

    def on_the_stream(self, name: str) -> float:
        """Alarms in 10,000 rows of the stream."""
        return len(self.alarms[name]) * 10_000 / self.rows


def detector(name: str) -> Any:
    """A new detector that has heard nothing."""
    from river.drift import ADWIN, PageHinkley
    from river.drift.binary import DDM

    return {"ADWIN": ADWIN, "DDM": DDM, "Page-Hinkley": PageHinkley}[name]()


def sounded(listening: Any, values: Array) -> list[int]:
    """The places in values (N,) at which a detector, which sees one after the other, sounds."""
    found = []
    for place, value in enumerate(values.tolist()):
        listening.update(value)
        if listening.drift_detected:
            found.append(place)
    return found


@cache
def heard(calls: Calls) -> Heard:
    """What the detectors hear of the mistakes in the order of the calls, and of 20 shuffles."""
    ran = race.ran(calls)
    mistakes = (race.called(WATCHED, ran.scores[WATCHED]) != ran.answers).astype(int)
    shuffles = [np.random.default_rng(seed).permutation(mistakes) for seed in range(SHUFFLES)]
    return Heard(
        {name: sounded(detector(name), mistakes) for name in DETECTORS},
        {name: np.array([len(sounded(detector(name), each)) for each in shuffles]) for name in DETECTORS},
        len(mistakes),
    )


def facts(found: Heard) -> dict[str, float | bool]:
    """Alarms in 10,000 rows, on the stream and on its shuffles, and where each sounded first."""
    facts: dict[str, float | bool] = {}
    for name, alarms in found.alarms.items():
        mean, low, high = found.often(name)
        facts |= {
            f"{name}: alarms": len(alarms),
            f"{name}: rows before the first (-1: none)": alarms[0] if alarms else -1,
            f"{name}: alarms in 10,000 rows": found.on_the_stream(name),
            f"{name}: alarms in 10,000 shuffled rows": mean,
            f"{name}: alarms in 10,000 shuffled rows, at least": low,
            f"{name}: alarms in 10,000 shuffled rows, at most": high,
            f"{name}: more on the stream than on shuffles": found.on_the_stream(name) > high,
        }
    return facts
