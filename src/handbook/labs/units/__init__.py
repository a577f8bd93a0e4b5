"""Units: what a neuron computes, and how its error flows back (sections 3.2 to 3.2.8).

In work.
"""

from __future__ import annotations

from matplotlib.figure import Figure


def figures() -> dict[str, Figure]:
    """None yet."""
    return {}


def checks() -> dict[str, float | bool]:
    """None yet."""
    return {}
