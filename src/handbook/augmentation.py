"""Differentiable augmentation: pictures changed at random, whole batches at a time, so that gradients come through.

A discriminator learns few pictures by heart. If it sees the real and the made alike through random changes only, it
cannot, and the generator, whose gradient comes through the same changes, does not learn to draw changed pictures (Zhao,
Liu, Lin, Zhu and Han 2020, "Differentiable Augmentation for Data-Efficient GAN Training", section 3).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def colour(x: Tensor) -> Tensor:
    """Brightness by up to 0.5, saturation by 0 to 2, contrast by 0.5 to 1.5, of pictures (B, 3, H, W) of -1..1.

    One after the other they are x + b, g + s (x - g) about a pixel's grey g, and m + c (x - m) about the mean m of
    the picture; all at once, c s x + c (1 - s) g + (1 - c) m + b, which touches each pixel once.
    """
    b, s, c = torch.rand(3, len(x), 1, 1, 1, device=x.device, dtype=x.dtype)
    b, s, c = b - 0.5, 2 * s, c + 0.5
    g = x.mean(dim=1, keepdim=True)
    m = g.mean(dim=(2, 3), keepdim=True)
    return torch.addcmul(c * (1 - s) * g + (1 - c) * m + b, x, c * s)


def translation(x: Tensor, share: float = 1 / 8) -> Tensor:
    """Pictures (B, C, H, W) moved by up to that share of a side each way, 0 coming in."""
    down, across = (_moves(len(x), side, round(side * share), x) for side in x.shape[2:])
    return down @ x @ across.transpose(2, 3)


def _moves(n: int, side: int, most: int, like: Tensor) -> Tensor:
    """Matrices (n, 1, side, side) that move by up to so many places, each its own. A gather has a slow gradient."""
    by = torch.randint(-most, most + 1, (n, 1, 1, 1), device=like.device)
    place = torch.arange(side, device=like.device)
    return (place + by == place[:, None]).to(like.dtype)


def cutout(x: Tensor, share: float = 1 / 2) -> Tensor:
    """Pictures (B, C, H, W) with a hole of 0, that share of a side each way, its centre anywhere."""
    n, _, height, width = x.shape
    outside = []
    for side in (height, width):
        centre = torch.randint(0, side + 1, (n, 1), device=x.device)
        outside.append((torch.arange(side, device=x.device) - centre + 0.5).abs() > side * share / 2)
    return x * (outside[0][:, None, :, None] | outside[1][:, None, None, :])


AUGMENTATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "colour": colour,
    "translation": translation,
    "cutout": cutout,
}
