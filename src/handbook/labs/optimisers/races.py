"""Races on three landscapes of two variables, each rule at the rate that suits it best.

    quadratic    (u² + 25 v²) / 2                   a long valley, (u, v) being (x, y) turned by 30 degrees
    Rosenbrock   (1 - x)² + 100 (y - x²)²           a bent valley (Rosenbrock 1960), minimum 0 at (1, 1)
    saddle       x² / 2 - y² / 2 + y⁴ / 4           level at (0, 0), minima -1/4 at (0, ±1)

The book's saddle, x² - y², has no bottom, so that the winner would be whoever diverges fastest; the fourth power gives
it two. All start beside the ridge, a thousandth off it. The valley is turned because the adaptive rules scale each axis
by itself: laid along the axes it would be a circle to them, and AdaGrad would win in five steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.labs.optimisers import quasi_newton
from handbook.labs.optimisers.rules import RULES, Rule, Vector, walk
from handbook.labs.optimisers.schedules import Schedule

STEPS = 600
RATES = np.logspace(-3, 1, 17)  # four to a decade, for every rule the same
FAR = 1e6  # a loss that no path comes back from


def quadratic(p: Vector) -> tuple[Any, Vector]:
    """Value and gradient (2,) at p (2,); of many points (2, N) values (N,) and gradients (2, N)."""
    cos, sin = np.sqrt(3) / 2, 0.5
    turn = np.array([[cos, sin], [-sin, cos]])
    q, curvature = turn @ p, np.array([1.0, 25.0])
    return curvature @ q**2 / 2, turn.T @ (curvature * q.T).T


def rosenbrock(p: Vector) -> tuple[Any, Vector]:
    """Value and gradient (2,) at p (2,), or of many points (2, N)."""
    x, y = p
    bend = y - x * x
    return (1 - x) ** 2 + 100 * bend**2, np.array([-2 * (1 - x) - 400 * x * bend, 200 * bend])


def saddle(p: Vector) -> tuple[Any, Vector]:
    """Value and gradient (2,) at p (2,), or of many points (2, N)."""
    x, y = p
    return x * x / 2 - y * y / 2 + y**4 / 4, np.array([x, -y + y**3])


@dataclass(frozen=True)
class Landscape:
    """A function, where the race on it starts, its lowest value, and the part of the plane worth seeing."""

    f: quasi_newton.Objective
    start: tuple[float, float]
    lowest: float
    view: tuple[float, float, float, float]  # left, right, bottom, top


LANDSCAPES = {
    "quadratic": Landscape(quadratic, (-4.0, -0.5), 0.0, (-4.6, 2.4, -3.2, 2.2)),
    "rosenbrock": Landscape(rosenbrock, (-1.5, 2.0), 0.0, (-2.0, 1.8, -0.7, 2.7)),
    "saddle": Landscape(saddle, (-1.5, 1e-3), -0.25, (-1.8, 1.2, -1.4, 1.4)),
}


@dataclass(frozen=True)
class Path:
    """A rule's path (steps + 1, 2), how far each point lies above the lowest value, and the rate it was walked at."""

    points: Vector
    excess: Vector  # (steps + 1,)
    eta: float

    def arrival(self, share: float = 1e-4) -> int:
        """The first step from which on the excess stays below a share of that at the start; -1 if it never does."""
        above = np.flatnonzero(self.excess > share * self.excess[0])
        last = int(above[-1]) + 1 if len(above) else 0
        return last if last < len(self.excess) else -1


def run(landscape: Landscape, kind: type[Rule], rates: Vector, steps: int = STEPS) -> list[Path]:
    """The paths of a rule at those rates (R,), walked side by side, without those that leave for infinity."""
    start = np.asarray(landscape.start)[:, None]
    rule, here, there = kind(rates), np.repeat(start, len(rates), axis=1), np.full(len(rates), True)
    points, excess = [], []
    for _ in range(steps + 1):
        value, g = landscape.f(here)
        there &= value < FAR
        points.append(here)
        excess.append(value - landscape.lowest)
        here = np.where(there, rule.step(here, np.where(there, g, 0.0)), start)  # who has left waits at the start
    walked, above = np.stack(points), np.stack(excess)  # (steps + 1, 2, R), (steps + 1, R)
    return [Path(walked[:, :, k].copy(), above[:, k].copy(), float(rates[k])) for k in np.flatnonzero(there)]


def at_its_best(landscape: Landscape, kind: type[Rule], steps: int = STEPS) -> Path:
    """The path at the rate of the grid that arrives first; where none does, at that which keeps lowest at the end."""
    paths = run(landscape, kind, RATES, steps)
    arrived = [path for path in paths if path.arrival() >= 0]
    if arrived:
        return min(arrived, key=Path.arrival)
    return min(paths, key=lambda path: float(path.excess[-steps // 10 :].max()))


@cache
def race(name: str) -> dict[str, Path]:
    """Every rule on a landscape, each at its best rate, and L-BFGS, which needs none."""
    landscape = LANDSCAPES[name]
    paths = {rule: at_its_best(landscape, kind) for rule, kind in RULES.items() if rule != "AdamW"}
    found = quasi_newton.lbfgs(landscape.f, np.asarray(landscape.start))
    return paths | {"L-BFGS": Path(found.path, found.values - landscape.lowest, 1.0)}


def escapes(kind: type[Rule], offsets: Vector, eta: float = 0.05, steps: int = 1000) -> npt.NDArray[np.int64]:
    """Steps to leave the saddle from `offsets` (R,) beside its ridge, until |y| is above 1/2; -1 if that is never."""
    starts = np.stack([np.full(len(offsets), -1.5), offsets])
    out = np.abs(walk(kind(eta), lambda p: saddle(p)[1], starts, steps)[:, 1]) > 0.5
    return np.where(out.any(axis=0), out.argmax(axis=0), -1)


def escape(kind: type[Rule], offset: float) -> int:
    """The same of one offset."""
    return int(escapes(kind, np.array([offset]))[0])


def cold_start(schedule: Schedule, steps: int = 200, start: float = 3.0) -> float:
    """Where descent on x⁴/4 ends, steep far out and level inside; infinite if it is thrown out of the bowl."""
    x = start
    for t in range(steps):
        x -= schedule(t) * x**3
        if abs(x) > FAR:
            return float("inf")
    return abs(x)
