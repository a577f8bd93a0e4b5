"""How often intervals over folds hold the truth, on rows drawn again and again (Nadeau and Bengio 2003, section 4).

The learner is the mean of its training rows, judged by squared error on the fold's test rows: rows are normal with
deviation 1, so its expected error is known, 1 + 1 / n_train, and a fold costs two sums.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.labs.rankings import judging

ROWS, FOLDS, TABLES = 150, 5, 2_000
ROUNDS = (1, 2, 5, 10, 20)
Array = npt.NDArray[Any]


@cache
def errors(rounds: int = ROUNDS[-1], tables: int = TABLES, seed: int = 0) -> Array:
    """Squared errors of every fold, (tables, rounds * folds), round after round."""
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((tables, ROWS))
    found = []
    for _ in range(rounds):
        test = rng.permuted(y, axis=1).reshape(tables, FOLDS, -1)  # (tables, folds, rows of a fold)
        sums, squares, n = test.sum(axis=2), np.square(test).sum(axis=2), test.shape[2]
        centre = (y.sum(axis=1)[:, None] - sums) / (ROWS - n)  # mean of the training rows
        found.append((squares - 2 * centre * sums) / n + np.square(centre))
    return np.concatenate(found, axis=1)


def held(rounds: int, ratio: float) -> float:
    """The share of tables whose 95 % interval over so many rounds holds the learner's expected error."""
    scores = errors()[:, : rounds * FOLDS]
    truth = 1 + 1 / (ROWS - ROWS // FOLDS)
    return float((np.abs(scores.mean(axis=1) - truth) <= judging.half_width(scores, ratio)).mean())


@cache
def curves() -> dict[str, list[float]]:
    """Shares held by rounds, of the corrected interval and of the usual one."""
    ratios = {"corrected": 1 / (FOLDS - 1), "usual": 0.0}
    return {name: [held(each, ratio) for each in ROUNDS] for name, ratio in ratios.items()}
