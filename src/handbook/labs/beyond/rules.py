"""A rule that a person writes against rules that are learnt (the example of the book's figure 2.1, before section 2.1).

The book compares a spam filter by rules with one that learns. There is no mail here; the question is the same for the
bank: whom to call. The rule: whoever bought in the last campaign. Trees and logistic regression learn from the same
attributes, and call as many clients as the rule does, or more; where scores tie, who is called is drawn by lot.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from handbook.data.schema import encoder
from handbook.data.studies import Study
from handbook.data.subsets import plan_for
from handbook.evaluation import paired
from handbook.evaluation.metrics import gains, mean_interval
from handbook.labs.beyond.rows import Array, bounded, redrawn

Pair = tuple[Array, Array]  # rows and their answers
RULE, LOGISTIC = "the rule", "logistic regression"
DEPTHS = (1, 2, 3)
ALL, PART = ((100, 300, 1_000, 3_000, 10_000), 10, 400), ((100, 300), 4, 100)  # training rows; draws of them; of tests
SHARE = 0.2  # of the clients, called, at which recalls are compared too: more than the rule names
LEARNING = ("tree of depth 3", LOGISTIC)  # those that are shown by how many rows teach them


@dataclass(frozen=True)
class Compared:
    """Precision and recall at the rule's calls, over draws of test rows (1 + draws,), and by the rows that teach."""

    calls: int
    clients: int
    precision: dict[str, Array]
    recall: dict[str, Array]
    sizes: tuple[int, ...]
    curves: dict[str, Array]  # precision (sizes, draws) of what learns, at the rule's calls
    cut: str  # the question that the tree of depth 1 asks
    gains: dict[str, tuple[Array, Array]]  # share called and share of the buyers found, (clients + 1,) each

    def gain(self, model: str) -> tuple[float, float, float]:
        """By how much a model's precision exceeds the rule's on the same rows, with its interval."""
        return paired.estimate(self.precision[model] - self.precision[RULE])

    def overtakes(self, model: str) -> int:
        """The fewest training rows from which on a model's precision is surely above the rule's; 0 where never."""
        found = 0
        for size, values in zip(self.sizes[::-1], self.curves[model][::-1], strict=True):
            if mean_interval(values)[1] <= self.precision[RULE][0]:
                break
            found = size
        return found


def rule(rows: Any) -> Array:
    """Whom the rule calls, (N,) of 0.0 and 1.0."""
    return np.asarray(rows["poutcome"] == "success", dtype=float)


def models() -> dict[str, Any]:
    """What learns, by name."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.tree import DecisionTreeClassifier

    trees = {f"tree of depth {d}": DecisionTreeClassifier(max_depth=d, random_state=0) for d in DEPTHS}
    return trees | {LOGISTIC: LogisticRegression(max_iter=300, solver="newton-cholesky")}


@cache
def compared(study: Study) -> Compared:
    """The rule and what learns; computed once for the same rows."""
    rows, test = study.development, study.test
    sizes, draws, resamples = plan_for(len(rows), ALL, PART)
    encode = encoder(rows.features).fit(rows.features)
    x, new, called = encode.transform(rows.features), encode.transform(test.features), rule(test.features)
    fitted = {name: model.fit(x, rows.target) for name, model in models().items()}
    scores = {RULE: called} | {name: model.predict_proba(new)[:, 1] for name, model in fitted.items()}
    drawn = redrawn(len(test), resamples)
    calls, buyers = drawn @ called, drawn @ test.target
    hits = {name: hits_at(calls, each, test.target, drawn) for name, each in scores.items()}
    return Compared(
        int(called.sum()), len(test),
        {name: each / np.maximum(calls, 1) for name, each in hits.items()},
        {name: each / np.maximum(buyers, 1) for name, each in hits.items()},
        sizes, _curves((x, rows.target), (new, test.target), int(called.sum()), sizes, draws),
        str(encode.get_feature_names_out()[fitted["tree of depth 1"].tree_.feature[0]]).replace("_", " is "),
        {name: gains(test.target, each) for name, each in scores.items()},
    )  # fmt: skip


def hits_at(calls: Array, scores: Array, answers: Array, drawn: Array) -> Array:
    """Buyers (draws,) among as many calls (draws,) from the highest score down, of rows that count so often (draws, M).

    Among equal scores everybody is as likely to be called.
    """
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    found = np.empty(len(drawn))
    for k, (count, most) in enumerate(zip(drawn[:, order], calls, strict=True)):
        called = np.append(0, np.cumsum(count)[last])
        found[k] = np.interp(most, called, np.append(0, np.cumsum(count * answers[order])[last]))
    return found


def _curves(known: Pair, judging: Pair, calls: int, sizes: tuple[int, ...], draws: int) -> dict[str, Array]:
    """Precision at the rule's calls, (sizes, draws), of what learns from some of the rows, of which both answers."""
    (x, y), (new, answers) = known, judging
    found = {name: np.empty((len(sizes), draws)) for name in LEARNING}
    once = np.ones((1, len(answers)), np.int64)
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(len(y))
        for k, size in enumerate(sizes):
            for name in LEARNING:
                model = models()[name].fit(x[order[:size]], y[order[:size]])
                hits = hits_at(np.array([calls]), model.predict_proba(new)[:, 1], answers, once)
                found[name][k, draw] = hits[0] / max(calls, 1)
    return found


def facts(each: Compared) -> dict[str, float | bool]:
    """Precision and recall at the rule's number of calls, what learning is worth, and from how many rows on."""
    facts: dict[str, float | bool] = {"rule: calls": each.calls, "rule: clients": each.clients}
    for measure, models in (("precision", each.precision), ("recall", each.recall)):
        for name, values in models.items():
            facts |= bounded(f"rule, {name}: {measure}", paired.estimate(values))
    for name in each.precision:
        if name != RULE:
            facts |= bounded(f"rule, {name}: precision above the rule", each.gain(name))
    for name, (share, bought) in each.gains.items():
        facts[f"rule, {name}: recall at {SHARE:.0%} called"] = float(np.interp(SHARE, share, bought))
    for name in LEARNING:
        facts[f"rule, {name}: rows from which on it surely beats the rule (0: never)"] = each.overtakes(name)
        for size, values in zip(each.sizes, each.curves[name], strict=True):
            facts[f"rule, {name}: precision, learnt from {size:,}"] = float(values.mean())
    return facts
