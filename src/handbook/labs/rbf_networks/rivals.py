"""RBF networks against multilayer perceptrons in two dimensions (section 7.2): updates, few rows, noisy rows.

Both have as many units and so as many parameters, the same rule (Adam), and each the best of the same rates. Time on a
clock is another on each machine; updates and multiplications are not. With few rows each chooses its settings by the
same held-out quarter: the RBF network its centres, width and penalty, the perceptron its decay and when to stop.

On two functions of Franke's (1979): hills, which are bumps, as RBF units are; and a cliff, which is one slope aslant,
as a perceptron's unit is.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from handbook.labs.rbf_networks.approximation import TINY, cliff, franke, grid, relative
from handbook.labs.rbf_networks.descent import MLP, RBF, Kind, Parts, adam, around, outputs, perceptrons, squares, whole
from handbook.labs.rbf_networks.network import (
    LLOYD_STEPS,
    Array,
    activations,
    kmeans,
    least_squares,
    printed_width,
    with_bias,
)

FUNCTIONS = {"hills": franke, "cliff": cliff}
UNITS, ROWS, UPDATES, EVERY = 25, 200, 800, 20
RATES, SEEDS = (0.01, 0.03, 0.1, 0.3), 5
REACHED = 0.1  # of the function's deviation: the error at which updates are counted
FEW, NOISES, DRAWS = (20, 50, 150), (0.0, 0.3), 8
SHARES, WIDTHS, PENALTIES = (0.25, 0.5, 1.0), (1.0, 2.0), (1e-6, 1e-3, 1e-1, 1.0)  # that a network chooses among
DECAYS, PATIENT, LOOK = (0.0, 0.1, 1.0), 1000, 50
SMALL, RATE = 20, 0.03  # units of a perceptron on few rows, and its rate


class Race(NamedTuple):
    """Errors on the grid by updates, (SEEDS, UPDATES / EVERY), each kind at its best rate; and of one solution."""

    errors: dict[str, Array]
    rates: dict[str, float]
    solved: Array  # (SEEDS,): centres by k-means, weights by least squares, no update at all

    def updates(self, name: str) -> Array:
        """Updates until the error is REACHED, (SEEDS,); one look more than there were where it never is."""
        below = self.errors[name] <= REACHED
        return np.where(below.any(axis=1), (below.argmax(axis=1) + 1) * EVERY, UPDATES + EVERY)


@cache
def race(name: str) -> Race:
    """One of the functions from so many rows, without noise, by gradients and by a solution."""
    function, at = FUNCTIONS[name], grid(2)
    true = function(at)
    x, starts, solved = [], [], []
    for seed in range(SEEDS):
        rng = np.random.default_rng([72, seed])
        x.append(rng.random((ROWS, 2)))
        starts.append(kmeans(x[-1], UNITS, rng))
        width = printed_width(starts[-1])
        weights = least_squares(activations(x[-1], starts[-1], width), function(x[-1]), TINY)
        solved.append(relative(with_bias(activations(at, starts[-1], width)) @ weights, true))
    rows, centres = np.stack(x), np.stack(starts)
    t = np.stack([function(each) for each in x])[:, :, None]
    rng = np.random.default_rng(72)
    weights = rng.normal(0, UNITS**-0.5, (SEEDS, UNITS + 1, 1))
    beginnings = {
        "RBF": (RBF, around(centres, float(np.mean([printed_width(each) for each in starts])), weights)),
        "MLP": (MLP, perceptrons(SEEDS, 2, UNITS, 1, rng)),
    }
    errors, rates = {}, {}
    for each, (kind, parts) in beginnings.items():
        errors[each], rates[each] = _best_rate(kind, parts, rows, t, true)
    return Race(errors, rates, np.array(solved))


def _best_rate(kind: Kind, parts: Parts, x: Array, t: Array, true: Array) -> tuple[Array, float]:
    """Errors (SEEDS, looks) at the rate whose loss on the rows is least in the end, and that rate."""
    many, at = len(RATES), grid(2)
    tiled = Parts(*(np.tile(part, (many, 1, 1)) for part in parts))
    rows = whole(np.tile(_scaled(kind, x), (many, 1, 1)), np.tile(t, (many, 1, 1)), UPDATES)
    looks, losses = [], np.empty(0)
    for step, (found, now) in enumerate(adam(kind, tiled, rows, squares, np.repeat(RATES, len(x))[:, None, None]), 1):
        losses = found
        if step % EVERY == 0:
            looks.append(now)
    best = int(losses.reshape(many, -1).mean(axis=1).argmin())
    own = slice(best * len(x), (best + 1) * len(x))  # only these have to be judged
    errors = [_errors(kind, Parts(*(part[own] for part in each)), _scaled(kind, at), true) for each in looks]
    return np.stack(errors, axis=1), RATES[best]


def _errors(kind: Kind, parts: Parts, at: Array, true: Array) -> Array:
    """Root mean square errors (S,) on points (N, 2) where the function is `true` (N,), by its deviation."""
    shown = outputs(kind, parts, at)[:, :, 0]
    return np.asarray(np.sqrt(((shown - true) ** 2).mean(axis=1)) / true.std())


def _scaled(kind: Kind, x: Array) -> Array:
    """Inputs of 0-1 as each kind likes them best: a perceptron's around zero."""
    return np.asarray(2 * x - 1 if kind is MLP else x)


