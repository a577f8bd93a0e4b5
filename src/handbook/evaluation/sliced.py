"""Sliced Wasserstein distance over a Laplacian pyramid of patches (Karras et al. 2018, section 5).

Two sets of pictures are alike where no local detail of any size tells them apart. A pyramid takes pictures apart by
size (Burt and Adelson 1983); at each level patches of 7 x 7 are drawn, and the two clouds of patches are compared along
random directions, where the distance of two distributions is the mean gap of their sorted values. It asks for no
network, so that no network can be tuned to it, and sees what mean and covariance do not: sharp edges, flat ground.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)  # the filter of Burt and Adelson, a = 3/8
PATCH = 7  # pixels a side, as in the paper
SMALLEST = 16  # the coarsest level
PATCHES, DIRECTIONS = 32, 128  # a picture, and in all; the paper takes 128 and 512


class Slices:
    """Patches of a set of pictures (N, H, W, 3) along random directions: a level an array (DIRECTIONS, N, PATCHES).

    Only slices with the same seed compare: it draws directions, and patches by their place.
    """

    def __init__(self, pictures: Bytes, seed: int, scale_of: Slices | None = None) -> None:
        """Channels of a level are brought to mean 0 and deviation 1, of the set itself, as in the paper, or of another.

        The paper's way forgives a set for being grey where the other is white; on the other's scale it does not.
        """
        self.levels: list[Floats] = []
        self.scales: list[tuple[Floats, Floats]] = []
        for number, level in enumerate(pyramid(torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float())):
            rng = np.random.default_rng([seed, number])
            cut = _patches(level.numpy(), PATCHES, rng)  # (N, PATCHES, 3, 49)
            own = cut.mean(axis=(0, 1, 3)), np.maximum(cut.std(axis=(0, 1, 3)), 1e-6)
            mean, spread = scale_of.scales[number] if scale_of else own
            along = _directions(3 * PATCH * PATCH, DIRECTIONS, rng)
            scaled = ((cut - mean[:, None]) / spread[:, None]).reshape(-1, along.shape[1])
            self.levels.append((along @ scaled.T).reshape(DIRECTIONS, len(pictures), PATCHES))
            self.scales.append((mean, spread))

    def __len__(self) -> int:
        return int(self.levels[0].shape[1])

    @cached_property
    def ordered(self) -> list[Floats]:
        """The levels with all values along a direction in ascending order, (DIRECTIONS, N * PATCHES), sorted once."""
        return [np.sort(level.reshape(len(level), -1), axis=1) for level in self.levels]

    def some(self, chosen: npt.NDArray[np.integer[Any]], directions: int) -> Slices:
        """The slices of some pictures, by their places, along the first directions."""
        some = object.__new__(Slices)
        some.levels = [level[:directions, chosen] for level in self.levels]
        return some


def distance(one: Slices, other: Slices) -> list[float]:
    """The distance at each level, the finest first, of two sets of as many pictures; their mean is reported."""
    if len(one) != len(other):
        raise ValueError(f"expected two sets of as many pictures, found {len(one)} and {len(other)}")
    return [_gap(mine, theirs) for mine, theirs in zip(one.ordered, other.ordered, strict=True)]


def _gap(one: Floats, other: Floats) -> float:
    """The mean gap of values (K, n) that are sorted along each direction."""
    return float(np.abs(one - other).mean(dtype=np.float64))


def sliced_wasserstein(one: Floats, other: Floats, directions: Floats) -> float:
    """Mean over directions (K, D), of length 1, of the first Wasserstein distance of two sets (N, D) along each."""
    return _gap(*(np.sort(directions @ each.T, axis=1) for each in (one, other)))


def interval(one: Slices, other: Slices, rng: np.random.Generator, resamples: int = 25) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean distance, pictures of both sets resampled with all their patches.

    Resampling lifts the distance, as few pictures do; the interval is the spread of the resampled distances about
    their median, laid around the distance itself.
    """
    found = float(np.mean(distance(one, other)))
    n = len(one)
    again = [
        np.mean(distance(one.some(rng.integers(0, n, n), 32), other.some(rng.integers(0, n, n), 32)))
        for _ in range(resamples)
    ]
    low, middle, high = np.percentile(again, [2.5, 50, 97.5])
    return max(0.0, float(found + low - middle)), float(found + high - middle)


def pyramid(pictures: Tensor) -> list[Tensor]:
    """Pictures (N, C, H, W) as levels of detail, the finest first, and what is left at 16 x 16; they add up."""
    levels = []
    while pictures.shape[-1] > SMALLEST:
        smaller = reduced(pictures)
        levels.append(pictures - expanded(smaller))
        pictures = smaller
    return [*levels, pictures]


def reduced(pictures: Tensor) -> Tensor:
    """Smoothed, and every second pixel kept: (N, C, H, W) -> (N, C, H / 2, W / 2)."""
    return _smoothed(pictures)[:, :, ::2, ::2]


def expanded(pictures: Tensor) -> Tensor:
    """Every second pixel put in by smoothing: (N, C, H, W) -> (N, C, 2 H, 2 W)."""
    n, channels, height, width = pictures.shape
    wide = torch.zeros(n, channels, 2 * height, 2 * width)
    wide[:, :, ::2, ::2] = pictures
    return 4 * _smoothed(wide)


def _smoothed(pictures: Tensor) -> Tensor:
    """By the binomial filter, along rows and columns, mirrored at the rim."""
    channels = pictures.shape[1]
    taps = torch.tensor(BINOMIAL).expand(channels, 1, 1, 5)
    across = F.conv2d(F.pad(pictures, (2, 2, 0, 0), "reflect"), taps, groups=channels)
    return F.conv2d(F.pad(across, (0, 0, 2, 2), "reflect"), taps.transpose(2, 3), groups=channels)


def _patches(level: Floats, number: int, rng: np.random.Generator) -> Floats:
    """Patches of 7 x 7 at random places of pictures (N, C, H, W): (N, number, C, 49)."""
    n, _, height, width = level.shape
    windows = np.lib.stride_tricks.sliding_window_view(level, (PATCH, PATCH), axis=(2, 3))
    down = rng.integers(0, height - PATCH + 1, (n, number))
    right = rng.integers(0, width - PATCH + 1, (n, number))
    return windows[np.arange(n)[:, None], :, down, right].reshape(n, number, level.shape[1], -1)


def _directions(size: int, number: int, rng: np.random.Generator) -> Floats:
    """Directions (number, size) of length 1, as likely any as any other."""
    drawn = rng.standard_normal((number, size), dtype=np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)
