"""Shift, then look; look, then shift: where the two are the same and where not (sections 4.2.3, 4.2.4 and 4.6.1).

A layer f is equivariant if f(S x) = S f(x) for every shift S: what it finds moves with what is to be found. It is
invariant if f(S x) = f(x). The book calls convolution invariant; it is equivariant, and that to the last digit only
where nothing breaks it: zeros beyond the rim do (the rim's windows see another picture), and so does a stride, for all
shifts but its multiples. Pooling is near to invariance for shifts below its window. Garments lie on a torus here, so
that a shift is a permutation of the pixels and nothing is lost over the rim.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.labs.dense_to_convolution.windows import correlate

Array = npt.NDArray[Any]
Layer = Callable[[Array], Array]
SHIFTS = range(9)
POOLS = (1, 2, 4, 7)  # sides that divide 28
EDGES = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])  # Sobel's


def pooled(x: Array, side: int, kind: str = "max") -> Array:
    """Max or mean of windows side by side, (N, R, C) -> (N, R / side, C / side)."""
    n, rows, columns = x.shape
    blocks = x.reshape(n, rows // side, side, columns // side, side)
    return np.asarray(blocks.max(axis=(2, 4)) if kind == "max" else blocks.mean(axis=(2, 4)))


def layers(side: int, rng: np.random.Generator) -> dict[str, tuple[Layer, int]]:
    """Layers for pictures (N, side, side), each with its stride; what is random is random once."""
    W = rng.normal(0, 1 / side, (side * side, side * side))
    w = rng.normal(0, 1 / 3, (3, 3))

    def dense(x: Array) -> Array:
        return np.asarray((x.reshape(len(x), -1) @ W.T).reshape(x.shape))

    return {
        "dense, random weights": (dense, 1),
        "convolution, circular padding": (lambda x: correlate(x, w, "circular"), 1),
        "convolution, zeros beyond the rim": (lambda x: correlate(x, w, "zeros"), 1),
        "convolution, circular, stride 2": (lambda x: correlate(x, w, "circular")[:, ::2, ::2], 2),
        "convolution, circular, max pooling 4": (lambda x: pooled(correlate(x, w, "circular"), 4), 4),
    }


def error(layer: Layer, stride: int, x: Array, shift: int, before: Array | None = None) -> float:
    """Mean of ‖f(S x) − S f(x)‖ / ‖f(x)‖ over pictures (N, R, C), for a shift to the right; `before` is f(x), if known.

    Behind a stride the answer can move by whole strides only: the nearer of the two is taken.
    """
    before, after = layer(x) if before is None else before, layer(np.roll(x, shift, axis=2))
    moves = {shift // stride, -(-shift // stride)}
    return min(float(_relative(after, np.roll(before, move, axis=2)).mean()) for move in moves)


def errors(x: Array, rng: np.random.Generator) -> dict[str, Array]:
    """The error of each layer by shift (shifts,), on pictures (N, R, C)."""
    found = {}
    for name, (layer, stride) in layers(x.shape[1], rng).items():
        before = layer(x)
        found[name] = np.array([error(layer, stride, x, shift, before) for shift in SHIFTS])
    return found


def changes(x: Array, kind: str) -> Array:
    """How much the pooled edges of pictures (N, 28, 28) change, by pool and by shift: (pools, shifts)."""
    maps = np.abs(correlate(x, EDGES, "circular"))
    moved, still = [np.roll(maps, shift, axis=2) for shift in SHIFTS], [pooled(maps, side, kind) for side in POOLS]
    return np.array([
        [float(_relative(pooled(each, side, kind), before).mean()) for each in moved]
        for side, before in zip(POOLS, still, strict=True)
    ])  # fmt: skip


def kept(side: int, shift: int, width: int = 28) -> float:
    """Share of places along a line from which one bright pixel, moved by so much, stays in its pooling window."""
    starts = np.arange(width - shift)
    return float((starts // side == (starts + shift) // side).mean())


def _relative(found: Array, wanted: Array) -> Array:
    """‖found − wanted‖ / ‖wanted‖ of each picture, (N,); a picture without an answer has no error."""
    axes = (1, 2)
    size = np.sqrt(np.square(wanted).sum(axis=axes))
    return np.asarray(np.sqrt(np.square(found - wanted).sum(axis=axes)) / np.where(size > 0, size, 1))