def multiplications() -> dict[str, float]:
    """Of an update of either kind on all rows, forward and back; and of the solution, k-means included at its most."""
    forward = ROWS * UNITS * (2 + 1)
    return {"an update": 3.0 * forward, "the solution": float(LLOYD_STEPS * ROWS * UNITS * 2 + ROWS * UNITS**2)}


class Scarce(NamedTuple):
    """Errors (NOISES, FEW, DRAWS) on the grid, against the function without noise."""

    rbf: Array
    mlp: Array


@cache
def scarce(name: str) -> Scarce:
    """One of the functions from few rows, exact and noisy, each network chosen by the same held-out quarter."""
    function, at = FUNCTIONS[name], grid(2)
    true = function(at)
    found = Scarce(*(np.empty((len(NOISES), len(FEW), DRAWS)) for _ in range(2)))
    for i, noise in enumerate(NOISES):
        for j, number in enumerate(FEW):
            rngs = [np.random.default_rng([1988, i, j, draw]) for draw in range(DRAWS)]
            x = np.stack([rng.random((number, 2)) for rng in rngs])
            t = np.stack(
                [
                    function(rows) + noise * true.std() * rng.normal(size=number)
                    for rows, rng in zip(x, rngs, strict=True)
                ]
            )
            found.rbf[i, j] = [_chosen_rbf(*each, at, true) for each in zip(x, t, rngs, strict=True)]
            found.mlp[i, j] = _chosen_mlp(x, t, at, true, rngs[0])
    return found


def _chosen_rbf(x: Array, t: Array, rng: np.random.Generator, at: Array, true: Array) -> float:
    held = len(x) // 4
    best = (np.inf, np.inf)
    for share in SHARES:
        centres = kmeans(x[held:], max(2, round(share * (len(x) - held))), rng) if share < 1 else x[held:]
        for times in WIDTHS:
            width = times * printed_width(centres)
            phi, judged, shown = (activations(rows, centres, width) for rows in (x[held:], x[:held], at))
            for alpha in PENALTIES:
                weights = least_squares(phi, t[held:], alpha)
                error = float(((with_bias(judged) @ weights - t[:held]) ** 2).mean())
                if error < best[0]:
                    best = (error, relative(with_bias(shown) @ weights, true))
    return best[1]


def _chosen_mlp(x: Array, t: Array, at: Array, true: Array, rng: np.random.Generator) -> Array:
    """Errors (DRAWS,) of perceptrons (DRAWS, rows, 2), all draws and decays learning side by side."""
    held, many = x.shape[1] // 4, len(DECAYS)
    x, t = np.tile(2 * x - 1, (many, 1, 1)), np.tile(t[:, :, None], (many, 1, 1))
    parts = perceptrons(len(x) // many, 2, SMALL, 1, rng)
    parts = Parts(*(np.tile(part, (many, 1, 1)) for part in parts))  # from the same starts, whatever the decay
    decay = np.repeat(DECAYS, len(x) // many)[:, None, None]
    best, kept = np.full(len(x), np.inf), parts
    course = adam(MLP, parts, whole(x[:, held:], t[:, held:], PATIENT), squares, RATE, decay)
    for step, (_, now) in enumerate(course, start=1):
        if step % LOOK:
            continue
        judged = ((outputs(MLP, now, x[:, :held]) - t[:, :held]) ** 2).mean(axis=(1, 2))
        better = (judged < best)[:, None, None]
        kept = Parts(*(np.where(better, new, old) for new, old in zip(now, kept, strict=True)))
        best = np.minimum(judged, best)
    choice = best.reshape(many, -1).argmin(axis=0)
    chosen = choice * len(choice) + np.arange(len(choice))
    return _errors(MLP, Parts(*(part[chosen] for part in kept)), 2 * at - 1, true)
