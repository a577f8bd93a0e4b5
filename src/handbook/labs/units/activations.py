"""Units without memory or neighbours: a number in, a number out, and the slope that carries the error back.

    linear  w x + b        sigmoid  1 / (1 + exp(-x))     tanh  2 sigmoid(2 x) - 1
    ReLU    max(0, x)      leaky ReLU  max(a x, x)        softmax  exp(x_i) / sum_j exp(x_j)

The book's sigmoid and softmax raise e to the power of x as it comes, and overflow from x = 710 on. Here the exponent is
never positive: sigmoid(x) = exp(x) / (1 + exp(x)) for negative x, and softmax, which does not change when all logits
are moved alike, is taken after the greatest is moved to zero (section 3.2; Goodfellow et al. 2016, section 4.1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
LEAK = 0.01  # the book's slope of the leaky ReLU for negative x, and torch's


def linear(x: Array, w: float = 2.0, b: float = 1.0) -> Array:
    """w x + b, with the book's w and b."""
    return w * x + b


def linear_slope(x: Array, w: float = 2.0) -> Array:
    """w everywhere."""
    return np.full_like(x, w)


def sigmoid(x: Array) -> Array:
    """A share between 0 and 1, right to the last digit for any finite x."""
    e = np.exp(-np.abs(x))  # in (0, 1]: cannot overflow
    return np.asarray(np.where(x >= 0, 1.0, e) / (1 + e))


def sigmoid_slope(x: Array) -> Array:
    """sigmoid(x) sigmoid(-x), which does not cancel where 1 - sigmoid(x) would."""
    return sigmoid(x) * sigmoid(-x)


def tanh(x: Array) -> Array:
    """A number between -1 and 1."""
    return np.tanh(x)


def tanh_slope(x: Array) -> Array:
    """1 - tanh(x)^2, written as four times the slope of the sigmoid at 2 x: does not cancel."""
    return 4 * sigmoid_slope(2 * x)


def relu(x: Array) -> Array:
    """x where positive, else zero."""
    return np.maximum(x, 0.0)


def relu_slope(x: Array) -> Array:
    """1 where positive, else zero; at the corner zero, as in torch."""
    return np.where(x > 0, 1.0, 0.0)


def leaky_relu(x: Array, a: float = LEAK) -> Array:
    """x where positive, else a x: the unit never falls silent."""
    return np.where(x > 0, x, a * x)


def leaky_relu_slope(x: Array, a: float = LEAK) -> Array:
    """1 where positive, else a; at the corner a, as in torch."""
    return np.where(x > 0, 1.0, a)


class Unit(NamedTuple):
    """A unit and its slope: the error in front of it is the error behind it times the slope."""

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]


UNITS = {
    "linear": Unit(linear, linear_slope),
    "sigmoid": Unit(sigmoid, sigmoid_slope),
    "tanh": Unit(tanh, tanh_slope),
    "ReLU": Unit(relu, relu_slope),
    "leaky ReLU": Unit(leaky_relu, leaky_relu_slope),
}


def log_softmax(x: Array) -> Array:
    """Logarithms of softmax over the last axis: finite where softmax itself is too small for a float."""
    moved = x - x.max(axis=-1, keepdims=True)
    return np.asarray(moved - np.log(np.exp(moved).sum(axis=-1, keepdims=True)))


def softmax(x: Array) -> Array:
    """Shares (..., K) that sum to one, from logits (..., K)."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def softmax_backward(y: Array, dy: Array) -> Array:
    """The error of the logits, from the shares y and their error dy, both (..., K)."""
    return np.asarray(y * (dy - (dy * y).sum(axis=-1, keepdims=True)))


def cross_entropy(logits: Array, labels: npt.NDArray[np.int64]) -> tuple[float, Array]:
    """Mean surprise in nats at the labels (B,), from logits (B, K); and the error of the logits (B, K)."""
    rows = np.arange(len(labels))
    loss = -float(log_softmax(logits)[rows, labels].mean())
    d_logits = softmax(logits)
    d_logits[rows, labels] -= 1  # softmax and logarithm together have the plainest slope there is: share - target
    return loss, d_logits / len(labels)
