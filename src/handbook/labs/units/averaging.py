"""Averaging weights (section 3.4 cites it and shows nothing; Izmailov et al. 2018; Polyak and Juditsky 1992).

Descent by small batches at a constant rate never comes to rest: it wanders about the bottom of its valley. The mean of
the weights that it visits lies nearer to the bottom than any of them, if the valley is a bowl there:

    mean ← mean + (weights − mean) / n        a copy of the weights, and no gradient more

Near a minimum a loss is bent like a convex one: that is the "convexity-like" of the section. Averaged from far apart,
across a hill, weights mean nothing; so averaging starts late.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from handbook.evaluation.metrics import mean_interval
from handbook.labs.units import network
from handbook.labs.units.activations import Array, cross_entropy

SEEDS, STEPS, BATCH, RATE, WIDTH = 8, 3000, 5, 0.5, 24  # a rate as high, and batches as small, as still go down
FROM, EVERY = 2000, 50  # the step from which on weights are averaged, and how often they are judged
NOISE = 0.35  # of the arms' angle: they overlap, so that single batches disagree


@dataclass
class Mean:
    """A running mean of networks."""

    net: network.Network | None = None
    n: int = 0

    def add(self, net: network.Network) -> None:
        """Take one in."""
        self.n += 1
        if self.net is None:
            self.net = net
        else:
            self.net = network.Network(*(m + (w - m) / self.n for m, w in zip(self.net, net, strict=True)))


@dataclass(frozen=True)
class Run:
    """Loss on new points of the weights and of their mean so far, from `FROM` on, and the accuracies at the end."""

    last: Array
    mean: Array
    last_accuracy: float
    mean_accuracy: float


def run(seed: int) -> Run:
    """Train on small batches of noisy spirals; judged by four times as many new points."""
    rng = np.random.default_rng(seed)
    x, labels = network.spirals(100, rng, NOISE)
    new, answers = network.spirals(400, rng, NOISE)
    net, mean, judged = network.start(WIDTH, rng), Mean(), []
    for step in range(STEPS):
        rows = rng.integers(0, len(x), BATCH)
        _, slope = network.loss_and_gradient(net, x[rows], labels[rows])
        net = network.Network(*(part - RATE * d for part, d in zip(net, slope, strict=True)))
        if step >= FROM:
            mean.add(net)
            if (step - FROM) % EVERY == EVERY - 1 and mean.net is not None:
                judged.append([cross_entropy(network.logits(each, new), answers)[0] for each in (net, mean.net)])
    assert mean.net is not None  # STEPS is above FROM
    last, averaged = np.array(judged).T
    return Run(last, averaged, network.accuracy(net, new, answers), network.accuracy(mean.net, new, answers))


@cache
def runs() -> list[Run]:
    """A run a seed."""
    return [run(seed) for seed in range(SEEDS)]


def gained() -> tuple[float, float, float]:
    """By how much the mean's loss is below that of the weights that went into it: mean over seeds and its interval.

    Any of those might have been the last: the mean of their losses is what stopping there costs.
    """
    return mean_interval(np.array([each.last.mean() - each.mean[-1] for each in runs()]))


def bowl(steps: int = 4000, seed: int = 0) -> tuple[float, float]:
    """Squared distance from the bottom of x²/2 under noisy gradients: of the last half's points, and of their mean.

    With rate η the points have the variance η/(2 − η); their mean has one that falls as one by their number.
    """
    rng, x, path = np.random.default_rng(seed), 0.0, []
    for _ in range(steps):
        x -= 0.2 * (x + rng.standard_normal())
        path.append(x)
    late = np.array(path[steps // 2 :])
    return float((late**2).mean()), float(late.mean() ** 2)
