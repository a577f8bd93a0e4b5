"""Bank marketing by time: what a model is worth on the calls that come after those it learnt from (section 7.3).

The book draws its test rows at random from all years, and so do the cases of chapter 7. But the rows are in the order
of the calls, May 2008 to November 2010, and a model that is put to use knows none of the calls that it will judge.
Here the last third judges, beside a random third, for the three kinds of model that the cases compare,
and for the two libraries that boosting must be measured against, on the same rows and with the same budget.

    calls.py       the two splits, of equal sizes, and which attributes are known when
    models.py      boosting, LightGBM and XGBoost beside it, perceptrons, an RBF network, set as the cases are or nearly
    fall.py        ROC-AUC under both splits, how much of the fall is due to what, and how probabilities mislead
    drawings.py    the figures

The lab `online_learning` goes on from here: what learning again, or on, wins back as calls come in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.data.tables import Table

DATASET = "bank_marketing"


def figures(bank: Table) -> dict[str, Figure]:
    """The lab's pictures, each with its finding as title."""
    from handbook.labs.bank_by_time import drawings, fall
    from handbook.labs.bank_by_time.calls import Calls

    calls = Calls.of(bank)
    measured = fall.measured(calls)
    return {
        "share_of_yes": drawings.share_of_yes(calls),
        "random_or_last": drawings.random_or_last(measured),
        "probabilities": drawings.probabilities(calls, measured),
    }


def checks(bank: Table) -> dict[str, float | bool]:
    """ROC-AUC under both splits with intervals, its fall and what that is made of, log-loss as it is and shifted."""
    from handbook.labs.bank_by_time import fall
    from handbook.labs.bank_by_time.calls import Calls

    calls = Calls.of(bank)
    return fall.facts(calls, fall.measured(calls))
