"""What a page's `evaluate` returns, and the judge that some are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.figure import Figure


Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Judge:
    """A trained classifier that looks at the pictures another case makes, through its own page."""

    page: ModuleType
    model: Any

    def features(self, images: npt.NDArray[np.uint8]) -> Floats:
        """What it sees in the pictures (N, H, W) or (N, H, W, 3): the values (N, D) that it decides by."""
        return np.asarray(self.page.features(self.model, images))

    def probabilities(self, images: npt.NDArray[np.uint8]) -> Floats:
        """What it takes the pictures for: a chance (N, K) for each class."""
        return np.asarray(self.page.probabilities(self.model, images))


@dataclass(frozen=True)
class Report:
    """What a page's `evaluate` returns: the case's numbers, the trivial baseline's, intervals, figures and tables.

    A page that compares algorithms puts each one's numbers under `metrics["algorithms"][name]`.
    """

    metrics: dict[str, Any]
    baseline: dict[str, float]
    interval: dict[str, tuple[float, float]]
    figures: dict[str, Figure] = field(default_factory=dict)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    finding: str = ""  # what a reader should take away, in a sentence or two, with its figures
