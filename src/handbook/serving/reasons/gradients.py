"""Which parts of a picture speak for an answer: integrated gradients (Sundararajan, Taly and Yan 2017), and a picture.

The picture fades in from an empty one, its ground alone, and each pixel is credited with what it did to the answer's
log-odds on the way. Together they are the log-odds for the picture less those for the empty one. Where a picture shows
its ground, it is credited with nothing: what is missing speaks only through what is there.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Bytes = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]
STEPS = 96  # of the way from the empty picture, each at its middle: sums then agree to about a hundredth
SIDE = 280  # pixels of an overlay's longer side, at least
FOR, AGAINST = (230, 140, 40), (86, 180, 233)  # orange and sky blue, which colour-blind readers can tell apart
DIMMED = 0.45  # of the picture's own light, so that colours stand out


def log_odds(logits: Tensor, answer: Tensor) -> Tensor:
    """Log-odds (N,) of the answered class (N,) against all others, from logits (N, classes)."""
    mine = logits.gather(1, answer[:, None])
    others = logits.scatter(1, answer[:, None], -torch.inf).logsumexp(dim=1)
    return mine[:, 0] - others


def integrated(network: Callable[[Tensor], Tensor], pictures: Bytes, ground: float) -> tuple[Array, Array]:
    """What each value of pictures (N, ...) adds to the log-odds of what the network answers, and its base (N,).

    The base are the log-odds of the same answer for an empty picture, all of it `ground`.
    """
    parts, empty = [], []
    for picture in pictures:
        there = torch.from_numpy(picture.astype(np.float32))
        blank = torch.full_like(there, float(ground))
        along = ((torch.arange(STEPS) + 0.5) / STEPS).reshape(-1, *(1,) * there.ndim)
        way = (blank + along * (there - blank)).requires_grad_()
        with torch.no_grad():
            label = network(there[None])[0].argmax()
        odds = log_odds(network(way).double(), label.expand(STEPS))
        (slope,) = torch.autograd.grad(odds.sum(), way)
        parts.append((slope.double().mean(dim=0) * (there - blank).double()).numpy())
        with torch.no_grad():
            empty.append(float(log_odds(network(blank[None]).double(), label.expand(1))))
    return np.stack(parts) if parts else np.zeros(pictures.shape), np.array(empty)


def overlay(picture: Bytes, parts: Array) -> Bytes:
    """The picture (H, W) or (H, W, 3) enlarged, dimmed, its parts laid over it: orange for the answer, blue against.

    Returned as RGB (side, side, 3). Each square of a pixel is filled by as much as it counts, so that strength is
    shown by area as well as by colour; of a negative one the middle is left free, so that sign is shown by shape.
    """
    weight = parts.sum(axis=2) if parts.ndim == 3 else parts
    strength = np.abs(weight) / (np.abs(weight).max() or 1.0)  # (H, W), 0-1
    cell = -(-SIDE // max(weight.shape))
    grey = picture.mean(axis=2) if picture.ndim == 3 else picture.astype(np.float64)
    large = np.repeat(np.repeat(grey * DIMMED, cell, axis=0), cell, axis=1)[..., None].repeat(3, axis=2)
    off = np.abs(np.arange(cell) - (cell - 1) / 2) / (cell / 2)
    distance = np.tile(np.maximum(off[:, None], off[None]), weight.shape)  # from the middle of each square, 0-1
    reach = np.repeat(np.repeat(np.sqrt(strength), cell, axis=0), cell, axis=1)
    positive = np.repeat(np.repeat(weight > 0, cell, axis=0), cell, axis=1)
    filled = (distance < reach) & (positive | (distance >= reach / 2)) & (reach > 0.15)
    large[filled] = np.where(positive[..., None], FOR, AGAINST)[filled]
    return np.asarray(large.round(), dtype=np.uint8)
