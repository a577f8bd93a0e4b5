"""Automated machine learning: preparation, algorithm and settings searched together (section 1.4.2).

The book lists what such tools automate: preprocessing, features, the choice of a model, its settings, its evaluation.
It shows none at work. Here all five are one search over the bank's rows, by what is known before a call: six
algorithms, each with its settings, how words, numbers and what is missing are prepared, whether the day of the year is
added, which columns are kept. That is CASH, combined algorithm selection and hyperparameter optimisation (Thornton et
al. 2013), by Optuna's TPE, beside drawing at random with the same budget, beside the model that this project made by
hand for the same rows, and beside one that nobody has set anything of.

    space.py      what may be drawn, and the pipeline that it becomes
    search.py     trials in folds of the training rows, finalists on all of them, one look at the test rows
    drawings.py   the pictures

`sweeps` searches too, but the settings of one case, as long as it is let; what it proposes is read before it is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from handbook.data.studies import KNOWN_AFTER_THE_CALL, Study
from handbook.data.subsets import some_of
from handbook.data.tables import Table
from handbook.evaluation import paired
from handbook.labs.automl.space import ALGORITHMS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.labs.automl.search import Results

DATASET = "bank_marketing"
SAMPLE = 1000  # rows of a drawn sample that are taken


def figures(data: Table) -> dict[str, Figure]:
    """Every picture of the lab, each with its finding as title."""
    from handbook.labs.automl import drawings

    found = _results(data)
    return {
        "history": drawings.history(found),
        "algorithms": drawings.algorithms(found),
        "importances": drawings.importances(found),
        "judged": drawings.judged(found),
    }


def checks(data: Table) -> dict[str, float | bool]:
    """What was found; areas are of the test rows, `low` and `high` bound 95 % intervals by rows drawn again."""
    found = _results(data)
    facts: dict[str, float | bool] = {}
    for name, each in found.areas.items():
        facts |= _bounded(f"{name}: ROC-AUC", each)
    for name in found.searches:
        for other in ("made by hand", "default settings"):
            facts |= _bounded(
                f"searched by {name}, less {other}", found.areas[f"searched by {name}"] - found.areas[other]
            )
    facts |= _bounded("TPE, less random", found.areas["searched by TPE"] - found.areas["searched by random"])
    for name, search in found.searches.items():
        reached = np.flatnonzero(search.best >= found.searches["random"].best[-1])
        facts |= {
            f"{name}: trials": len(search.trials),
            f"{name}: given up early": sum(not np.isfinite(each.score) for each in search.trials),
            f"{name}: best over folds": float(search.best[-1]),
            f"{name}: trials until random search's best (-1: never)": int(reached[0]) + 1 if len(reached) else -1,
            f"{name}: chosen, over folds of all development rows": search.finalists[0].score,
        }
    chosen = found.searches["TPE"].chosen["algorithm"]
    facts |= {f"TPE: chose {kind}": kind == chosen for kind in ALGORITHMS}
    return facts | {f"matters: {name}": share for name, share in list(found.importance.items())[:6]}


def _bounded(name: str, values: np.ndarray) -> dict[str, float | bool]:
    low, high = paired.interval(values)
    return {name: float(values[0]), f"{name}, low": low, f"{name}, high": high}


def _results(data: Table) -> Results:
    from handbook.labs.automl.search import results

    return results(Study.of(some_of(data, SAMPLE), KNOWN_AFTER_THE_CALL))
