"""Principal components (Pearson 1901, Hotelling 1933) by singular values.

Centred rows are X - m = U S V^T. The rows of V^T are the axes along which the rows spread most, one after the other;
s² / (N - 1) is the variance along each, and U S are the places of the rows on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Components:
    """Mean (D,), axes (min(N, D), D) of length 1 and the variance along each, greatest first."""

    mean: Array
    axes: Array
    variance: Array

    @property
    def shares(self) -> Array:
        """Of the whole variance."""
        return np.asarray(self.variance / self.variance.sum())

    def project(self, x: Array, kept: int) -> Array:
        """Rows (N, D) along the first axes, (N, kept)."""
        return (x - self.mean) @ self.axes[:kept].T

    def restore(self, places: Array) -> Array:
        """Rows (N, D) from their places (N, kept): the nearest that the kept axes allow."""
        return places @ self.axes[: places.shape[1]] + self.mean


def of(x: Array) -> Components:
    """The components of rows (N, D). An axis has no sign of its own: its greatest loading is positive here."""
    mean = x.mean(axis=0)
    _, s, axes = np.linalg.svd(x - mean, full_matrices=False)
    greatest = axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
    return Components(mean, axes * np.sign(greatest)[:, None], s**2 / (len(x) - 1))


def needed(shares: Array, share: float) -> int:
    """How many components hold at least that share of the variance."""
    return int(np.searchsorted(np.cumsum(shares), share - 1e-12) + 1)
