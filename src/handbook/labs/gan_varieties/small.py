"""Sprites as this lab takes them: 32 x 32 or 16 x 16 pixels, normal and shiny as pairs, whole Pokemon held out.

Small pictures, so that many trainings fit into minutes: a pixel is the mean of those that it covers. Sprites that name
no Pokemon are left out; those of held-out dex numbers judge and are never learned from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from handbook.data.sprites import Sprites
from handbook.data.subsets import plan_for

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
SIDE = 32
ALL, PART = 1, 4  # of the Pokemon that are learned from every such one is taken; and of a drawn sample
ABOVE_DEX = 10_000  # a game and a dex number as one number


@dataclass(frozen=True)
class Small:
    """N sprites and what their names say, as bytes: results are kept by them, and what is kept needs a hash."""

    pictures: bytes  # (N, 32, 32, 3) uint8
    numbers: bytes  # (N,) int64, national dex numbers
    game: tuple[str, ...]
    shininess: bytes  # (N,) bool
    unseen: bytes  # (N,) bool, held out

    @classmethod
    def of(cls, data: Sprites) -> Small:
        known = np.unique(data.dex[(data.part != "") & (data.part != "held out")])
        known = known[:: plan_for(len(data.dex), ALL, PART)]
        named = np.flatnonzero((data.part == "held out") | (np.isin(data.dex, known) & (data.part != "")))
        return cls(
            reduced(data.images[named], SIDE).tobytes(),
            data.dex[named].astype(np.int64).tobytes(),
            tuple(data.game[named].tolist()),
            data.shiny[named].astype(bool).tobytes(),
            (data.part[named] == "held out").tobytes(),
        )

    @property
    def images(self) -> Bytes:
        return np.frombuffer(self.pictures, np.uint8).reshape(-1, SIDE, SIDE, 3)

    @property
    def dex(self) -> Numbers:
        return np.frombuffer(self.numbers, np.int64)

    @property
    def shiny(self) -> npt.NDArray[np.bool_]:
        return np.frombuffer(self.shininess, bool)

    @property
    def held_out(self) -> npt.NDArray[np.bool_]:
        return np.frombuffer(self.unseen, bool)

    def part(self, held_out: bool, side: int = SIDE) -> Bytes:
        """The sprites (N, side, side, 3) that are held out, or those that are not."""
        return reduced(self.images[self.held_out == held_out], side)

    def pairs(self) -> tuple[Numbers, Numbers]:
        """Rows (P,) of normal sprites, and of the shiny ones of the same Pokemon in the same game.

        Sprites say no form, so only a Pokemon that a game shows once normal and once shiny is a pair for certain.
        """
        _, game = np.unique(self.game, return_inverse=True)
        key = game * ABOVE_DEX + self.dex
        (mine, normal), (theirs, shiny) = (_single(key, self.shiny == kind) for kind in (False, True))
        _, i, j = np.intersect1d(mine, theirs, assume_unique=True, return_indices=True)
        return normal[i], shiny[j]

    def of_game(self, game: str) -> Numbers:
        """Rows of the normal sprites of a game, of each Pokemon that it shows once, in the order of dex numbers."""
        return _single(self.dex, (np.array(self.game) == game) & ~self.shiny)[1]


def _single(key: Numbers, among: npt.NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Keys that occur once among those rows, in order, and their rows."""
    rows = np.flatnonzero(among)
    keys, first, count = np.unique(key[rows], return_index=True, return_counts=True)
    return keys[count == 1], rows[first[count == 1]]


def reduced(pictures: Bytes, side: int) -> Bytes:
    """Pictures (N, S, S, 3) as (N, side, side, 3), each pixel the mean of those that it covers; S / side is whole."""
    block = pictures.shape[1] // side
    total = np.full((len(pictures), side, side, 3), block**2 // 2, np.uint16)  # half a step, so that it rounds
    for i, j in np.ndindex(block, block):
        total += pictures[:, i::block, j::block]
    return np.asarray(total // block**2, np.uint8)


def as_pixels(pictures: Bytes) -> Tensor:
    """Bytes (N, S, S, 3) as (N, 3, S, S) of -1..1, white being 1; channels lie last already, which is faster."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def as_bytes(pictures: Tensor) -> Bytes:
    """Pictures (N, 3, S, S) of -1..1 as bytes (N, S, S, 3)."""
    scaled = pictures.detach().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return np.asarray(scaled.permute(0, 2, 3, 1).contiguous().numpy())
