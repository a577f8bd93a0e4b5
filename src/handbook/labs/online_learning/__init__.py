"""Online learning: calls of a bank as they came, each predicted first and learnt from then (sections 1.4.3 and 1.6).

The rows of the bank data are in order of time, May 2008 to November 2010: a crisis comes, campaigns change, and the
share of clients who say yes rises from a twentieth to a half. What has been learnt at the beginning grows old.

    calls.py       the stream: attributes that are known before the call, in the order of the calls
    learners.py    those that learn on: logistic regression by stochastic descent, passive-aggressive, naive Bayes, a
                   Hoeffding tree, an adaptive random forest; those that learnt once, or again at intervals or on alarm
    judging.py     prequential scores: every row judges before it teaches; fading means, intervals by blocks of rows
    drift.py       ADWIN, DDM and Page-Hinkley: where they sound, and how often where there is nothing to hear
    race.py        all learners over the same stream
    drawings.py    the figures

The book names the five parts of online learning (streams, increments, adaptation, decisions, detection of drift) and
shows none of them; here each is measured, beside the batch model that most people would train.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.data.tables import Table

DATASET = "bank_marketing"


def figures(bank: Table) -> dict[str, Figure]:
    """The lab's pictures, each with its finding as title."""
    from handbook.labs.online_learning import drawings, drift, race
    from handbook.labs.online_learning.calls import Calls

    calls = Calls.of(bank)
    ran = race.ran(calls)
    heard = drift.heard(calls)
    return {
        "fading_scores": drawings.fading(ran),
        "whole_stream": drawings.whole(ran),
        "drift": drawings.alarms(ran, heard),
        "false_alarms": drawings.false_alarms(heard),
    }


def checks(bank: Table) -> dict[str, float | bool]:
    """Scores over all rows after the first fifth, with intervals; differences; alarms on the stream and on shuffles."""
    from handbook.labs.online_learning import drift, race
    from handbook.labs.online_learning.calls import Calls

    calls = Calls.of(bank)
    return {**race.facts(race.ran(calls)), **drift.facts(drift.heard(calls))}
