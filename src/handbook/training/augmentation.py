"""Varying pictures in training: a whole batch at once, on the device where it lies."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from handbook.data.images import SIDE


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


def alternated(images: Tensor, epoch: int) -> Tensor:
    """Each picture (B, H, W) left to right in every other epoch, so that all are seen both ways (Jordan 2024).

    In which ones, the parity of its intensities says, which is as good as a coin and stays the same for ever.
    """
    turned = (images.sum(dim=(1, 2)) + epoch) % 2 == 0
    return torch.where(turned[:, None, None], images.flip(2), images)


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


# Both sides see pictures through the same kinds of random change, and gradients come through them: so few pictures are
# not learned by heart, and changed ones are not drawn (Zhao et al. 2020, section 3).
AUGMENTATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "colour": colour,
    "translation": translation,
    "cutout": cutout,
}
