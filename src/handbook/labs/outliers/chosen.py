"""Settings chosen by half of the frauds, and what they are on the other half, which chose nothing.

A score that sees no label still has a setting, and whoever tries several and shows the best has looked at the labels.
Here every family of scores chooses its own, and the map its rival, by average precision on the payments of the first
half; what is reported are the frauds of the second, rows drawn again for both alike (`evaluation.paired`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.evaluation import paired
from handbook.labs.outliers import scores

Array = npt.NDArray[Any]
MAP = "map, 12 x 12 units"
DRAWS = 200


@dataclass(frozen=True)
class Chosen:
    """Settings by family, the rival, and areas (1 + draws,) on the other half by metric and family."""

    settings: dict[str, float]
    rival: str
    areas: dict[str, dict[str, Array]]

    def interval(self, metric: str, name: str) -> tuple[float, float, float]:
        """The value on the rows as they are, and its 95 % interval."""
        return paired.estimate(self.areas[metric][name])

    def lead(self, metric: str) -> tuple[float, float, float]:
        """By how much the map is ahead of its rival, with the interval of that difference."""
        return paired.estimate(self.areas[metric][MAP] - self.areas[metric][self.rival])


@cache
def chosen(halves: scores.Halves) -> Chosen:
    """Every family with the setting that is best on the first half, judged on the second."""
    from sklearn.metrics import average_precision_score

    n, known = len(halves.rows[0]), np.frombuffer(halves.known, np.int64)
    settings, precision = {}, {}
    for name in scores.FAMILIES:
        found = {
            setting: float(average_precision_score(known, each[:n]))
            for setting, each in scores.tried(halves, name).items()
        }
        settings[name] = max(found, key=lambda setting: found[setting])
        precision[name] = found[settings[name]]
    rival = max((name for name in precision if name != MAP), key=lambda name: precision[name])
    kept = {name: scores.tried(halves, name)[setting][n:] for name, setting in settings.items()}
    return Chosen(settings, rival, paired.both(halves.labels, kept, 0, DRAWS))
