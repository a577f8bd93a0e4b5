"""Layers: many units side by side, dense or sliding over a picture (sections 3.2.6 and 3.2.7).

    dense        y = x W^T + b
    convolution  y[o, i, j] = b[o] + sum over c, u, v of K[o, c, u, v] x[c, i s + u, j s + v]

What is called convolution does not turn its kernel round: it is cross-correlation, as in torch. A backward pass takes
the error behind the layer and returns that in front of it and those of its weights.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from handbook.labs.units.activations import Array


def dense(x: Array, W: Array, b: Array) -> Array:
    """Inputs (B, I), weights (O, I), biases (O,) -> (B, O)."""
    if x.shape[-1] != W.shape[1]:
        raise ValueError(
            f"weights {W.shape} take {W.shape[1]} inputs, found {x.shape[-1]}. Give W of (outputs, inputs)"
        )
    return x @ W.T + b


def dense_backward(x: Array, W: Array, dy: Array) -> tuple[Array, Array, Array]:
    """Errors of x (B, I), W (O, I) and b (O,), from that of y (B, O)."""
    return dy @ W, dy.T @ x, dy.sum(axis=0)


def convolution(x: Array, K: Array, b: Array, stride: int = 1, padding: int = 0) -> Array:
    """Pictures (B, C, H, W), kernels (O, C, k, l), biases (O,) -> (B, O, (H + 2p - k) // s + 1, likewise)."""
    y = np.einsum("bcijuv,ocuv->boij", _windows(x, K, stride, padding), K, optimize=True)
    return np.asarray(y + b[:, None, None])


def convolution_backward(
    x: Array, K: Array, dy: Array, stride: int = 1, padding: int = 0
) -> tuple[Array, Array, Array]:
    """Errors of x, K and b, from that of y: each window hands its error back to the pixels that it saw."""
    dK = np.einsum("bcijuv,boij->ocuv", _windows(x, K, stride, padding), dy, optimize=True)
    B, C, H, W = x.shape
    dx = np.zeros((B, C, H + 2 * padding, W + 2 * padding))
    rows, columns = dy.shape[2:]
    for u, v in np.ndindex(*K.shape[2:]):
        window = np.s_[:, :, u : u + stride * rows : stride, v : v + stride * columns : stride]
        dx[window] += np.einsum("boij,oc->bcij", dy, K[:, :, u, v])
    return dx[:, :, padding : padding + H, padding : padding + W], dK, dy.sum(axis=(0, 2, 3))


def _windows(x: Array, K: Array, stride: int, padding: int) -> Array:
    """Each window that the kernel sees, as a view: (B, C, rows, columns, k, l)."""
    if stride < 1 or padding < 0:
        raise ValueError(f"stride must be 1 or more and padding 0 or more, found {stride} and {padding}")
    if x.shape[1] != K.shape[1]:
        raise ValueError(f"kernels {K.shape} take {K.shape[1]} channels, found {x.shape[1]} in {x.shape}")
    x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    if x.shape[2] < K.shape[2] or x.shape[3] < K.shape[3]:
        raise ValueError(
            f"a kernel of {K.shape[2:]} does not fit in {x.shape[2:]} pixels. Pad more, or take a smaller one"
        )
    return sliding_window_view(x, K.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
