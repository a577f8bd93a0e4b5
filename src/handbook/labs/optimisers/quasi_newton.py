"""L-BFGS (section 3.12, of which the book prints an empty template): curvature from the last few steps.

The inverse Hessian is never formed. From the last m pairs s = change of theta and y = change of gradient, the two-loop
recursion (Nocedal and Wright 2006, algorithm 7.4) gives its product with the gradient in 4mn multiplications. A line
search then finds a step that satisfies the strong Wolfe conditions (algorithms 3.5 and 3.6),

    f(t) <= f(0) + c1 t f'(0)      it goes down enough
    |f'(t)| <= c2 |f'(0)|          and the slope has flattened, which keeps y·s > 0.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from handbook.labs.optimisers.rules import Vector

Objective = Callable[[Vector], tuple[float, Vector]]  # theta (n,) -> value, gradient (n,)
C1, C2 = 1e-4, 0.9  # Nocedal and Wright's values for quasi-Newton methods
TRIALS = 40  # halvings that take a step from 1 to below what float64 resolves
CURVED = 1e-10  # y·s below which a pair tells nothing, as in torch.optim.LBFGS


@dataclass
class Memory:
    """The last `size` pairs (s, y), and what they say of the inverse Hessian."""

    size: int = 10
    pairs: deque[tuple[Vector, Vector]] = field(init=False)

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"Memory: size must be 1 or more, found {self.size}; 5 to 20 is usual")
        self.pairs = deque(maxlen=self.size)

    def learn(self, s: Vector, y: Vector) -> None:
        """Take in a pair, unless its curvature is not positive: then H would not stay positive definite."""
        if y @ s > CURVED:
            self.pairs.append((s, y))

    def times(self, g: Vector) -> Vector:
        """H g by the two-loop recursion; H starts from gamma I, gamma = y·s / y·y of the newest pair."""
        if not self.pairs:
            return g
        q, alphas = g, []
        for s, y in reversed(self.pairs):
            alphas.append((s @ q) / (y @ s))
            q = q - alphas[-1] * y
        s, y = self.pairs[-1]
        r = (y @ s) / (y @ y) * q
        for (s, y), alpha in zip(self.pairs, reversed(alphas), strict=True):
            r = r + s * (alpha - (y @ r) / (y @ s))
        return np.asarray(r)


@dataclass(frozen=True)
class Trial:
    """A step t along the line, with value, slope along the line, and gradient there."""

    t: float
    f: float
    slope: float
    g: Vector


Line = Callable[[float], Trial]


def strong_wolfe(line: Line, start: Trial, t: float = 1.0, c1: float = C1, c2: float = C2) -> Trial:
    """A step that satisfies both conditions, sought from t outwards (algorithm 3.5).

    Raises ValueError if the line does not go down, or if no end of it is found.
    """
    if not 0 < c1 < c2 < 1:
        raise ValueError(f"strong_wolfe: needs 0 < c1 < c2 < 1, found c1 = {c1}, c2 = {c2}")
    if start.slope >= 0:
        raise ValueError(f"strong_wolfe: the direction does not go down, slope {start.slope:.3g}; turn it round")
    before = start
    for number in range(TRIALS):
        trial = line(t)
        if not trial.f <= start.f + c1 * t * start.slope or (number and trial.f >= before.f):  # also where f is nan
            return _zoom(line, start, before, trial, c1=c1, c2=c2)
        if abs(trial.slope) <= -c2 * start.slope:
            return trial
        if trial.slope >= 0:
            return _zoom(line, start, trial, before, c1=c1, c2=c2)
        before, t = trial, 2 * t
    raise ValueError(f"strong_wolfe: still going down at t = {t:.3g}; the function has no bottom this way")


def _zoom(line: Line, start: Trial, low: Trial, high: Trial, *, c1: float, c2: float) -> Trial:
    """Narrow a bracket until a step in it satisfies both conditions (algorithm 3.6); low is its better end."""
    for _ in range(TRIALS):
        trial = line(_between(low, high))
        if not trial.f <= start.f + c1 * trial.t * start.slope or trial.f >= low.f:
            high = trial
            continue
        if abs(trial.slope) <= -c2 * start.slope:
            return trial
        if trial.slope * (high.t - low.t) >= 0:
            high = low
        low = trial
    return low  # rounding hides the rest: the best step that there is


def _between(a: Trial, b: Trial) -> float:
    """The minimum of the cubic through both ends (equation 3.59), kept off them by a tenth of the bracket."""
    width = b.t - a.t
    middle = a.t + 0.5 * width
    if not np.isfinite(b.f + b.slope):
        return middle
    d1 = a.slope + b.slope - 3 * (b.f - a.f) / width
    inside = d1 * d1 - a.slope * b.slope
    if inside < 0:
        return middle
    d2 = np.copysign(np.sqrt(inside), width)
    bottom = b.slope - a.slope + 2 * d2
    t = b.t - width * (b.slope + d2 - d1) / bottom if bottom else middle
    near, far = sorted((a.t + 0.1 * width, b.t - 0.1 * width))
    return float(np.clip(t, near, far))


@dataclass(frozen=True)
class Descent:
    """Where L-BFGS went: path (k + 1, n), the values on it (k + 1,), how often f was asked, and whether it is done."""

    path: Vector
    values: Vector
    evaluations: int
    converged: bool


def lbfgs(f: Objective, start: Vector, *, memory: int = 10, steps: int = 200, tolerance: float = 1e-9) -> Descent:
    """Minimise f from start (n,) until no part of the gradient exceeds the tolerance."""
    known, theta = Memory(memory), np.asarray(start, np.float64)
    value, g = f(theta)
    path, values, evaluations = [theta], [value], 1
    for _ in range(steps):
        if np.abs(g).max() <= tolerance:
            break
        d = -known.times(g)
        tried, line = _along(f, theta, d)
        # the first direction has the size of the gradient, which says nothing about how far to go
        t = 1.0 if known.pairs else min(1.0, 1 / np.abs(g).sum())
        found = strong_wolfe(line, Trial(0.0, value, float(g @ d), g), t)
        evaluations += len(tried)
        known.learn(found.t * d, found.g - g)
        theta, value, g = theta + found.t * d, found.f, found.g
        path.append(theta)
        values.append(value)
    return Descent(np.stack(path), np.asarray(values), evaluations, bool(np.abs(g).max() <= tolerance))


def _along(f: Objective, theta: Vector, d: Vector) -> tuple[list[float], Line]:
    """f on the ray theta + t d, and the list of the steps at which it has been asked."""
    tried: list[float] = []

    def line(t: float) -> Trial:
        tried.append(t)
        value, g = f(theta + t * d)
        return Trial(t, value, float(g @ d), g)

    return tried, line


def fixed_steps(f: Objective, start: Vector, eta: float, steps: int, memory: int = 10) -> Vector:
    """L-BFGS without a line search, path (steps + 1, n): what torch.optim.LBFGS does by default."""
    known, theta = Memory(memory), np.asarray(start, np.float64)
    path, g = [theta], f(theta)[1]
    for number in range(steps):
        s = -(eta if number else eta * min(1.0, 1 / np.abs(g).sum())) * known.times(g)
        after = f(theta + s)[1]
        known.learn(s, after - g)
        theta, g = theta + s, after
        path.append(theta)
    return np.stack(path)
