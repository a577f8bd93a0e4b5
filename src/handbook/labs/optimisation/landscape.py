"""What is minimised, and what its landscape holds (sections 3.3.1 and 3.3.2).

Risk R(c) = E (c − Y)² is what a prediction c costs on all there is; empirical risk R̂(c) = mean (c − yᵢ)² what it costs
on the data (Vapnik 1992). For any Y with mean m and variance s²: R(c) = (c − m)² + s², and so R̂ is lowest at the
sample's mean, which misses the best possible risk by s²/n on average.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
BOOK_SAMPLE = np.arange(1.0, 6.0)  # the five values of section 3.3.1
BOOK_INTERVAL = (-1.0, 2.0)  # of section 3.3.2


def risk(c: Array, mean: float = 0.0, variance: float = 1.0) -> Array:
    """R(c) = (c − m)² + s², for predictions c of any shape."""
    return np.asarray((c - mean) ** 2 + variance)


def empirical_risk(c: Array, sample: Array) -> Array:
    """R̂(c) = mean over the sample (n,) of (c − yᵢ)², for predictions c of any shape."""
    return np.asarray(((np.asarray(c)[..., None] - sample) ** 2).mean(axis=-1))  # (..., n) -> (...)


def excess_risk(n: int, trials: int, rng: np.random.Generator) -> float:
    """Mean of R(ĉ) − min R over samples of n standard normal values, ĉ the minimum of R̂: 1/n by theory."""
    best = rng.standard_normal((trials, n)).mean(axis=1)  # (trials, n) -> (trials,)
    return float((risk(best) - risk(np.zeros(()))).mean())


def wave(x: Array) -> Array:
    """f(x) = x cos πx."""
    return np.asarray(x * np.cos(np.pi * x))


def wave_slope(x: Array) -> Array:
    """f'(x) = cos πx − πx sin πx."""
    return np.asarray(np.cos(np.pi * x) - np.pi * x * np.sin(np.pi * x))


def wave_curvature(x: Array) -> Array:
    """f''(x) = −2π sin πx − π²x cos πx."""
    return np.asarray(-2 * np.pi * np.sin(np.pi * x) - np.pi**2 * x * np.cos(np.pi * x))


def roots(f: Callable[[Array], Array], low: float, high: float, cells: int = 1000) -> Array:
    """Where f crosses zero in (low, high), ascending: every change of sign on a grid, halved until it is a point.

    cot πx = πx has no solution in closed form, whatever the book does with it symbolically. A pair of roots within one
    cell, or a root without a change of sign, is not seen.
    """
    grid = np.linspace(low, high, cells + 1)
    sign = np.sign(f(grid))
    left, right = grid[:-1][sign[:-1] * sign[1:] < 0], grid[1:][sign[:-1] * sign[1:] < 0]
    for _ in range(60):  # a cell of 1e-3 is below the spacing of doubles after some 45 halvings
        middle = (left + right) / 2
        same = np.sign(f(middle)) == np.sign(f(left))
        left, right = np.where(same, middle, left), np.where(same, right, middle)
    return np.sort(np.concatenate([(left + right) / 2, grid[1:-1][sign[1:-1] == 0]]))


def wave_extrema(low: float, high: float) -> tuple[Array, Array]:
    """Places of the local minima and of the local maxima of x cos πx inside (low, high)."""
    x = roots(wave_slope, low, high)
    return x[wave_curvature(x) > 0], x[wave_curvature(x) < 0]


def kind(hessian: Array) -> str:
    """What a stationary point with this symmetric Hessian (d, d) is: minimum, maximum, saddle, or undecided.

    A saddle curves up one way and down another, so it takes two variables. The book calls x³ at 0 a saddle: its one
    curvature is 0, and the point is an inflection, past which the function goes on falling.
    """
    curvature = np.linalg.eigvalsh(hessian)
    if curvature.min() < 0 < curvature.max():
        return "saddle"
    if curvature.min() > 0:
        return "minimum"
    return "maximum" if curvature.max() < 0 else "undecided"


@dataclass(frozen=True)
class Escape:
    """A path (steps + 1, 2) down x² − y², from beside the saddle to where |y| passes 1 or patience ends."""

    path: Array
    escaped: bool

    @property
    def steps(self) -> int:
        return len(self.path) - 1


def escape(start: tuple[float, float], rate: float, momentum: float, patience: int = 1000) -> Escape:
    """Leave the saddle of x² − y² by v ← βv − η∇f, θ ← θ + v (Polyak 1964).

    Each coordinate is a recurrence of its own: plain descent multiplies y by 1 + 2η a step; momentum by the larger root
    of r² − (1 + β + 2η) r + β = 0, which is greater.
    """
    theta, v = np.array(start), np.zeros(2)
    path = [theta]
    while abs(theta[1]) <= 1 and len(path) <= patience:
        v = momentum * v - rate * np.array([2.0, -2.0]) * theta
        theta = theta + v
        path.append(theta)
    return Escape(np.array(path), bool(abs(theta[1]) > 1))


def growth(rate: float, momentum: float) -> float:
    """The factor by which momentum carries y away from the saddle, a step, in the long run."""
    b = 1 + momentum + 2 * rate
    return float((b + np.sqrt(b * b - 4 * momentum)) / 2)
