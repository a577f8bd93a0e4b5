"""Learners of a stream: each scores rows that it has not learnt from, and learns from them afterwards.

`score` gives the probability of a yes, (B,), or, of passive-aggressive learning, which knows none, a margin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from handbook.labs.online_learning.calls import BINS, Array, Stream, lately

EVERY = 0.1  # share of the stream after which a batch model learns again
TREES = 3
SURE = 0.002  # of ADWIN: the probability of an alarm where nothing changes, as its paper has it


Fit = Callable[[Stream, slice], Callable[[slice], Array]]  # rows to learn from, to a function that scores others
Again = Callable[[Stream, slice, Array], bool]


class Learner(Protocol):
    """What learns from a stream; `rows` are its next ones."""

    def score(self, stream: Stream, rows: slice) -> Array:
        """How likely each is a yes, (B,), by what was learnt before."""
        ...

    def learn(self, stream: Stream, rows: slice) -> None:
        """Take in the rows with their answers."""
        ...


class Share:
    """Of all attributes the share of yes so far alone, as it stands: what every learner has to beat."""

    def score(self, stream: Stream, rows: slice) -> Array:
        return lately(stream.y)[rows]

    def learn(self, stream: Stream, rows: slice) -> None:
        """Nothing: the stream brings it."""


class Increment:
    """An estimator of scikit-learn that learns by `partial_fit`, from one form of the rows."""

    def __init__(self, estimator: Any, form: Callable[[Stream], Array]) -> None:
        self.estimator, self.form = estimator, form

    def score(self, stream: Stream, rows: slice) -> Array:
        if not hasattr(self.estimator, "classes_"):
            return np.full(rows.stop - rows.start, 0.5)
        x = self.form(stream)[rows]
        if hasattr(self.estimator, "predict_proba"):
            return np.asarray(self.estimator.predict_proba(x)[:, 1])
        return np.asarray(self.estimator.decision_function(x))

    def learn(self, stream: Stream, rows: slice) -> None:
        self.estimator.partial_fit(self.form(stream)[rows], stream.y[rows], classes=[0, 1])


class RowByRow:
    """A classifier of river, which takes a row at a time."""

    def __init__(self, classifier: Any) -> None:
        self.classifier = classifier

    def score(self, stream: Stream, rows: slice) -> Array:
        predict = self.classifier.predict_proba_one
        return np.array([predict(row).get(1, 0.0) for row in stream.records[rows]])

    def learn(self, stream: Stream, rows: slice) -> None:
        for row, answer in zip(stream.records[rows], stream.y[rows].tolist(), strict=True):
            self.classifier.learn_one(row, answer)


class Batch:
    """A model that is fitted to the first fifth of the stream; and again, where it may.

    `again` is called with the scores of every batch, and says whether now is the time. Then it learns from all rows so
    far, or from the most recent ones alone, as many as at first.
    """

    def __init__(self, fit: Fit, again: Again | None = None, *, recent: bool = False) -> None:
        self.fit, self.again, self.recent = fit, again, recent
        self.model: Callable[[slice], Array] | None = None
        self.fits: list[int] = []  # the rows after which it learnt
        self.scores: Array | None = None

    def score(self, stream: Stream, rows: slice) -> Array:
        found = np.full(rows.stop - rows.start, 0.5) if self.model is None else self.model(rows)
        self.scores = found
        return found

    def learn(self, stream: Stream, rows: slice) -> None:
        due = self.model is None and rows.stop >= stream.first
        if self.model is not None and self.again is not None and self.scores is not None:
            due = self.again(stream, rows, self.scores)
        if due:
            self.model = self.fit(stream, slice(rows.stop - stream.first if self.recent else 0, rows.stop))
            self.fits.append(rows.stop)


def at_intervals(stream: Stream, rows: slice, scores: Array) -> bool:
    """Whether a tenth of the stream ends in these rows."""
    every = int(EVERY * len(stream.y))
    return bool(rows.stop // every > rows.start // every)


class OnAlarm:
    """Whether ADWIN hears the model's log-loss change (Bifet and Gavaldà 2007)."""

    def __init__(self) -> None:
        from river.drift import ADWIN

        self.detector = ADWIN(delta=SURE)

    def __call__(self, stream: Stream, rows: slice, scores: Array) -> bool:
        alarm = False
        for loss in losses(stream.y[rows], scores).tolist():
            self.detector.update(loss)
            alarm |= self.detector.drift_detected
        return alarm


