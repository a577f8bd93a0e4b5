"""RBF networks and multilayer perceptrons trained by gradients, many at once, from NumPy alone.

Both have one hidden layer, and a unit of either has as many numbers: a centre and a width, or weights and a bias. So
networks with as many units have as many parameters, whatever the inputs; and an update costs the same to first order.

    RBF   h_j = exp(-|x - c_j|^2 / (2 sigma_j^2))        dL/dc_j       = sum_n e_nj (x_n - c_j)
          e_nj = dL/dh_nj h_nj / sigma_j^2               dL/dln sigma_j = sum_n e_nj |x_n - c_j|^2
    MLP   h_j = tanh(x a_j + b_j)

The first axis of every array is the network: S networks learn side by side, each from its own rows if need be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from handbook.labs.rbf_networks.network import Array, squared, with_bias

BETAS, EPSILON = (0.9, 0.999), 1e-8  # of Adam (Kingma and Ba 2015)


class Parts(NamedTuple):
    """Of S networks with M units: inputs' side (S, D, M), one number more a unit (S, 1, M), outputs' (S, M + 1, K).

    Of an RBF network the first are the centres and the second the logarithms of the widths; of a perceptron weights
    and biases. Also the shape of its gradient.
    """

    inner: Array
    unit: Array
    outer: Array

    @property
    def size(self) -> int:
        """Parameters of one of the networks."""
        return sum(part[0].size for part in self)


class Kind(NamedTuple):
    """What a unit computes: (parts, x) to hidden values (S, N, M); and its way back from their slopes to `Parts`."""

    hidden: Callable[[Parts, Array], Array]
    back: Callable[[Parts, Array, Array, Array], tuple[Array, Array]]  # parts, x, hidden, slopes of hidden


def _nearness(parts: Parts, x: Array) -> Array:
    h = _distances(parts, x)
    h *= -0.5 * np.exp(-2 * parts.unit)
    return np.asarray(np.exp(h, out=h))  # in place, here and below: what is passed to and fro is most of the work


def _distances(parts: Parts, x: Array) -> Array:
    return squared(x, np.swapaxes(parts.inner, 1, 2))


def _nearness_back(parts: Parts, x: Array, h: Array, dh: Array) -> tuple[Array, Array]:
    dh = dh * h
    e = dh * np.exp(-2 * parts.unit)  # (S, N, M)
    d_centres = np.swapaxes(x, -1, -2) @ e - parts.inner * e.sum(axis=1, keepdims=True)
    # |x - c|^2 / sigma^2 is -2 ln h; where h has run out at zero so has e
    logs = np.maximum(h, np.finfo(h.dtype).tiny, out=e)
    dh *= -2
    dh *= np.log(logs, out=logs)
    return d_centres, dh.sum(axis=1, keepdims=True)


def _tanh(parts: Parts, x: Array) -> Array:
    h = np.asarray(x @ parts.inner)
    h += parts.unit
    return np.asarray(np.tanh(h, out=h))


def _tanh_back(parts: Parts, x: Array, h: Array, dh: Array) -> tuple[Array, Array]:
    before = h * h
    np.subtract(1, before, out=before)
    before *= dh
    return np.swapaxes(x, -1, -2) @ before, before.sum(axis=1, keepdims=True)


RBF, MLP = Kind(_nearness, _nearness_back), Kind(_tanh, _tanh_back)
Loss = Callable[[Array, Array], tuple[Array, Array]]  # outputs, targets to losses (S,) and their slopes


def outputs(kind: Kind, parts: Parts, x: Array) -> Array:
    """Rows (N, D) or (S, N, D) to (S, N, K)."""
    return np.asarray(with_bias(kind.hidden(parts, x)) @ parts.outer)


def squares(found: Array, targets: Array) -> tuple[Array, Array]:
    """Half the mean square error of each network, and its slope (S, N, K)."""
    left = found - targets
    return (left**2).mean(axis=(1, 2)) / 2, left / (left.shape[1] * left.shape[2])


def cross_entropy(found: Array, targets: Array) -> tuple[Array, Array]:
    """Mean cross-entropy in nats of the softmax of outputs with one-hot targets (N, K), and its slope."""
    shifted = found - found.max(axis=2, keepdims=True)
    total = np.exp(shifted).sum(axis=2, keepdims=True)
    losses = -((shifted - np.log(total)) * targets).sum(axis=2).mean(axis=1)
    return losses, (np.exp(shifted) / total - targets) / found.shape[1]


def slope(kind: Kind, parts: Parts, x: Array, targets: Array, loss: Loss) -> tuple[Array, Parts]:
    """Losses (S,) of the networks, and the gradient of their sum."""
    h = kind.hidden(parts, x)
    both = with_bias(h)
    losses, d_out = loss(both @ parts.outer, targets)
    dh = d_out @ np.swapaxes(parts.outer[:, :-1], 1, 2)
    return losses, Parts(*kind.back(parts, x, h, dh), np.swapaxes(both, 1, 2) @ d_out)


def adam(  # noqa: PLR0917 (as many settings as the rule has)
    kind: Kind,
    parts: Parts,
    batches: Iterator[tuple[Array, Array]],
    loss: Loss,
    rate: float | Array,
    decay: float | Array = 0.0,
) -> Iterator[tuple[Array, Parts]]:
    """For each batch the losses before the step, and the networks after it.

    `rate` and `decay` (of AdamW, of weights and not of biases or widths) are one for all or (S, 1, 1).
    """
    mean, power = (Parts(*(np.zeros_like(part) for part in parts)) for _ in range(2))
    shrunk = (decay if kind is MLP else 0.0, 0.0, decay)  # a centre has no reason to go to zero
    for step, (x, targets) in enumerate(batches, start=1):
        losses, g = slope(kind, parts, x, targets, loss)
        mean = Parts(*(BETAS[0] * m + (1 - BETAS[0]) * each for m, each in zip(mean, g, strict=True)))
        power = Parts(*(BETAS[1] * v + (1 - BETAS[1]) * each**2 for v, each in zip(power, g, strict=True)))
        first, second = 1 - BETAS[0] ** step, 1 - BETAS[1] ** step
        parts = Parts(
            *(
                part - rate * (m / first / (np.sqrt(v / second) + EPSILON) + lost * part)
                for part, m, v, lost in zip(parts, mean, power, shrunk, strict=True)
            )
        )
        yield losses, parts


def whole(x: Array, targets: Array, steps: int) -> Iterator[tuple[Array, Array]]:
    """All rows, so many times."""
    for _ in range(steps):
        yield x, targets


def drawn(x: Array, targets: Array, steps: int, size: int, rng: np.random.Generator) -> Iterator[tuple[Array, Array]]:
    """Batches of so many rows, drawn without replacement within a pass."""
    order: Array = np.empty(0, int)
    size = min(size, len(x))
    for _ in range(steps):
        if len(order) < size:
            order = rng.permutation(len(x))
        rows, order = order[:size], order[size:]
        yield x[rows], targets[rows]


def last(course: Iterator[tuple[Array, Parts]]) -> Parts:
    """The networks at the end."""
    parts: Parts | None = None
    for _, each in course:
        parts = each
    if parts is None:
        raise ValueError("no batches: at least one step is needed")
    return parts


def around(centres: Array, width: float, weights: Array) -> Parts:
    """RBF networks on centres (M, D) or (S, M, D) that have their weights (S, M + 1, K) already."""
    inner = np.swapaxes(np.broadcast_to(centres, (len(weights), *centres.shape[-2:])), 1, 2).copy()
    return Parts(inner, np.full((len(weights), 1, inner.shape[2]), np.log(width), inner.dtype), weights)


def perceptrons(networks: int, inputs: int, units: int, classes: int, rng: np.random.Generator) -> Parts:
    """Starts of deviation one over the root of a unit's inputs (LeCun et al. 1998), biases of zero."""
    inner = rng.normal(0, inputs**-0.5, (networks, inputs, units))
    outer = rng.normal(0, units**-0.5, (networks, units + 1, classes))
    outer[:, -1] = 0
    return Parts(inner, np.zeros((networks, 1, units)), outer)
