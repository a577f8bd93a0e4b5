"""The cliff walk as a Markov decision process, and its values worked out exactly (Sutton and Barto 2018, example 6.6).

Four rows of twelve cells. From the lower left corner the goal lies eleven cells to the right, and all cells between are
a cliff. A step costs 1; a step off the cliff costs 100 and ends where the walk began. Nothing is discounted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
ROWS, COLUMNS = 4, 12
STATES, ACTIONS = ROWS * COLUMNS, 4
START, GOAL = STATES - COLUMNS, STATES - 1
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left
STEP, FALL = -1.0, -100.0
EXPLORED = 0.1  # share of the steps that explore, as in the example
CLOSE = 1e-10  # a sweep that changes no value by more is the last


@dataclass(frozen=True)
class World:
    """Where every action leads, (states, actions), and its reward, at most 0; the goal is left no more, at no cost."""

    leads: Array
    rewards: Array


@cache
def world() -> World:
    """The cliff walk, cells numbered along the rows from above."""
    leads = np.empty((STATES, ACTIONS), np.int64)
    rewards = np.full((STATES, ACTIONS), STEP)
    for state in range(STATES):
        for action, (down, right) in enumerate(MOVES):
            row = min(max(state // COLUMNS + down, 0), ROWS - 1)
            column = min(max(state % COLUMNS + right, 0), COLUMNS - 1)
            leads[state, action] = row * COLUMNS + column
    off = (leads > START) & (leads < GOAL)
    leads[off], rewards[off] = START, FALL
    leads[GOAL], rewards[GOAL] = GOAL, 0.0
    return World(leads, rewards)


def soft(best: Array, explored: float) -> Array:
    """The probabilities (states, actions) of a policy that takes `best` (states,), but explores that share of steps."""
    policy = np.full((len(best), ACTIONS), explored / ACTIONS)
    policy[np.arange(len(best)), best] += 1 - explored
    return policy


def value_iteration(explored: float = 0.0) -> tuple[Array, int]:
    """Values (states, actions) of the best policy among those that explore a share of their steps, and the sweeps.

    With none explored this is Bellman's optimality equation, iterated; with some, the best that SARSA can come to.
    """
    here, q = world(), np.zeros((STATES, ACTIONS))
    for sweep in range(1, 10_000):
        values = (1 - explored) * q.max(axis=1) + explored * q.mean(axis=1)
        new = here.rewards + values[here.leads]
        if np.abs(new - q).max() < CLOSE:
            return new, sweep
        q = new
    raise ArithmeticError(f"values did not come to rest in {sweep} sweeps of {explored:.0%} exploration")


def evaluated(policy: Array) -> Array:
    """Values (states,) of a policy (states, actions) by Bellman's linear system; LinAlgError if it may never arrive."""
    here = world()
    moves = np.zeros((STATES, STATES))
    np.add.at(moves, (np.arange(STATES)[:, None], here.leads), policy)
    inner = np.arange(STATES) != GOAL
    values = np.zeros(STATES)
    system = np.eye(STATES - 1) - moves[np.ix_(inner, inner)]
    values[inner] = np.linalg.solve(system, (policy * here.rewards).sum(axis=1)[inner])
    return values


def path(best: Array) -> list[int]:
    """The cells from the start that a policy (states,) without exploration visits, until the goal or a cell again."""
    here, cells, seen = world(), [START], {START}
    while cells[-1] != GOAL:
        state = int(here.leads[cells[-1], best[cells[-1]]])
        cells.append(state)
        if state in seen:
            break
        seen.add(state)
    return cells


def greedy_return(best: Array) -> float:
    """The sum of rewards of a policy (states,) without exploration; minus infinity where it goes in circles."""
    here, cells = world(), path(best)
    if cells[-1] != GOAL:
        return -np.inf
    walked = np.array(cells[:-1])
    return float(here.rewards[walked, best[walked]].sum())