def losses(answers: Array, scores: Array) -> Array:
    """Log-loss of each row, (B,), in nats; a probability of 0 or 1 counts as one in ten thousand from it."""
    p = np.clip(scores, 1e-4, 1 - 1e-4)
    return np.asarray(-np.where(answers == 1, np.log(p), np.log1p(-p)))


def logistic(stream: Stream, rows: slice) -> Callable[[slice], Array]:
    """Logistic regression, fitted to convergence."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=0.1, max_iter=1000).fit(stream.dense[rows], stream.y[rows])
    return lambda new: np.asarray(model.predict_proba(stream.dense[new])[:, 1])


def boosting(stream: Stream, rows: slice) -> Callable[[slice], Array]:
    """Gradient boosting over binned attributes, words as categories."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        learning_rate=0.05, max_iter=80, max_leaf_nodes=15, l2_regularization=1.0, early_stopping=False,
        categorical_features=np.array(stream.words) > 0, random_state=0,
    ).fit(stream.x[rows], stream.y[rows])  # fmt: skip
    return lambda new: np.asarray(model.predict_proba(stream.x[new])[:, 1])


def _descent(stream: Stream) -> Learner:
    """Stochastic descent on the logistic loss, a row a step, at a constant rate: what is old is overlaid."""
    from sklearn.linear_model import SGDClassifier

    descent = SGDClassifier(loss="log_loss", alpha=1e-5, learning_rate="constant", eta0=0.01, random_state=0)
    return Increment(descent, lambda each: each.dense)


def _passive_aggressive(stream: Stream) -> Learner:
    """No step where the margin is kept, else as far as keeps it, up to a bound (Crammer et al. 2006, PA-I)."""
    from sklearn.linear_model import SGDClassifier

    passive = SGDClassifier(loss="hinge", penalty=None, learning_rate="pa1", eta0=0.01, random_state=0)
    return Increment(passive, lambda each: each.dense)


def _naive_bayes(stream: Stream) -> Learner:
    """Counts of words and of tenths of numbers; it forgets nothing."""
    from sklearn.naive_bayes import CategoricalNB

    return Increment(CategoricalNB(min_categories=[many or BINS for many in stream.words]), lambda each: each.binned)


def _hoeffding_tree(stream: Stream) -> Learner:
    """A tree that splits as soon as Hoeffding's bound is sure of the best split (Domingos and Hulten 2000)."""
    from river.tree import HoeffdingTreeClassifier

    return RowByRow(HoeffdingTreeClassifier(nominal_attributes=stream.nominal))


def _adaptive_forest(stream: Stream) -> Learner:
    """Such trees under bagging, each replaced when ADWIN hears its mistakes change (Gomes et al. 2017)."""
    from river.forest import ARFClassifier

    return RowByRow(ARFClassifier(TREES, nominal_attributes=stream.nominal, seed=0))


# New learners by name; those that learn on come first.
LEARNERS: dict[str, Callable[[Stream], Learner]] = {
    "logistic, descent": _descent,
    "passive-aggressive": _passive_aggressive,
    "naive Bayes": _naive_bayes,
    "Hoeffding tree": _hoeffding_tree,
    "adaptive forest": _adaptive_forest,
    "logistic, once": lambda stream: Batch(logistic),
    "logistic, at intervals": lambda stream: Batch(logistic, at_intervals),
    "boosting, once": lambda stream: Batch(boosting),
    "boosting, at intervals": lambda stream: Batch(boosting, at_intervals),
    "boosting, recent rows": lambda stream: Batch(boosting, at_intervals, recent=True),
    "boosting, on alarm": lambda stream: Batch(boosting, OnAlarm()),
    "share of yes": lambda stream: Share(),
}
