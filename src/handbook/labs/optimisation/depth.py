"""Gradients on their way down a deep net (section 3.3.2; Glorot and Bengio 2010; He et al. 2015, 2016).

A net of one width n, h ← φ(W h): each layer multiplies the gradient by (W diag φ')ᵀ. With weights of variance g²/n the
squared norm changes on average by g² E φ'² a layer: below 1 it vanishes with the depth, above 1 it explodes.

    tanh  at g² = 1/3: φ' ≤ 1, a factor of at most 1/3 a layer
    ReLU  at g² = 1/3: half of the units are off, 1/6 a layer: the unit alone cures nothing
    ReLU  at g² = 2:   1 a layer, He's choice
    residual, h ← h + L^-½ W φ(h) at g² = 2: 1 + 1/L a layer, so at most e over all L of them

g² = 1/3 is the start that torch gives a linear layer. The book blames tanh; the table says that start and depth matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def tanh_slope(z: Array) -> Array:
    """φ'(z) = 1 − tanh² z."""
    return np.asarray(1 - np.tanh(z) ** 2)


def relu(z: Array) -> Array:
    """max(z, 0)."""
    return np.maximum(z, 0)


def relu_slope(z: Array) -> Array:
    """1 where z > 0, else 0."""
    return np.asarray((z > 0).astype(float))


@dataclass(frozen=True)
class Net:
    """A kind of deep net: its unit φ and its slope, the gain g² of its weights, with or without a way around."""

    name: str
    unit: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    gain: float
    residual: bool = False

    def weights(self, depth: int, width: int, rng: np.random.Generator) -> Array:
        """Normal weights (depth, width, width) of variance g²/width."""
        return np.asarray(rng.standard_normal((depth, width, width)) * np.sqrt(self.gain / width))


NETS = (
    Net("tanh", np.tanh, tanh_slope, 1 / 3),
    Net("ReLU, the same start", relu, relu_slope, 1 / 3),
    Net("ReLU, He's start", relu, relu_slope, 2.0),
    Net("residual ReLU", relu, relu_slope, 2.0, residual=True),
)


def forward(net: Net, weights: Array, x: Array) -> tuple[Array, list[Array]]:
    """The output (n,) of the net (L, n, n) for x (n,), and what each layer's unit was given."""
    h, pre_activations = x, []
    for W in weights:
        z = h if net.residual else W @ h
        pre_activations.append(z)
        h = h + W @ net.unit(z) / np.sqrt(len(weights)) if net.residual else net.unit(z)
    return h, pre_activations


def backward(net: Net, weights: Array, pre_activations: list[Array], g: Array) -> Array:
    """The gradient (L + 1, n) at the input of each layer, and last at the output, where it is g (n,)."""
    gradients = [g]
    for W, z in zip(weights[::-1], pre_activations[::-1], strict=True):
        g = g + net.slope(z) * (W.T @ g) / np.sqrt(len(weights)) if net.residual else W.T @ (net.slope(z) * g)
        gradients.append(g)
    return np.array(gradients[::-1])


def survival(net: Net, depth: int, rng: np.random.Generator, width: int = 64, trials: int = 20) -> float:
    """Norm of the gradient at the input over that at the output: root mean square over random nets and inputs."""
    ratios = []
    for _ in range(trials):
        weights = net.weights(depth, width, rng)
        _, pre_activations = forward(net, weights, rng.standard_normal(width))
        gradients = backward(net, weights, pre_activations, rng.standard_normal(width))
        ratios.append(np.sum(gradients[0] ** 2) / np.sum(gradients[-1] ** 2))
    return float(np.sqrt(np.mean(ratios)))
