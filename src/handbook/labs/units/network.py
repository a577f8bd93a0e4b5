"""Two layers trained by these units alone: three spiral arms that no straight line parts.

    x (B, 2) -> dense -> tanh (B, width) -> dense -> softmax (B, 3),  W <- W - rate dW

Gradient descent on all points at once; torch from the same start takes the same path (tests/labs/test_units.py).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from handbook.labs.units.activations import Array, cross_entropy, tanh
from handbook.labs.units.layers import dense, dense_backward

Labels = npt.NDArray[np.int64]
ARMS = 3


class Network(NamedTuple):
    """Weights and biases of the two layers: (width, 2), (width,), (3, width), (3,)."""

    W1: Array
    b1: Array
    W2: Array
    b2: Array


def spirals(n: int, rng: np.random.Generator, noise: float = 0.15) -> tuple[Array, Labels]:
    """Points (3 n, 2) along three arms, each over half a turn, and the arm of each (3 n,)."""
    labels = np.repeat(np.arange(ARMS), n)
    radius = np.tile(np.linspace(0.1, 1, n), ARMS)
    angle = 2 * np.pi * labels / ARMS + 4 * radius + rng.normal(0, noise, ARMS * n)
    return radius[:, None] * np.column_stack((np.cos(angle), np.sin(angle))), labels


def start(width: int, rng: np.random.Generator) -> Network:
    """Weights of deviation one over the root of their inputs (LeCun et al. 1998), biases of zero."""
    W1, W2 = rng.normal(0, 2**-0.5, (width, 2)), rng.normal(0, width**-0.5, (ARMS, width))
    return Network(W1, np.zeros(width), W2, np.zeros(ARMS))


def logits(network: Network, x: Array) -> Array:
    """Points (B, 2) -> (B, 3)."""
    return dense(tanh(dense(x, network.W1, network.b1)), network.W2, network.b2)


def loss_and_gradient(network: Network, x: Array, labels: Labels) -> tuple[float, Network]:
    """Mean cross-entropy in nats, and its slope for every weight."""
    h = tanh(dense(x, network.W1, network.b1))
    loss, d_logits = cross_entropy(dense(h, network.W2, network.b2), labels)
    dh, dW2, db2 = dense_backward(h, network.W2, d_logits)
    _, dW1, db1 = dense_backward(x, network.W1, dh * (1 - h**2))
    return loss, Network(dW1, db1, dW2, db2)


def train(network: Network, x: Array, labels: Labels, steps: int, rate: float) -> tuple[Network, list[float]]:
    """So many steps of gradient descent on all points; the network and the loss before each step."""
    losses = []
    for _ in range(steps):
        loss, slope = loss_and_gradient(network, x, labels)
        losses.append(loss)
        network = Network(*(part - rate * d for part, d in zip(network, slope, strict=True)))
    return network, losses


def accuracy(network: Network, x: Array, labels: Labels) -> float:
    """Share of the points that are given their arm."""
    return float((logits(network, x).argmax(axis=1) == labels).mean())
