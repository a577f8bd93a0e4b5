"""What can be done about unequal answers, and what it costs.

    as trained        the model knows the attribute
    unaware           it does not; what stands in for it stays
    reweighed         before training: rows weigh so that group and outcome are independent (Kamiran and Calders 2012)
    equal rates       after training: a threshold for each group, so that all are called equally often
    equalised odds    after training: randomised between two thresholds for each group (Hardt, Price and Srebro 2016)

The last two are fairlearn's `ThresholdOptimizer`, and have to know the group of everyone whom they decide on: they
treat a person by it, openly, which is what some laws forbid where they ask for equal outcomes.

All decide by balanced accuracy on the same held-out scores of the development rows. ROC-AUC judges an order of
clients. That of equal rates is by rank within the group, since equal rates at any number of calls are a cut through
those ranks; equalised odds by lot have no order, and so no area.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data.studies import Study
from handbook.labs.responsible_use.caller import SEED, Caller, trained
from handbook.labs.responsible_use.fairness import Counts, Floats, Groups

if TYPE_CHECKING:
    import pandas as pd

UNMITIGATED = "as trained"
Decide = Callable[["pd.DataFrame"], npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class Policy:
    """A way to decide whom to call."""

    calls: Decide  # rows -> (N,)
    scores: Callable[[pd.DataFrame], Floats] | None  # rows -> (N,), by which clients are ordered, if they are


def policies(study: Study, attribute: str, caller: Caller) -> dict[str, Policy]:
    """All ways for one protected attribute; `caller` is the model as trained."""
    rows = study.development
    groups = Groups.of(rows.features, attribute)
    unaware = trained(study, leave_out=(attribute,))
    weighed = trained(study, weights=reweighing(groups.places, rows.target))
    equal = optimised("demographic_parity", caller, rows.target, groups)
    odds = optimised("equalized_odds", caller, rows.target, groups)
    return {
        UNMITIGATED: Policy(caller.calls, caller.probabilities),
        "unaware": Policy(unaware.calls, unaware.probabilities),
        "reweighed": Policy(weighed.calls, weighed.probabilities),
        "equal rates": Policy(equal, lambda new: _ranks(caller, groups, new)),
        "equalised odds": Policy(odds, None),
    }


def reweighing(places: Counts, target: Counts) -> Floats:
    """A weight (N,) for each row: how often its group and outcome would meet by chance, by how often they do."""
    together = np.zeros((places.max() + 1, 2))
    np.add.at(together, (places, target), 1)
    expected = together.sum(axis=1, keepdims=True) * together.sum(axis=0) / len(target)
    return np.asarray((expected / np.maximum(together, 1))[places, target])


def optimised(constraint: str, caller: Caller, target: Counts, groups: Groups) -> Decide:
    """fairlearn's thresholds by group, learnt on the held-out scores of the development rows."""
    from fairlearn.postprocessing import ThresholdOptimizer

    optimiser = ThresholdOptimizer(
        estimator=passed_on(), constraints=constraint, objective="balanced_accuracy_score", prefit=True,
        predict_method="predict",
    )  # fmt: skip
    optimiser.fit(caller.held_out[:, None], target, sensitive_features=groups.labels)

    def decide(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        scores = caller.probabilities(rows)[:, None]
        own = Groups.of(rows, groups.attribute).labels
        # by the same lot for a row each time, so that a row and its double differ by what they are
        return np.asarray(optimiser.predict(scores, sensitive_features=own, random_state=SEED), dtype=bool).ravel()

    return decide


def passed_on() -> Any:
    """An estimator for scores that are there already: what it predicts is what it is given."""
    from sklearn.base import BaseEstimator

    class Scores(BaseEstimator):  # type: ignore[misc]
        def fit(self, rows: Any, target: Any = None) -> Any:
            return self

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def predict(self, rows: Any) -> Floats:
            return np.asarray(rows, dtype=np.float64)[:, 0]

    return Scores()


def _ranks(caller: Caller, groups: Groups, rows: pd.DataFrame) -> Floats:
    """For each row (N,) the share of its group's held-out scores that lie below its own."""
    scores, own = caller.probabilities(rows), Groups.of(rows, groups.attribute)
    found = np.empty(len(rows))
    for place, name in enumerate(own.names):
        like = np.sort(caller.held_out[groups.labels == name])
        mine = own.places == place
        found[mine] = np.searchsorted(like, scores[mine]) / max(len(like), 1)
    return found
