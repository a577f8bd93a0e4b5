"""Linear and quadratic programmes, solved through their multipliers (section 3.5; Karush 1939, Kuhn and Tucker 1951).

    minimise ½ xᵀPx + qᵀx   subject to   Ax = b,  Gx ≤ h,      P positive semi-definite (P = 0: a linear programme)

x is a solution exactly if there are multipliers λ, μ with

    Px + q + Aᵀλ + Gᵀμ = 0,   Ax = b,   Gx ≤ h,   μ ≥ 0,   μᵢ (Gx − h)ᵢ = 0

The last line says which inequalities may push: the active ones. For each choice of them the rest is one linear system
(Lagrange's); the choice that meets all five lines is the answer. Trying every choice costs 2^m and is for programmes
that fit on a page; what it finds is exact, and SciPy and CVXPY are asked for a second and a third opinion.

A multiplier is a price: relaxing bᵢ or hᵢ by ε lowers the least cost by λᵢε or μᵢε. It is not the cost itself, which is
what the book prints as its multiplier.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
CLOSE = 1e-8  # what counts as met, relative to the size of the numbers


@dataclass(frozen=True)
class Programme:
    """Costs P (n, n), q (n,); equalities A (k, n), b (k,); inequalities G (m, n), h (m,) with a name each."""

    P: Array
    q: Array
    A: Array = field(default_factory=lambda: np.zeros((0, 0)))
    b: Array = field(default_factory=lambda: np.zeros(0))
    G: Array = field(default_factory=lambda: np.zeros((0, 0)))
    h: Array = field(default_factory=lambda: np.zeros(0))
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.q)
        for name, right in (("A", "b"), ("G", "h")):
            matrix, vector = getattr(self, name), getattr(self, right)
            if matrix.size == 0 and vector.size == 0:
                object.__setattr__(self, name, np.zeros((0, n)))  # no constraints, whatever their width
            elif matrix.shape != (len(vector), n):
                raise ValueError(f"{name} has the shape {matrix.shape}; {n} unknowns and {right} of {len(vector)} need"
                                 f" ({len(vector)}, {n})")  # fmt: skip
        if self.P.shape != (n, n) or not np.allclose(self.P, self.P.T):
            raise ValueError(f"P must be symmetric and ({n}, {n}), found {self.P.shape}; give (P + Pᵀ) / 2")
        if not self.names:
            object.__setattr__(self, "names", tuple(f"inequality {i}" for i in range(1, len(self.h) + 1)))

    def cost(self, x: Array) -> float:
        """½ xᵀPx + qᵀx."""
        return float(0.5 * x @ self.P @ x + self.q @ x)

    def violations(self, x: Array) -> dict[str, float]:
        """By how much x (n,) misses each constraint it does not keep, by the constraint's name."""
        over = {name: float(g @ x - h) for name, g, h in zip(self.names, self.G, self.h, strict=True)}
        over |= {f"equality {i}": abs(float(a @ x - b)) for i, (a, b) in enumerate(zip(self.A, self.b, strict=True), 1)}
        return {name: miss for name, miss in over.items() if miss > CLOSE * (1 + float(np.abs(x).max()))}


@dataclass(frozen=True)
class Solution:
    """The best x (n,), its cost, the prices λ (k,) of the equalities and μ (m,) of the inequalities."""

    x: Array
    cost: float
    equality: Array
    inequality: Array


def refuse_non_convex(programme: Programme) -> None:
    """ValueError if P has a negative eigenvalue: then the conditions above do not tell the best x from a saddle."""
    least = float(np.linalg.eigvalsh(programme.P).min())
    if least < -CLOSE * (1 + float(np.abs(programme.P).max())):
        raise ValueError(
            f"the programme is not convex: P has the eigenvalue {least:.4g}, and a local minimum need not be the best. "
            "Give a P with none below 0, or search from many starts"
        )


