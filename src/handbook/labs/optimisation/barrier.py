"""Interior points (section 3.5.3, which names them; Fiacco and McCormick 1968; Boyd and Vandenberghe 2004, chapter 11).

Constraints Gx ≤ h become a wall that is felt from inside, and the wall is made thinner and thinner:

    minimise  t (½ xᵀPx + qᵀx) − Σ log(h − Gx)   subject to  Ax = b

For each t Newton's method finds the least point; the points of all t are the central path. On it μᵢ = 1/(t (h − Gx)ᵢ)
are multipliers for which all of Karush's conditions hold but one: μᵢ(h − Gx)ᵢ is 1/t in place of 0. So the cost is at
most m/t above the least, which says when to stop. Nothing needs to be known of which constraints will bind.

A start inside is found by the same means: the least s with Gx ≤ h + s; if that is not below 0 there is no inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handbook.labs.optimisation.programmes import Array, Programme, Solution, infeasible, refuse_non_convex

GROWTH, GAP = 10.0, 1e-7  # of t from one wall to the next; of the cost, where to stop
NEWTON_STEPS, HALVINGS = 60, 60
CENTRED = 1e-10  # Newton's decrement, squared, at which x counts as central
ON_THE_PLANE, FAR = 1e-9, 1e8  # of Ax − b at a start; of an x that runs away


@dataclass(frozen=True)
class Central:
    """The solution, the central path (k, n), the gap m/t at each of its points (k,), and Newton's steps in all."""

    solution: Solution
    path: Array
    gaps: Array
    steps: int


def follow(programme: Programme, start: Array | None = None, gap: float = GAP) -> Central:
    """Along the central path to the best x. ValueError if the programme is not convex, or has nothing inside.

    A programme whose cost has no least value is refused too: its path runs away.
    """
    refuse_non_convex(programme)
    p, x = programme, inside(programme) if start is None else np.asarray(start, float)
    if (p.h - p.G @ x).min(initial=np.inf) <= 0 or np.abs(p.A @ x - p.b).max(initial=0) > ON_THE_PLANE:
        raise ValueError(
            f"the start {x} is not inside: h − Gx is {p.h - p.G @ x} and must be above 0, Ax − b is {p.A @ x - p.b}"
            " and must be 0. Leave it out, and one is sought"
        )
    t, path, gaps, steps = 1.0, [], [], 0
    while True:
        found, taken = centre(p, x, t)
        x, steps = found.x, steps + taken
        path.append(x)
        gaps.append(len(p.h) / t)
        if gaps[-1] <= gap:
            return Central(found, np.array(path), np.array(gaps), steps)
        t *= GROWTH


def centre(p: Programme, x: Array, t: float) -> tuple[Solution, int]:
    """The least point behind a wall of that t with its multipliers, from an x inside, and Newton's steps to it.

    Newton's equations hold for multipliers at the end of the step, so these are exact where x is, to rounding.
    """
    free = _level(p.A)
    for taken in range(NEWTON_STEPS):
        inverse = 1 / (p.h - p.G @ x)
        slope = t * (p.P @ x + p.q) + p.G.T @ inverse
        bent = t * p.P + (p.G.T * inverse**2) @ p.G
        move = -free @ np.linalg.lstsq(free.T @ bent @ free, free.T @ slope, rcond=None)[0]
        if np.abs(x).max() > FAR:
            raise ValueError(
                f"the central path of ({', '.join(p.names)}) runs away: the cost has no least value. Bound the unknowns"
            )
        if move @ bent @ move <= CENTRED or taken == NEWTON_STEPS - 1:
            break
        x = x + _inside_step(p, x, move, t) * move
    prices = inverse + inverse**2 * (p.G @ move)
    rest = t * (p.P @ (x + move) + p.q) + p.G.T @ prices  # what the equalities' prices have to hold
    held = np.linalg.lstsq(p.A.T, -rest, rcond=None)[0]
    return Solution(x, p.cost(x), np.asarray(held / t), np.asarray(prices / t)), taken


def _level(A: Array) -> Array:
    """Directions (n, f) along which Ax does not change, orthogonal: on them a step never leaves the plane."""
    _, sizes, directions = np.linalg.svd(A)
    return np.asarray(directions[int((sizes > 1e-12 * sizes.max(initial=0)).sum()) :].T)


def _inside_step(p: Programme, x: Array, move: Array, t: float) -> float:
    """The largest of 1, ½, ¼ … of the move that stays inside and lowers what is to be least (Armijo 1966)."""
    room, ahead = p.h - p.G @ x, p.G @ move
    slope = float((t * (p.P @ x + p.q) + p.G.T @ (1 / room)) @ move)
    bent, share = t * float(move @ p.P @ move), 1.0
    for _ in range(HALVINGS):
        left = 1 - share * ahead / room
        if left.min(initial=np.inf) > 0:
            # the change, and not the difference of two large sums: near the end those agree to their last digit
            change = share * t * float((p.P @ x + p.q) @ move) + share**2 / 2 * bent - float(np.log(left).sum())
            if change <= 1e-4 * share * slope:
                break
        share /= 2
    return share


def inside(p: Programme) -> Array:
    """A point with Gx < h and Ax = b, or a ValueError: the path of the least s with Gx ≤ h + s, s ≥ −1."""
    n, m = len(p.q), len(p.h)
    first = np.linalg.lstsq(p.A, p.b, rcond=None)[0] if len(p.b) else np.zeros(n)
    if m == 0 or (p.h - p.G @ first).min() > 0:
        return np.asarray(first)
    deep = Programme(
        1e-6 * np.eye(n + 1),  # keeps x from running away along directions in which s does not change
        np.r_[np.zeros(n), 1.0],
        np.c_[p.A, np.zeros(len(p.b))],
        p.b,
        np.vstack([np.c_[p.G, -np.ones(m)], np.r_[np.zeros(n), -1.0]]),
        np.r_[p.h, 1.0],
    )
    found = follow(deep, np.r_[first, float((p.G @ first - p.h).max()) + 1.0], gap=1e-6)
    x = found.solution.x[:n]
    if (p.h - p.G @ x).min() <= 1e-9:
        raise infeasible(p)
    return np.asarray(x)
