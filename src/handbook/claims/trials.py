"""What several chapters try: whether a piece of code does what it is called for, and two clouds of points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def runs(listing: Callable[[], Any]) -> bool:
    """Whether a piece of code does what it is called for; what it is refused with, says the row."""
    try:
        listing()
    except (AttributeError, ImportError, IndexError, RuntimeError, SyntaxError, TypeError, ValueError):
        return False
    return True


def clouds(n: int = 200, apart: float = 4.0, seed: int = 0) -> tuple[Array, npt.NDArray[np.int64]]:
    """Two round clouds in the plane and which each point belongs to."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    return rng.standard_normal((n, 2)) + apart * labels[:, None] * np.array([1.0, 0.0]), labels
