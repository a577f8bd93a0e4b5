"""Chapter 3, programmes with constraints: section 3.5."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from handbook.claims.claim import Claim, foreign, right, wrong
from handbook.labs.optimisation.examples import (
    BOOK_PLAN,
    LABOUR,
    PRINTED_OPTIMUM,
    REGION_G,
    REGION_H,
    as_listed,
    below_one,
    on_a_line,
)
from handbook.labs.optimisation.programmes import Programme, solve, vertices

Array = npt.NDArray[np.float64]


def hours(programme: Programme) -> Array:
    """Of A and of B in the best plan."""
    return solve(programme).x


def fall_by_the_constraint() -> float:
    """What a unit more of x + y costs, by a small step."""
    return (solve(on_a_line(1 + 1e-6)).cost - solve(on_a_line(1 - 1e-6)).cost) / 2e-6


CLAIMS: tuple[Claim, ...] = (
    right("3.5.1", "the region is a polygon: its corners", "at least 3", lambda: len(vertices(REGION_G, REGION_H)),
          "(1, 0), (5, 0) and (3, 2)"),
    foreign("3.5.2", "the best plan with 100 hours of labour: hours of A and of B", "50 4,950",
            lambda: hours(as_listed(LABOUR)), "the listing puts the 5,000 dollars where the 100 hours belong"),
    right("3.5.2", "the listing's own programme, with 5,000 hours", "50 4,950", lambda: hours(as_listed()),
          "as much of B as there are hours, since it earns more"),
    wrong("3.5.2", "the printed plan keeps to the hours there are: 100", "at most 100",
          lambda: float(BOOK_PLAN.sum()), "it works 5,000 hours"),
    foreign("3.5.3", "least sum of squares with x at least 0 and a sum of at most 1", "5.999999998779675",
            lambda: solve(below_one()).cost + 0.0,
            "nothing keeps x from 0, where the sum is 0; the print is of some other run"),
    foreign("3.5.3", "where it is reached", "2.00563673e-10 3.00000000", lambda: solve(below_one()).x + 0.0,
            "at 0 and 0; of some other run too"),
    wrong("3.5.3", "the printed solution keeps the constraint on its sum", "at most 1",
          lambda: float(PRINTED_OPTIMUM.sum()), "it breaks the constraint that is printed above it"),
    wrong("3.5.3", "the printed optimum is the objective at the printed solution", "5.999999998779675",
          lambda: below_one().cost(PRINTED_OPTIMUM),
          "the squares of 0 and 3 sum to 9: not even the objective is this one"),
    right("3.5.4", "least sum of squares on x + y = 1", "0.5 0.5", lambda: solve(on_a_line()).x,
          "the point of the line that is nearest to 0"),
    right("3.5.6", "the same by Lagrange's function", "0.5 0.5", lambda: solve(on_a_line()).x,
          "adding a multiple of what is zero on the line changes nothing"),
    wrong("3.5.6", "its multiplier", "0.4999999999999994", lambda: float(solve(on_a_line()).equality[0]),
          "printed is the least cost, ½; the multiplier of x + y − 1 is −1"),
    right("3.5.6", "a multiplier is the sensitivity to its constraint: less the multiplier, by small steps", "1.000",
          fall_by_the_constraint, "a unit more of the right-hand side costs one more, which is −λ"),
)  # fmt: skip
