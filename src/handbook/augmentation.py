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
    """Brightness by up to 0.5, saturation by 0 to 2, contrast by 0.5 to 1.5, of pictures (B, 3, H, W) of -1..1."""
    brightness, saturation, contrast = torch.rand(3, len(x), 1, 1, 1, device=x.device, dtype=x.dtype)
    x = x + (brightness - 0.5)
    grey = x.mean(dim=1, keepdim=True)
    x = (x - grey) * (2 * saturation) + grey
    middle: Tensor = x.mean(dim=(1, 2, 3), keepdim=True)
    return (x - middle) * (contrast + 0.5) + middle


def translation(x: Tensor, share: float = 1 / 8) -> Tensor:
    """Pictures (B, C, H, W) moved by up to that share of a side each way, 0 coming in."""
    n, _, height, width = x.shape
    reach = (round(height * share), round(width * share))
    down, right = (torch.randint(-most, most + 1, (n, 1), device=x.device) for most in reach)
    rows = torch.arange(height, device=x.device) + down  # (B, H), from -reach to height - 1 + reach
    columns = torch.arange(width, device=x.device) + right
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    every = torch.arange(n, device=x.device)[:, None, None]
    moved = x.permute(0, 2, 3, 1)[every, rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None, :]]
    return (moved * inside.unsqueeze(3)).permute(0, 3, 1, 2)


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
