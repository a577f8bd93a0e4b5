"""The programmes of section 3.5, as printed and put right.

The region is the book's: x + y ≤ 5, x − y ≥ 1, x ≥ 0, y ≥ 0, a triangle. So is x² + y² on x + y = 1, whose optimum is
(½, ½) with λ = −1, a price of −1: a unit more of the right-hand side costs one more. Of the two projects the book's
form is kept, profits on shared hours, at most 100 of labour; the coefficients are ours, such that both limits bind.
(The book's own, 2 and 3 an hour with least shares of 50 and 30 hours, leave no choice but where to spend 20.)

`as_listed` and `below_one` are the two programmes of its listings, to the letter. The first gives what is printed, 50
and 4,950, because it has 5,000 hours where its text has 100. The second is least, 0, at (0, 0); what is printed, 6 at
(0, 3), breaks its constraint and is not even its cost there: some other programme's.
"""

from __future__ import annotations

import numpy as np

from handbook.labs.optimisation.programmes import Array, Programme

LABOUR = 100.0  # hours there are
BOOK_PLAN = np.array([50.0, 4950.0])  # hours of A and of B that the book's plan works, within the same 100
PROFIT = np.array([50.0, 40.0])  # of a unit of project A, of project B
HOURS = np.array([2.0, 1.0])  # of labour, that a unit of A and of B takes
LISTED_HOURS = 5000.0  # the dollars of its text, on the right of the hours
PRINTED_OPTIMUM = np.array([2.00563673e-10, 3.0])  # of section 3.5.3
MACHINE = 80.0  # hours of the machine, one a unit

REGION = ("x + y ≤ 5", "x − y ≥ 1", "x ≥ 0", "y ≥ 0")
REGION_G = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
REGION_H = np.array([5.0, -1.0, 0.0, 0.0])


def linear() -> Programme:
    """Greatest x + 2y on the region, as least −x − 2y."""
    return Programme(np.zeros((2, 2)), np.array([-1.0, -2.0]), G=REGION_G, h=REGION_H, names=REGION)


def sum_of_squares() -> Programme:
    """Least x² + y² on the region."""
    return Programme(2 * np.eye(2), np.zeros(2), G=REGION_G, h=REGION_H, names=REGION)


def on_a_line(total: float = 1.0) -> Programme:
    """Least x² + y² with x + y = total: the equality alone."""
    return Programme(2 * np.eye(2), np.zeros(2), np.ones((1, 2)), np.array([total]))


def above_a_line(total: float = 1.0) -> Programme:
    """Least x² + y² with x + y ≥ total: an inequality that pushes if total is above 0, and rests if it is below."""
    return Programme(2 * np.eye(2), np.zeros(2), G=-np.ones((1, 2)), h=np.array([-total]), names=("x + y ≥ total",))


def projects(labour: float = LABOUR, gains: Array = PROFIT) -> Programme:
    """How much of A and of B earns most, within the hours of labour and machine; as least −profit."""
    G = np.vstack([HOURS, np.ones(2), -np.eye(2)])
    h = np.array([labour, MACHINE, 0.0, 0.0])
    return Programme(np.zeros((2, 2)), -gains, G=G, h=h, names=("labour", "machine", "A ≥ 0", "B ≥ 0"))


def as_listed(hours: float = LISTED_HOURS) -> Programme:
    """Section 3.5.2: greatest 2 A + 3 B, at least 50 and 30 hours, together no more than there are."""
    G, h = np.array([[-1.0, 0.0], [0.0, -1.0], [1.0, 1.0]]), np.array([-50.0, -30.0, hours])
    return Programme(np.zeros((2, 2)), np.array([-2.0, -3.0]), G=G, h=h, names=("A ≥ 50", "B ≥ 30", "A + B ≤ hours"))


def below_one() -> Programme:
    """Section 3.5.3: least x² + y² with x, y ≥ 0 and x + y ≤ 1."""
    G, h = np.vstack([-np.eye(2), np.ones(2)]), np.array([0.0, 0.0, 1.0])
    return Programme(2 * np.eye(2), np.zeros(2), G=G, h=h, names=("x ≥ 0", "y ≥ 0", "x + y ≤ 1"))


def non_convex() -> Programme:
    """x² − y² on the region: a saddle, not a bowl."""
    return Programme(np.diag([2.0, -2.0]), np.zeros(2), G=REGION_G, h=REGION_H, names=REGION)


def contradictory() -> Programme:
    """x + y ≤ 1 with x, y ≥ 1."""
    G, h = np.vstack([np.ones(2), -np.eye(2)]), np.array([1.0, -1.0, -1.0])
    return Programme(np.zeros((2, 2)), np.ones(2), G=G, h=h, names=("x + y ≤ 1", "x ≥ 1", "y ≥ 1"))


def endless() -> Programme:
    """Greatest x + y with x, y ≥ 0 and nothing above."""
    return Programme(np.zeros((2, 2)), -np.ones(2), G=-np.eye(2), h=np.zeros(2), names=("x ≥ 0", "y ≥ 0"))
