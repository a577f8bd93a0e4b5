"""How far ROC-AUC falls when the last calls judge instead of random ones, what that is made of, what else suffers.

Three scores tell apart what a fall is made of:

    random               learnt from a random two thirds, judged on the random third: what is usually reported
    random, late calls   the same model, judged on those of its test rows that lie in the last third
    last                 learnt from the first two thirds, judged on the last

From the first to the second only the rows change: late calls are harder or easier to tell apart. From the second to
the third the rows are of the same time, but the model has seen nothing of that time: what is new about it.

ROC-AUC does not feel that yes becomes more frequent; probabilities do. A constant added to the log-odds, so that their
mean is right, shows how much of the log-loss that alone explains; nobody knows that constant beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from handbook.evaluation import paired
from handbook.labs.bank_by_time.calls import ATTRIBUTES, Array, Calls
from handbook.labs.bank_by_time.models import MODELS

SPLITS = ("random", "random, late calls", "last")
RIVAL = "boosting"  # whom the other models' differences are taken from
BLOCKS = 60  # of consecutive rows, which are drawn together: calls that follow each other are alike
Key = tuple[str, str]  # attributes, model


@dataclass(frozen=True)
class Measured:
    """Of each model on each choice of attributes: what it said of the rows that judge, and ROC-AUC by split."""

    said: dict[Key, dict[str, Array]]  # probabilities (N,) of the test rows of both splits
    areas: dict[Key, dict[str, Array]]  # ROC-AUC (1 + draws,) by SPLITS, the first on the rows as they are

    def fall(self, key: Key, upper: str = "random", lower: str = "last") -> tuple[float, float, float]:
        """How far one lies below another, and its 95 % interval."""
        drawn = self.areas[key][upper] - self.areas[key][lower]
        return paired.estimate(drawn)

    def lead(self, key: Key, split: str) -> tuple[float, float, float]:
        """How far a model lies above boosting on the same attributes and rows, and its 95 % interval."""
        return paired.estimate(self.areas[key][split] - self.areas[key[0], RIVAL][split])


@cache
def measured(calls: Calls) -> Measured:
    """All models under both splits; run once for the same calls, because figures and checks both want it."""
    from threadpoolctl import threadpool_limits

    target, parts = calls.table.target, calls.parts()
    said: dict[Key, dict[str, Array]] = {}
    areas: dict[Key, dict[str, Array]] = {}
    with threadpool_limits(1):  # sums in one order
        for attributes, model in product(ATTRIBUTES, MODELS):
            rows = calls.table.features.drop(columns=list(ATTRIBUTES[attributes]))
            said[attributes, model] = {
                name: MODELS[model](rows.iloc[learn], target[learn])(rows.iloc[judge])
                for name, (learn, judge) in parts.items()
            }
            areas[attributes, model] = _areas(calls, said[attributes, model])
    return Measured(said, areas)


def _areas(calls: Calls, said: dict[str, Array]) -> dict[str, Array]:
    """ROC-AUC of every draw by SPLITS; the draws of each are its own, and the same for all models."""
    target, parts = calls.table.target, calls.parts()
    drawn, last = parts["random"][1], parts["last"][1]
    late = drawn >= last[0]
    judged = {
        "random": (target[drawn], said["random"], len(drawn)),
        "random, late calls": (target[drawn[late]], said["random"][late], BLOCKS),
        "last": (target[last], said["last"], BLOCKS),
    }
    return {
        name: paired.block_areas(labels, scores, np.random.default_rng(seed), blocks)
        for seed, (name, (labels, scores, blocks)) in enumerate(judged.items())
    }


def log_loss(answers: Array, probabilities: Array | float) -> float:
    """In nats; a probability of 0 or 1 counts as one in ten thousand from it."""
    p = np.clip(probabilities, 1e-4, 1 - 1e-4)
    return float(-np.where(answers == 1, np.log(p), np.log1p(-p)).mean())


def shifted(probabilities: Array, share: float) -> Array:
    """The probabilities (N,) with one constant added to their log-odds, so that their mean is the share."""
    from scipy.optimize import brentq
    from scipy.special import expit, logit

    odds = logit(np.clip(probabilities, 1e-4, 1 - 1e-4))
    constant = brentq(lambda by: float(expit(odds + by).mean()) - share, -20, 20)
    return np.asarray(expit(odds + constant))


def facts(calls: Calls, found: Measured) -> dict[str, float | bool]:
    """The numbers behind the figures."""
    target, parts = calls.table.target, calls.parts()
    learn, judge = parts["last"]
    _, shares = calls.shares()
    facts: dict[str, float | bool] = {
        "rows that teach": len(learn),
        "rows that judge": len(judge),
        "share of yes, first twentieth": float(shares[0]),
        "share of yes, last twentieth": float(shares[-1]),
        "share of yes, first two thirds": float(target[learn].mean()),
        "share of yes, last third": float(target[judge].mean()),
        "log-loss of the share of yes so far": log_loss(target[judge], float(target[learn].mean())),
        "log-loss of the share of yes there": log_loss(target[judge], float(target[judge].mean())),
    }
    for (attributes, model), areas in found.areas.items():
        name = f"{model}, {attributes}"
        for split, drawn in areas.items():
            facts[f"{name}: ROC-AUC, {split}"] = float(drawn[0])
            low, high = paired.interval(drawn)
            facts[f"{name}: ROC-AUC, {split}, at least"], facts[f"{name}: ROC-AUC, {split}, at most"] = low, high
        falls = {"fall": SPLITS[::2], "fall by harder calls": SPLITS[:2], "fall by a time not seen": SPLITS[1:]}
        for words, (upper, lower) in falls.items():
            fall, low, high = found.fall((attributes, model), upper, lower)
            facts[f"{name}: {words}"] = fall
            facts[f"{name}: {words}, at least"], facts[f"{name}: {words}, at most"] = low, high
        for split in SPLITS[::2] if model != RIVAL else ():
            lead, low, high = found.lead((attributes, model), split)
            facts[f"{name}: above boosting, {split}"] = lead
            facts[f"{name}: above boosting, {split}, at least"], facts[f"{name}: above boosting, {split}, at most"] = (
                low, high,
            )  # fmt: skip
        said = found.said[attributes, model]
        facts[f"{name}: mean probability, last"] = float(said["last"].mean())
        facts[f"{name}: log-loss, random"] = log_loss(target[parts["random"][1]], said["random"])
        facts[f"{name}: log-loss, last"] = log_loss(target[judge], said["last"])
        right = shifted(said["last"], float(target[judge].mean()))
        facts[f"{name}: log-loss, last, with the right mean"] = log_loss(target[judge], right)
    return facts
