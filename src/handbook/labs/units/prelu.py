"""PReLU: a leak that is learnt (section 3.3.2.3 names it; He, Zhang, Ren and Sun 2015).

    value    x where positive, else a x
    slope    by x: 1 or a;   by a: 0 or x, summed over all that share the a

With a = 0 it is ReLU, with a = 0.01 the leaky one, with a = 1 no unit at all. One a for a layer costs one number.

`compare` trains the two layers of `network` on the spirals with each of them, over seeds: whether a learnt leak is
worth it on a task as small as that is what the figure says.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from handbook.evaluation.metrics import mean_interval
from handbook.labs.units import network
from handbook.labs.units.activations import Array, cross_entropy
from handbook.labs.units.layers import dense, dense_backward

FIRST = 0.25  # He's start, and torch's
LEAKS: dict[str, tuple[float, bool]] = {  # where a begins, and whether it is learnt
    "ReLU": (0.0, False),
    "leaky ReLU": (0.01, False),
    "PReLU": (FIRST, True),
    "linear": (1.0, False),
}
SEEDS, STEPS, WIDTH, RATE = 6, 600, 32, 0.2


def prelu(x: Array, a: float) -> Array:
    """x where positive, else a x."""
    return np.where(x > 0, x, a * x)


def prelu_backward(x: Array, a: float, dy: Array) -> tuple[Array, float]:
    """Errors of x and of a, from that of the values; at the corner the slope is a, as in torch."""
    return np.where(x > 0, dy, a * dy), float((dy * np.minimum(x, 0)).sum())


@dataclass(frozen=True)
class Trained:
    """The network, its last a, and the losses before each step (steps,)."""

    net: network.Network
    a: float
    losses: Array


def train(x: Array, labels: network.Labels, first: float, learnt: bool, seed: int) -> Trained:
    """Two layers with this unit between them, by plain descent on all points."""
    net, a, losses = network.start(WIDTH, np.random.default_rng(seed)), first, []
    for _ in range(STEPS):
        z = dense(x, net.W1, net.b1)
        h = prelu(z, a)
        loss, d_logits = cross_entropy(dense(h, net.W2, net.b2), labels)
        losses.append(loss)
        dh, dW2, db2 = dense_backward(h, net.W2, d_logits)
        dz, da = prelu_backward(z, a, dh)
        _, dW1, db1 = dense_backward(x, net.W1, dz)
        slopes = (dW1, db1, dW2, db2)
        net = network.Network(*(part - RATE * each for part, each in zip(net, slopes, strict=True)))
        a -= RATE * da if learnt else 0.0
    return Trained(net, a, np.array(losses))


@cache
def compare() -> dict[str, list[Trained]]:
    """Every unit from the same starts, a training a seed."""
    found: dict[str, list[Trained]] = {name: [] for name in LEAKS}
    for seed in range(SEEDS):
        x, labels = network.spirals(60, np.random.default_rng(100 + seed))
        for name, (first, learnt) in LEAKS.items():
            found[name].append(train(x, labels, first, learnt, seed))
    return found


def last_losses(name: str) -> Array:
    """The last loss of each seed (SEEDS,)."""
    return np.array([each.losses[-1] for each in compare()[name]])


def gained(over: str) -> tuple[float, float, float]:
    """By how much PReLU's last loss is below another's, seed by seed: mean and interval."""
    return mean_interval(last_losses(over) - last_losses("PReLU"))
