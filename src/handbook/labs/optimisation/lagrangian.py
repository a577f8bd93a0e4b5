"""Augmented Lagrangians (section 3.5.3, which names them; Hestenes 1969, Powell 1969, Rockafellar 1973).

A penalty ρ/2 |Ax − b|² pulls x towards the constraints and never quite there: at its least point Ax − b = λ/ρ, so that
to halve the miss ρ must be doubled, until nothing but the penalty is left in the sum. Let a price do the work instead:

    1  x  ←  least of the cost + ρ/2 |Ax − b + λ/ρ|² + ρ/2 |max(0, Gx − h + μ/ρ)|²
    2  λ  ←  λ + ρ (Ax − b)              raise the price of what is missed
       μ  ←  max(0, μ + ρ (Gx − h))      an inequality's never below 0
    3  repeat; ρ stays what it is

The prices come to rest where nothing is missed, and there they are the multipliers. What is to be least in the first
step is made of parabolas; on each Newton's method is exact, so a few steps of it suffice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handbook.labs.optimisation.programmes import Array, Programme, Solution, refuse_non_convex

RHO, ROUNDS, CLOSE = 10.0, 500, 1e-10
TRUST = 1e-3  # of |x − last x|², in place of a curvature that a linear cost does not have (Rockafellar 1976)


@dataclass(frozen=True)
class Priced:
    """The solution, and after each round x (k, n) and the largest miss of any constraint (k,)."""

    solution: Solution
    path: Array
    misses: Array


def miss(p: Programme, x: Array) -> float:
    """By how much x misses the constraint that it misses most."""
    return float(max(np.abs(p.A @ x - p.b).max(initial=0), (p.G @ x - p.h).max(initial=0)))


def by_prices(programme: Programme, rho: float = RHO, rounds: int = ROUNDS) -> Priced:
    """Raise the prices until nothing is missed. ValueError if the programme is not convex, or that never happens."""
    refuse_non_convex(programme)
    p, x = programme, np.zeros(len(programme.q))
    lam, mu, path, misses = np.zeros(len(p.b)), np.zeros(len(p.h)), [], []
    for _ in range(rounds):
        before = x
        x = least(p, x, lam, mu, rho)
        raised = np.maximum(0, mu + rho * (p.G @ x - p.h))
        settled = np.abs(raised - mu).max(initial=0) <= CLOSE * rho and np.abs(x - before).max() <= CLOSE
        lam, mu = lam + rho * (p.A @ x - p.b), raised
        path.append(x)
        misses.append(miss(p, x))
        if settled and misses[-1] <= CLOSE:
            return Priced(Solution(x, p.cost(x), lam, mu), np.array(path), np.array(misses))
    raise ValueError(
        f"after {rounds} rounds {misses[-1]:.3g} of a constraint is still missed: either no x keeps all of"
        f" ({', '.join(p.names)}), or the cost has no least value, or rho, {rho:g}, is far from the size of the costs"
    )


def by_penalty(p: Programme, rho: float) -> Array:
    """What the penalty alone comes to: the first step with no price on anything."""
    return least(p, np.zeros(len(p.q)), np.zeros(len(p.b)), np.zeros(len(p.h)), rho, trust=0.0)


def least(
    p: Programme, x: Array, lam: Array, mu: Array, rho: float, *, trust: float = TRUST, steps: int = 100
) -> Array:  # fmt: skip
    """The least point of the augmented cost, from x; `trust` keeps it near where it was."""
    start = x

    def slope(at: Array) -> Array:
        push = p.A.T @ (lam + rho * (p.A @ at - p.b)) + p.G.T @ np.maximum(0, mu + rho * (p.G @ at - p.h))
        return np.asarray(p.P @ at + p.q + push + trust * (at - start))

    for _ in range(steps):
        g = slope(x)
        if np.abs(g).max() <= 1e-12 * (1 + rho):
            break
        held = p.G[mu + rho * (p.G @ x - p.h) > 0]
        bent = p.P + trust * np.eye(len(x)) + rho * (p.A.T @ p.A + held.T @ held)
        move = np.linalg.lstsq(bent, -g, rcond=None)[0]
        share = 1.0
        while share > 1e-9 and move @ slope(x + share * move) > 0.9 * abs(move @ g):  # past the bottom, and rising
            share /= 2
        x = x + share * move
    return x
