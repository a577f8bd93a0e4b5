"""How far off each estimate of the effect is, and how often its 95 % interval holds it, in each simulated world."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from handbook.data.subsets import plan_for
from handbook.evaluation.trials import share
from handbook.labs.beyond.effects import EFFECT, WORLDS, covariates, drawn
from handbook.labs.beyond.estimators import ESTIMATORS
from handbook.labs.beyond.rows import Array, bounded

if TYPE_CHECKING:
    from handbook.data.tables import Table

ALL, PART = 300, 30  # simulated draws of a world; and of a drawn sample
NORMAL = 1.959964  # deviations that hold 95 % of a normal distribution


@dataclass(frozen=True)
class Clients:
    """The covariates of C clients as bytes, (C, 3) float64, so that the same are known again."""

    numbers: bytes

    @classmethod
    def of(cls, bank: Table) -> Clients:
        return cls(covariates(bank).tobytes())

    def array(self) -> Array:
        """Covariates (C, 3)."""
        return np.frombuffer(self.numbers).reshape(-1, 3)


@dataclass(frozen=True)
class Estimated:
    """Estimates of the effect and their standard errors over R draws, (R,) each."""

    values: Array
    errors: Array

    @property
    def bias(self) -> tuple[float, float, float]:
        """The mean estimate less the effect, and the 95 % interval of that mean over draws."""
        off = float(self.values.mean()) - EFFECT
        half = NORMAL * float(self.values.std(ddof=1)) / float(np.sqrt(len(self.values)))
        return off, off - half, off + half

    @property
    def coverage(self) -> tuple[float, float, float]:
        """The share of 95 % intervals that hold the effect, with its own interval."""
        return share(int((np.abs(self.values - EFFECT) <= NORMAL * self.errors).sum()), len(self.values))


@cache
def estimated(clients: Clients) -> dict[str, dict[str, Estimated]]:
    """Every estimate in every world; all estimates of a world see the same draws."""
    rows = clients.array()
    found = {}
    for k, (name, world) in enumerate(WORLDS.items()):
        draws = drawn(rows, world, plan_for(len(rows), ALL, PART), np.random.default_rng(k))
        found[name] = {label: Estimated(*estimate(draws)) for label, estimate in ESTIMATORS.items()}
    return found


def facts(found: dict[str, dict[str, Estimated]]) -> dict[str, float | bool]:
    """Bias and coverage by world and estimate, of a simulation."""
    facts: dict[str, float | bool] = {"simulated effect": EFFECT}
    for world, estimates in found.items():
        for name, each in estimates.items():
            key = f"simulated effect, {world}, {name}"
            facts |= bounded(f"{key}: bias", each.bias) | bounded(f"{key}: coverage", each.coverage)
    return facts
