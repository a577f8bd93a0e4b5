"""Garments, and a small network that learns its kernels on them by these layers alone (section 4.3.6).

    28 x 28 -> 8 kernels 5 x 5 -> 8 @ 24 x 24 -> ReLU -> max 2 x 2 -> 8 @ 12 x 12 -> dense -> 10 garments

The kernels and the feature maps in the figures are its own. It is no case: a model to keep is `cases/lenet.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from handbook.data.images import LabelledImages
from handbook.data.subsets import Subset
from handbook.labs.convolution.layers import (
    Array,
    cross_correlate,
    cross_correlate_backward,
    max_pool,
    max_pool_backward,
)

KERNELS, SIDE, CLASSES = 8, 5, 10
TRAIN, TEST, EPOCHS, BATCH, MOMENTUM = 3000, 1000, 3, 32, 0.9
RATE = 0.02  # at 0.05 one or two of the kernels are pushed below zero everywhere, and ReLU silences them


class Garments(NamedTuple):
    """Pictures, standardised by mean and deviation of the training part, with their labels; and a boot to look at."""

    x: Array  # (3000, 28, 28)
    labels: Array
    test_x: Array  # (1000, 28, 28)
    test_labels: Array
    boot: Array  # (28, 28), of 0 to 1
    boot_x: Array  # the same, standardised


class Shown(NamedTuple):
    """The first pictures of Fashion-MNIST, and the first ankle boot of its test set, as bytes: a key."""

    part: Subset
    boot: bytes  # (28, 28)

    @classmethod
    def of(cls, data: LabelledImages) -> Shown:
        first = int(np.flatnonzero(data.test_labels == data.classes.index("Ankle boot"))[0])
        return cls(Subset.first(data, TRAIN, TEST), data.test_images[first].tobytes())

    def pictures(self) -> Garments:
        """The same as numbers."""
        known, labels, new, answers = self.part.flat()
        x, test_x, boot = (each.reshape(-1, 28, 28) / 255 for each in (known, new, np.frombuffer(self.boot, np.uint8)))
        centre, spread = x.mean(), x.std()
        return Garments(
            (x - centre) / spread, labels.astype(int), (test_x - centre) / spread, answers.astype(int),
            boot[0], (boot[0] - centre) / spread,
        )  # fmt: skip


class Network(NamedTuple):
    """Kernels w (8, 1, 5, 5), biases b (8,), dense weights v (10, 1152) and c (10,); also the shape of its gradient."""

    w: Array
    b: Array
    v: Array
    c: Array

    @classmethod
    def start(cls, rng: np.random.Generator) -> Network:
        """Random weights of the spread that keeps ReLU's signals their size (He, Zhang, Ren and Sun 2015)."""
        width = KERNELS * ((28 - SIDE + 1) // 2) ** 2
        w = rng.normal(0, np.sqrt(2 / SIDE**2), (KERNELS, 1, SIDE, SIDE))
        return cls(w, np.zeros(KERNELS), rng.normal(0, np.sqrt(1 / width), (CLASSES, width)), np.zeros(CLASSES))


def feature_maps(net: Network, x: Array) -> tuple[Array, Array]:
    """After ReLU (N, 8, 24, 24), and after pooling (N, 8, 12, 12), of pictures (N, 1, 28, 28)."""
    maps = np.maximum(cross_correlate(x, net.w, net.b), 0)
    return maps, max_pool(maps, 2)


def loss_and_gradients(net: Network, x: Array, labels: Array) -> tuple[float, Network]:
    """Mean cross-entropy (nats) of pictures (N, 1, 28, 28), and its gradient, layer by layer backwards."""
    maps, pooled = feature_maps(net, x)
    hidden = pooled.reshape(len(x), -1)  # (N, 1152)
    logits = hidden @ net.v.T + net.c
    logits = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    own = np.arange(len(x)), labels
    loss = float(-np.log(p[own]).mean())
    p[own] -= 1
    g = p / len(x)  # ∂L/∂logits
    back = max_pool_backward((g @ net.v).reshape(pooled.shape), maps, 2) * (maps > 0)
    kernels = cross_correlate_backward(back, x, net.w)
    return loss, Network(kernels.w, kernels.b, g.T @ hidden, g.sum(axis=0))


def trained(data: Garments, rng: np.random.Generator) -> Network:
    """Three rounds of SGD with momentum over 3,000 pictures."""
    net = Network.start(rng)
    speed = [np.zeros_like(each) for each in net]
    for _ in range(EPOCHS):
        for part in np.array_split(rng.permutation(len(data.x)), len(data.x) // BATCH):
            _, gradient = loss_and_gradients(net, data.x[part, None], data.labels[part])
            speed = [MOMENTUM * v - RATE * g for v, g in zip(speed, gradient, strict=True)]
            net = Network(*(each + v for each, v in zip(net, speed, strict=True)))
    return net


def accuracy(net: Network, x: Array, labels: Array) -> float:
    """Share of pictures (N, 28, 28) named right."""
    hidden = feature_maps(net, x[:, None])[1].reshape(len(x), -1)
    return float(((hidden @ net.v.T + net.c).argmax(axis=1) == labels).mean())
