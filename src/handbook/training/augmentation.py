"""Varying pictures in training: a whole batch at once, on the device where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from handbook.data.images import SIDE

if TYPE_CHECKING:
    pass


def mirrored(images: Tensor) -> Tensor:
    """Each picture (B, H, W) as it is or left to right, by the toss of a coin."""
    coin = torch.rand(len(images), 1, 1, device=images.device) < 0.5
    return torch.where(coin, images.flip(2), images)


def shifted(images: Tensor, most: int) -> Tensor:
    """Each picture (B, 28, 28) moved by up to `most` pixels each way, what comes in being black."""
    padded = F.pad(images, (most, most, most, most))
    windows = padded.unfold(1, SIDE, 1).unfold(2, SIDE, 1)  # (B, places, places, 28, 28), a view
    down, right = torch.randint(0, 2 * most + 1, (2, len(images)), device=images.device)
    return windows[torch.arange(len(images), device=images.device), down, right]


def erased(images: Tensor, side: int) -> Tensor:
    """Each picture (B, H, W) with a black square in it, its middle anywhere on the picture (DeVries, Taylor 2017)."""
    many, high, wide = images.shape
    where = images.device
    top = torch.randint(0, high, (many, 1), device=where) - side // 2
    left = torch.randint(0, wide, (many, 1), device=where) - side // 2
    rows, columns = torch.arange(high, device=where), torch.arange(wide, device=where)
    down, across = (rows >= top) & (rows < top + side), (columns >= left) & (columns < left + side)
    return images.masked_fill(down[:, :, None] & across[:, None, :], 0)
