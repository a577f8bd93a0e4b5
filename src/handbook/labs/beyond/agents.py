"""Q-learning (Watkins 1989) and SARSA (Rummery and Niranjan 1994) on the cliff, all seeds side by side.

Both keep a table of values and correct it after every step towards reward plus what comes next. Q-learning counts what
comes next as if it were to act best from there on; SARSA counts the action that it will take, exploration included.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from handbook.data.subsets import plan_for
from handbook.evaluation.metrics import mean_interval
from handbook.labs.beyond import cliff
from handbook.labs.beyond.cliff import ACTIONS, EXPLORED, GOAL, START, STATES, Array
from handbook.labs.beyond.rows import bounded

RATE, EPISODES, LAST = 0.5, 500, 100  # of a correction; walks that teach; those by which returns are averaged
ALL, PART = 30, 8  # seeds; and beside a drawn sample, which is no result
SPREAD = 20  # walks over which the curves are smoothed


@dataclass(frozen=True)
class Learnt:
    """What S seeds learnt: values (S, states, actions), and the return and falls of every walk, (S, episodes)."""

    values: Array
    returns: Array
    falls: Array

    @property
    def share_of_optimum(self) -> Array:
        """Least cost by the cost of the greedy walk, (S,), 0-1; 0 where that never arrives."""
        best, _ = cliff.value_iteration()
        found = [cliff.greedy_return(each.argmax(axis=1)) for each in self.values]
        return np.array([best[START].max() / each for each in found])

    @property
    def late_returns(self) -> Array:
        """The mean return of the last walks while learning, (S,)."""
        return np.asarray(self.returns[:, -LAST:].mean(axis=1))

    @property
    def late_falls(self) -> Array:
        """Falls in a hundred of the last walks, (S,)."""
        return np.asarray(100 * self.falls[:, -LAST:].mean(axis=1))


def seeds(rows: int) -> int:
    """How many seeds learn beside a dataset of so many rows."""
    return plan_for(rows, ALL, PART)


@cache
def learnt(seeds: int) -> dict[str, Learnt]:
    """Both learners, each with so many seeds."""
    return {
        "Q-learning": _walked(seeds, on_policy=False, rng=np.random.default_rng(0)),
        "SARSA": _walked(seeds, on_policy=True, rng=np.random.default_rng(1)),
    }


def _walked(seeds: int, *, on_policy: bool, rng: np.random.Generator) -> Learnt:
    """All seeds a step at a time; each begins its next walk when its own one ends, until all have done theirs."""
    here, every = cliff.world(), np.arange(seeds)
    q = np.zeros((seeds, STATES, ACTIONS))
    returns, falls = np.zeros((seeds, EPISODES + 1)), np.zeros((seeds, EPISODES + 1))  # the last for who is done
    walk, state = np.zeros(seeds, np.int64), np.full(seeds, START)
    action = chosen(q[every, state], rng)
    while (active := walk < EPISODES).any():
        reward, following = here.rewards[state, action], here.leads[state, action]
        then = chosen(q[every, following], rng)
        ahead = q[every, following, then] if on_policy else q[every, following].max(axis=1)
        gap = np.where(following == GOAL, reward, reward + ahead) - q[every, state, action]
        q[every, state, action] += RATE * gap * active
        returns[every, walk] += reward
        falls[every, walk] += reward == cliff.FALL
        ended = following == GOAL
        walk = np.minimum(walk + ended, EPISODES)
        state = np.where(ended, START, following)
        # Q-learning acts upon what it has just learnt; SARSA must take the action that it has counted on
        action = np.where(ended, chosen(q[every, state], rng), then) if on_policy else chosen(q[every, state], rng)
    return Learnt(q, returns[:, :-1], falls[:, :-1])


def chosen(values: Array, rng: np.random.Generator) -> Array:
    """An action for each row of values (S, actions): mostly the greatest, the first among equals, at times any."""
    explores = rng.random(len(values)) < EXPLORED
    return np.where(explores, rng.integers(0, ACTIONS, len(values)), values.argmax(axis=1))


def facts(seeds: int) -> dict[str, float | bool]:
    """Exact values, and what both learners reach, as means and deviations over seeds."""
    best, sweeps = cliff.value_iteration()
    careful, _ = cliff.value_iteration(EXPLORED)
    found: dict[str, float | bool] = {
        "cliff: least cost of a walk": -float(best[START].max()),
        "cliff: sweeps of value iteration": sweeps,
        "cliff: cost of the shortest path while exploring": -exploring(best),
        "cliff: cost of the best path while exploring": -exploring(careful),
        "cliff: seeds": seeds,
    }
    for name, each in learnt(seeds).items():
        for what, values in {
            "share of the optimum": each.share_of_optimum, "return while learning": each.late_returns,
            "falls in 100 walks": each.late_falls,
        }.items():  # fmt: skip
            found |= bounded(f"cliff, {name}: {what}", mean_interval(values))
            found[f"cliff, {name}: {what}, deviation"] = float(values.std(ddof=1))
    return found


def exploring(values: Array) -> float:
    """The return from the start of the policy that values (states, actions) imply, a share of its steps explored."""
    return float(cliff.evaluated(cliff.soft(values.argmax(axis=1), EXPLORED))[START])
