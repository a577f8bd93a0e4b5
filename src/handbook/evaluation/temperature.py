"""Temperature scaling: a network's logits softened or sharpened until its probabilities can be taken at their word."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

WIDEST = 4.0  # a few held-out rows, all right, would have certainty without end


def temperature(logits: npt.NDArray[np.float64], labels: npt.NDArray[np.integer[Any]]) -> float:
    """What to divide logits (N, K) by so that the labels (N,), which no training saw, surprise least; 1/4 to 4.

    One number for all classes, so no answer changes, only how sure it is (Guo, Pleiss, Sun and Weinberger 2017,
    section 4.2).
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    def surprise(logarithm: float) -> float:
        return float(-log_softmax(logits / np.exp(logarithm), axis=1)[np.arange(len(labels)), labels].mean())

    found = minimize_scalar(surprise, bounds=(-np.log(WIDEST), np.log(WIDEST)), method="bounded")
    return float(np.exp(found.x))
