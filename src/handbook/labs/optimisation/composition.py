"""Composability (section 3.5.5, which has no example): constraints as parts that are put together.

What keeps all of several convex constraints is convex again, and so is what keeps one of them after a linear map. So a
programme can be put together from parts, each with its own name, in any order, and a part is used twice as it stands:

    both(one, other)          x keeps the one and the other
    of(part, M, c)            Mx + c keeps it

The same holds for algorithms. `project` asks each part only for its own nearest point, and still finds the nearest
point of all that keep every part: Dykstra's method (1983), which hands each part back what it took the last time.
Without that, going from one nearest point to the next (von Neumann 1933) ends somewhere among them, but not nearest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from handbook.labs.optimisation.programmes import Array, Programme


@dataclass(frozen=True)
class Part:
    """Constraints Ax = b and Gx ≤ h on n unknowns, a name for each of the latter."""

    A: Array
    b: Array
    G: Array
    h: Array
    names: tuple[str, ...]

    def keeps(self, x: Array, slack: float = 1e-9) -> bool:
        """Whether x (n,) keeps it."""
        return bool(
            np.abs(self.A @ x - self.b).max(initial=0) <= slack and (self.G @ x - self.h).max(initial=0) <= slack
        )


def at_most(G: Array, h: Array, name: str) -> Part:
    """Gx ≤ h, row by row."""
    G, h = np.atleast_2d(np.asarray(G, float)), np.atleast_1d(np.asarray(h, float))
    names = (name,) if len(h) == 1 else tuple(f"{name} {i}" for i in range(1, len(h) + 1))
    return Part(np.zeros((0, G.shape[1])), np.zeros(0), G, h, names)


def equal(A: Array, b: Array) -> Part:
    """Ax = b."""
    A = np.atleast_2d(np.asarray(A, float))
    return Part(A, np.atleast_1d(np.asarray(b, float)), np.zeros((0, A.shape[1])), np.zeros(0), ())


def box(low: Array, high: Array, name: str = "box") -> Part:
    """Low ≤ x ≤ high: two parts put together."""
    n = len(low)
    return both(
        at_most(np.eye(n), high, f"{name} above"), at_most(-np.eye(n), -np.asarray(low, float), f"{name} below")
    )


def both(*parts: Part) -> Part:
    """What keeps all of them. ValueError if they speak of different numbers of unknowns."""
    widths = {part.G.shape[1] for part in parts}
    if len(widths) != 1:
        raise ValueError(
            f"parts must constrain the same unknowns, found {sorted(widths)} of them; map them by `of` first"
        )
    A, b, G, h = (np.concatenate([getattr(part, field) for part in parts]) for field in ("A", "b", "G", "h"))
    return Part(A, b, G, h, tuple(name for part in parts for name in part.names))


def of(part: Part, M: Array, c: Array) -> Part:
    """What x must keep for Mx + c to keep the part."""
    return Part(part.A @ M, part.b - part.A @ c, part.G @ M, part.h - part.G @ c, part.names)


def programme(P: Array, q: Array, part: Part) -> Programme:
    """Costs and a part as a programme for the solvers of this lab."""
    return Programme(P, q, part.A, part.b, part.G, part.h, part.names)


def half_spaces(part: Part) -> list[tuple[Array, float]]:
    """A part as rows a·x ≤ c, an equality as two."""
    rows = [*zip(part.G, part.h, strict=True), *zip(part.A, part.b, strict=True), *zip(-part.A, -part.b, strict=True)]
    return [(np.asarray(row), float(right)) for row, right in rows]


def project(parts: Sequence[Part], x: Array, rounds: int = 2000, *, give_back: bool = True) -> Array:
    """The path (rounds + 1, n) to the nearest point of all that keep every part, each half-space asked in turn."""
    spaces = [space for part in parts for space in half_spaces(part)]
    taken, path = [np.zeros_like(x) for _ in spaces], [x]
    for _ in range(rounds):
        for number, (row, right) in enumerate(spaces):
            back = x + taken[number] if give_back else x
            x = back - max(0.0, float(row @ back - right) / float(row @ row)) * row
            taken[number] = back - x
        path.append(x)
        if np.abs(path[-1] - path[-2]).max() <= 1e-13 and not any(_moved(part, x) for part in parts):
            break
    return np.array(path)


def _moved(part: Part, x: Array) -> bool:
    return not part.keeps(x, 1e-11)