def infeasible(programme: Programme) -> ValueError:
    """The error for constraints that no x keeps."""
    return ValueError(
        f"the programme is infeasible: no x keeps its {len(programme.b)} equalities and {len(programme.h)} inequalities"
        f" ({', '.join(programme.names)}) at once. Relax or drop one"
    )


def unbounded(programme: Programme) -> ValueError:
    """The error for a cost that falls without end."""
    return ValueError(
        f"the programme is unbounded: along some direction the cost falls for ever and no constraint of"
        f" ({', '.join(programme.names)}) stops it. Bound the unknowns, or check the signs of q and G"
    )


def solve(programme: Programme) -> Solution:
    """The best x with its multipliers. Raises ValueError if the programme is not convex, infeasible or unbounded.

    If no choice of active constraints works, either nothing is feasible, and then no point is nearest to 0 either; or
    the cost has no least value: a convex quadratic that is bounded below on a polyhedron attains it (Frank and
    Wolfe 1956).
    """
    refuse_non_convex(programme)
    for active in _choices(len(programme.h)):
        if (found := _lagrange(programme, active)) is not None:
            return found
    n = len(programme.q)
    nearest = Programme(np.eye(n), np.zeros(n), programme.A, programme.b, programme.G, programme.h)
    if any(_lagrange(nearest, active) is not None for active in _choices(len(programme.h))):
        raise unbounded(programme)
    raise infeasible(programme)


def _choices(m: int) -> Iterator[list[int]]:
    """Every set of active inequalities, the small ones first."""
    return (list(chosen) for size in range(m + 1) for chosen in combinations(range(m), size))


def _lagrange(programme: Programme, active: list[int]) -> Solution | None:
    """The solution if exactly these inequalities may push, or None if it breaks another or one of these pulls."""
    p, n, k = programme, len(programme.q), len(programme.b)
    held = np.vstack([p.A, p.G[active]])  # (k + a, n)
    system = np.block([[p.P, held.T], [held, np.zeros((len(held), len(held)))]])  # (n + k + a, n + k + a)
    target = np.concatenate([-p.q, p.b, p.h[active]])
    z = np.linalg.lstsq(system, target, rcond=None)[0]  # least squares, for the system may be singular
    x, mu = z[:n], np.zeros(len(p.h))
    mu[active] = z[n + k :]
    found = Solution(x, p.cost(x), z[n : n + k], mu)
    return found if max(residuals(p, found).values()) <= CLOSE * (1 + float(np.abs(z).max())) else None


def residuals(programme: Programme, solution: Solution) -> dict[str, float]:
    """How far a solution is from each of the five conditions: all zero, or it is none."""
    p, x, mu = programme, solution.x, solution.inequality
    room = p.h - p.G @ x  # (m,)
    return {
        "stationarity": _largest(p.P @ x + p.q + p.A.T @ solution.equality + p.G.T @ mu),
        "equalities": _largest(p.A @ x - p.b),
        "inequalities": _largest(np.minimum(room, 0)),
        "signs": _largest(np.minimum(mu, 0)),
        "complementarity": _largest(mu * room),
    }


def _largest(values: Array) -> float:
    return float(np.abs(values).max(initial=0))


def vertices(G: Array, h: Array) -> Array:
    """Corners (c, 2) of the polygon Gx ≤ h in the plane, in turning order; none if it is empty."""
    corners = []
    for i, j in combinations(range(len(h)), 2):
        if abs(np.linalg.det(G[[i, j]])) > CLOSE:
            x = np.linalg.solve(G[[i, j]], h[[i, j]])
            if (G @ x <= h + CLOSE).all():
                corners.append(x + 0.0)  # no negative zero
    if not corners:
        return np.zeros((0, 2))
    unique = np.unique(np.round(corners, 9), axis=0)
    spokes = unique - unique.mean(axis=0)
    return np.asarray(unique[np.argsort(np.arctan2(spokes[:, 1], spokes[:, 0]))])
