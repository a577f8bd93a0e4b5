"""Convex sets and functions: five properties as checks that can refuse (section 3.4; Boyd and Vandenberghe 2004).

    segment        f(λa + (1−λ)b) ≤ λf(a) + (1−λ)f(b)
    curvature      f'' ≥ 0
    Jensen         f(E X) ≤ E f(X)
    combination    f(Σ wᵢxᵢ) ≤ Σ wᵢf(xᵢ), w from a Dirichlet distribution
    minimum        every local minimum is global

A check that refuses has found a counterexample and is right, up to rounding; one that accepts has found none. The first
four refuse every function here that is not convex; the last is only a consequence of convexity, and x³ and √|x|
have it too. The book's last check asks f to equal its least value everywhere: only a constant passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Interval = tuple[float, float]
SLACK = 1e-9  # of the function's range: what sums of a few dozen doubles may be wrong by, with room


@dataclass(frozen=True)
class Function:
    """A function of one variable, elementwise on arrays, on an interval, and what is known of it."""

    name: str
    f: Callable[[Array], Array]
    interval: Interval
    convex: bool


FUNCTIONS = (
    Function("x²", np.square, (-2, 2), True),
    Function("exp x", np.exp, (-2, 2), True),
    Function("|x|", np.abs, (-2, 2), True),
    Function("ReLU", lambda x: np.maximum(x, 0), (-2, 2), True),
    Function("log(1 + exp x)", lambda x: np.logaddexp(0, x), (-2, 2), True),
    Function("constant", np.ones_like, (-2, 2), True),
    Function("x³", lambda x: x**3, (-2, 2), False),
    Function("x cos πx", lambda x: x * np.cos(np.pi * x), (-1, 2), False),
    Function("sin x", np.sin, (-4, 4), False),
    Function("−x²", lambda x: -(x**2), (-1, 2), False),
    Function("√|x|", lambda x: np.sqrt(np.abs(x)), (-2, 2), False),
    Function("tanh x", np.tanh, (-2, 2), False),
)


def _never_above(left: Array, right: Array) -> bool:
    """Whether left ≤ right everywhere, but for rounding."""
    scale = max(1.0, float(np.abs(right).max()))
    return bool((left - right).max() <= SLACK * scale)


def segment(f: Callable[[Array], Array], interval: Interval, rng: np.random.Generator, trials: int = 2000) -> bool:
    """Whether no chord is seen below the graph."""
    a, b = rng.uniform(*interval, (2, trials))
    weight = rng.uniform(size=trials)
    return _never_above(f(weight * a + (1 - weight) * b), weight * f(a) + (1 - weight) * f(b))


def curvature(f: Callable[[Array], Array], interval: Interval, rng: np.random.Generator, trials: int = 2000) -> bool:
    """Whether no second difference f(x−h) − 2f(x) + f(x+h) is negative; a kink counts as curvature."""
    h = 1e-3 * (interval[1] - interval[0])  # large enough that h² f'' stands far above the rounding of f
    x = rng.uniform(interval[0] + h, interval[1] - h, trials)
    return _never_above(2 * f(x), f(x - h) + f(x + h))


def jensen(f: Callable[[Array], Array], interval: Interval, rng: np.random.Generator, trials: int = 2000) -> bool:
    """Whether no random X is seen with f(E X) > E f(X): each X a sample of 8 from a stretch of the interval."""
    ends = np.sort(rng.uniform(*interval, (2, trials, 1)), axis=0)
    x = ends[0] + (ends[1] - ends[0]) * rng.uniform(size=(trials, 8))  # (trials, 8)
    return _never_above(f(x.mean(axis=1)), f(x).mean(axis=1))


def combination(f: Callable[[Array], Array], interval: Interval, rng: np.random.Generator, trials: int = 2000) -> bool:
    """Whether f at no weighted mean of five points exceeds that of f; weights from Dirichlet(1, ..., 1)."""
    weights = rng.dirichlet(np.ones(5), trials)  # (trials, 5), rows sum to 1
    x = rng.uniform(*interval, (trials, 5))
    return _never_above(f((weights * x).sum(axis=1)), (weights * f(x)).sum(axis=1))


def minimum(f: Callable[[Array], Array], interval: Interval, rng: np.random.Generator, trials: int = 2000) -> bool:
    """Whether every local minimum seen, on a grid with its ends, is as low as the lowest.

    The grid starts at a random offset, so that no function is favoured by where its minima lie.
    """
    inner = interval[0] + (interval[1] - interval[0]) * (np.arange(trials) + rng.uniform()) / trials
    values = f(np.concatenate([interval[:1], inner, interval[1:]]))
    walled = np.concatenate([[np.inf], values, [np.inf]])
    lowest = values[(values <= walled[:-2]) & (values <= walled[2:])]
    # The grid hits two equally low minima at different distances; between its points f moves by up to this much.
    near = np.abs(np.diff(values)).max()
    return bool(lowest.max() - values.min() <= near + SLACK)


PROPERTIES = {
    "segment": segment,
    "curvature": curvature,
    "Jensen": jensen,
    "combination": combination,
    "minimum": minimum,
}


def property_checks(f: Callable[[Array], Array], interval: Interval, seed: int) -> dict[str, bool]:
    """What each of the five properties says of f on the interval."""
    return {
        name: holds(f, interval, np.random.default_rng([seed, place]))
        for place, (name, holds) in enumerate(PROPERTIES.items())
    }


def convex_set(inside: Callable[[Array], npt.NDArray[np.bool_]], points: Array, rng: np.random.Generator) -> bool:
    """Whether no segment between two of the points (n, d) that lie inside is seen to leave the set.

    Raises ValueError if fewer than two of the points are inside: nothing could be refused.
    """
    members = points[inside(points)]
    if len(members) < 2:
        raise ValueError(f"{len(members)} of {len(points)} points lie inside the set; give points from a tighter box")
    other = rng.permutation(members)
    weight = rng.uniform(size=(len(members), 1))
    return bool(inside(weight * members + (1 - weight) * other).all())
