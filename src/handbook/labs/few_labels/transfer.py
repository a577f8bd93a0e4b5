"""Transfer: what a network has learnt from one kind of picture serves another (sections 1.2.2, 1.3.5, 4.2).

A network learns all labels of the source. Then, for 10 to 1,000 labels of the target, as many of every class:

    kernels, frozen      what its kernels find stays as it is, and a logistic regression reads it
    features, frozen     the same of the 84 values below its head
    kernels, fine-tuned  its kernels under dense layers of random weights; all learn on
    all, fine-tuned      all but the head; all learn on
    from scratch         the same network from random weights, as many steps
    pixels               no network: a logistic regression of the pixels, what one would try first

What is general sits low in a network, what is the source's own sits high (Yosinski, Clune, Bengio and Lipson 2014).
The intervals are over draws of labels (and of weights of new heads and of networks from scratch); each source network
is trained once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from torch.nn import functional as F

from handbook.data.subsets import plan_for
from handbook.evaluation.trials import one_thread
from handbook.labs.few_labels.network import Network, start, train
from handbook.labs.few_labels.pictures import Array, Found, Given, drawn, most_of_each

METHODS = ("kernels, fine-tuned", "kernels, frozen", "all, fine-tuned", "features, frozen", "from scratch", "pixels")
FINE, SCRATCH = 0.001, 0.002  # weights that know something are moved with care


@dataclass(frozen=True)
class Plan:
    """Numbers of labels, draws of each, steps on them, and steps on the source before."""

    labels: tuple[int, ...]
    draws: int
    steps: int
    before: int


ALL, PART = Plan((10, 30, 100, 300, 1000), 4, 100, 1000), Plan((10, 100), 3, 6, 20)


@cache
def both_ways(garments: Given, digits: Given) -> dict[str, Found]:
    """From garments to digits and back; run once for the same pictures, because figures and checks both want it."""
    plan = plan_for(min(len(garments.labels), len(digits.labels)), ALL, PART)
    with one_thread():
        sources = {name: learnt(given, plan) for name, given in (("garments", garments), ("digits", digits))}
        return {
            "garments to digits": few(sources["garments"], sources["digits"], digits, plan),
            "digits to garments": few(sources["digits"], sources["garments"], garments, plan),
        }


def learnt(given: Given, plan: Plan) -> Network:
    """A network that has had all labels."""
    x, y, _, _ = given.arrays()
    return train(start(0), x, y, F.cross_entropy, steps=plan.before, rate=SCRATCH, seed=0)


def few(source: Network, ceiling: Network, target: Given, plan: Plan) -> Found:
    """Every method on the same few labels of the target; `ceiling` is the network that had all of them."""
    x, y, new, answers = target.arrays()
    labels = tuple(n for n in plan.labels if n // 10 <= most_of_each(target.labels))
    scores = {name: np.empty((len(labels), plan.draws)) for name in METHODS}
    low, high = source.features(new)
    for draw in range(plan.draws):
        order = drawn(y, labels[-1] // 10, np.random.default_rng(draw))  # (10, n / 10): smaller draws are in larger
        for k, n in enumerate(labels):
            rows = order[:, : n // 10].ravel()
            some, own = x[rows], y[rows]
            own_low, own_high = source.features(some)
            half = start(draw, source, kernels_alone=True)
            guesses = {
                "kernels, frozen": linear(own_low, own, low),
                "features, frozen": linear(own_high, own, high),
                "pixels": linear(some, own, new),
                "kernels, fine-tuned": taught(half, some, own, FINE, plan.steps).named(new),
                "all, fine-tuned": taught(start(draw, source), some, own, FINE, plan.steps).named(new),
                "from scratch": taught(start(draw), some, own, SCRATCH, plan.steps).named(new),
            }
            for name, guess in guesses.items():
                scores[name][k, draw] = (guess == answers).mean()
    return Found(labels, scores, float((ceiling.named(new) == answers).mean()), len(y))


def taught(net: Network, x: Array, labels: Array, rate: float, steps: int) -> Network:
    """The network after so many steps on few labels."""
    return train(net, x, labels, F.cross_entropy, steps=steps, rate=rate, seed=0)


def linear(x: Array, labels: Array, new: Array) -> Array:
    """What a logistic regression of few rows (n, D) calls new ones (M, D): (M,)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return np.asarray(
        make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500)).fit(x, labels).predict(new)
    )
