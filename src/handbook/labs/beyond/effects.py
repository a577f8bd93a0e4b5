"""A simulated campaign with a known effect, on attributes of real clients: no finding about them, and none meant.

Age, balance and job are the bank's; who is treated and what comes of it is drawn here, R times for N clients each. The
effect is EFFECT for everybody, so that an estimate is right or wrong. Worlds differ in how both are drawn: by lot; by
scores that are linear in the covariates an analyst would write down; or bent, by terms that the analyst leaves out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from handbook.labs.beyond.rows import Array

if TYPE_CHECKING:
    from handbook.data.tables import Table

EFFECT = 1.0  # of treatment on the outcome, whose noise has deviation 1
CLIENTS = 1_000  # in a draw
STANDS_OUT = ("management", "student", "retired")  # jobs that the assignment prefers and that fare better anyhow


@dataclass(frozen=True)
class World:
    """Whether treatment is assigned by attributes, and whether either score has a term that the analyst leaves out."""

    assigned: bool
    bent_assignment: bool = False
    bent_outcome: bool = False


WORLDS = {
    "by lot": World(assigned=False),
    "both models right": World(assigned=True),
    "outcome model wrong": World(assigned=True, bent_outcome=True),
    "assignment model wrong": World(assigned=True, bent_assignment=True),
    "both wrong": World(assigned=True, bent_assignment=True, bent_outcome=True),
}


@dataclass(frozen=True)
class Draws:
    """R draws of N clients: covariates (R, N, P) with a column of ones, treatment 0 or 1 and outcome, (R, N) each."""

    covariates: Array
    treated: Array
    outcome: Array


def covariates(bank: Table) -> Array:
    """Age and balance, standardised, the latter's inverse sine, and whether a job stands out, (rows, 3)."""
    rows = bank.features
    numbers = np.column_stack([rows["age"].to_numpy(float), np.arcsinh(rows["balance"].to_numpy(float) / 1_000)])
    numbers = np.clip((numbers - numbers.mean(0)) / numbers.std(0), -2.5, 2.5)
    return np.column_stack([numbers, rows["job"].isin(STANDS_OUT)])


def drawn(clients: Array, world: World, draws: int, rng: np.random.Generator) -> Draws:
    """Clients (rows, 3) drawn again, treated and answering as the world has it."""
    x = clients[rng.integers(0, len(clients), (draws, CLIENTS))]
    age, balance, job = np.moveaxis(x, -1, 0)
    bend = np.abs(age + balance) - 1  # no line through the covariates comes near it
    score = 0.7 * age + 0.6 * balance + 0.6 * job - 1.4 + world.bent_assignment * 1.2 * bend
    treated = rng.random(age.shape) < 1 / (1 + np.exp(-score * world.assigned))
    level = 0.6 * age + 0.5 * balance + 0.8 * job + world.bent_outcome * 1.5 * bend
    outcome = level + EFFECT * treated + rng.normal(size=age.shape)
    return Draws(np.concatenate([np.ones((*age.shape, 1)), x], axis=-1), treated.astype(float), outcome)


Estimate = Callable[[Draws], tuple[Array, Array]]  # draws to estimates and their standard errors, (R,) each
