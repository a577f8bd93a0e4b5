"""A style-based generator (section 6.5; Karras et al. 2019, section 2; Karras et al. 2020, sections 2.2 and 4.1).

Noise does not enter at the bottom: a mapping network turns it into a style w, and the picture starts from a constant of
4 x 4 that is learned. At each resolution w scales the channels of a convolution (`layers.ModulatedConv`), and what is
drawn there is added to the picture of the resolution before (skip connections of 2020, section 4.1):

    z -> w        4 x 4: constant -> conv(w) -> + rgb(w)    8 x 8 and 16 x 16: doubled -> conv(w) -> + rgb(w)

Each resolution can be given the style of another latent vector. In training nine batches in ten have two styles, with a
border drawn at random (2019, section 3.1), so that neighbours do not rely on each other. What a resolution's style is
for is measured by swapping it alone: how much of the silhouette changes, and how much of the colour within it, as
shares of what changes when all are swapped. The paper says: coarse styles move pose and shape, fine ones the colours.

Unlike the paper's: noise inputs, path length regularisation and truncation are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from handbook.labs.gan_varieties.game import Match, batches, bounds, one_thread, ratio, steps
from handbook.labs.gan_varieties.layers import (
    WIDTHS,
    Dense,
    Discriminator,
    ModulatedConv,
    doubled,
    leaky,
    pixel_norm,
)
from handbook.labs.gan_varieties.small import Bytes, Floats, Small, as_bytes, as_pixels

SIDES = (4, 8, 16)  # pixels, a style each
LATENT, WIDTH = 32, 32  # numbers of z, and of a style w
BATCH, RATE, GAMMA = 32, 2.5e-3, 2.0
PASSES = 1.2  # over the sprites
SEEDS = 2
MIXED = 0.9  # share of the batches with two styles
PAIRS = 400  # of latent vectors, by which the effect of a style is measured
LIGHT = 230  # a pixel whose three channels are all lighter belongs to the ground
SHOWN = 6


class Generator(nn.Module):
    """Styles (B, 3, 32), one for 4, 8 and 16 pixels a side, -> pictures (B, 3, 16, 16) of about -1..1."""

    def __init__(self) -> None:
        super().__init__()
        self.mapping = nn.ModuleList([Dense(LATENT, WIDTH), Dense(WIDTH, WIDTH)])
        self.constant = nn.Parameter(torch.randn(1, WIDTHS[0], 4, 4))
        inputs = (WIDTHS[0], *WIDTHS)
        self.convs = nn.ModuleList(ModulatedConv(inputs[k], WIDTHS[k], WIDTH) for k in range(len(SIDES)))
        self.to_rgb = nn.ModuleList(ModulatedConv(WIDTHS[k], 3, WIDTH, 1, demodulate=False) for k in range(len(SIDES)))

    def styles(self, z: Tensor) -> Tensor:
        """The same style at each resolution, (B, 32) -> (B, 3, 32)."""
        w = pixel_norm(z)
        for layer in self.mapping:
            w = leaky(layer(w))
        return w[:, None].expand(-1, len(SIDES), -1)

    def forward(self, styles: Tensor) -> Tensor:
        x, picture = self.constant.expand(len(styles), -1, -1, -1), torch.zeros(())
        for k, w in enumerate(styles.unbind(dim=1)):
            x = leaky(self.convs[k](doubled(x) if k else x, w))
            picture = (doubled(picture) if k else picture) + self.to_rgb[k](x, w)
        return picture


def swapped(one: Tensor, other: Tensor, layers: npt.ArrayLike) -> Tensor:
    """Styles (B, 3, 32) with those of some layers, by their places, taken from the other ones."""
    styles, places = one.clone(), np.atleast_1d(layers).tolist()
    styles[:, places] = other[:, places]
    return styles


def drawn(generator: Generator, number: int) -> Tensor:
    """Pictures (number, 3, 16, 16) for training, most batches with two styles."""
    styles = generator.styles(torch.randn(number, LATENT))
    if torch.rand(()) < MIXED:
        border = int(torch.randint(1, len(SIDES), ()))
        styles = swapped(styles, generator.styles(torch.randn(number, LATENT)), np.arange(border, len(SIDES)))
    pictures: Tensor = generator(styles)
    return pictures


def trained(known: Bytes, seed: int) -> Generator:
    """The averaged generator after its training on sprites (N, 16, 16, 3)."""
    with one_thread(seed):
        match = Match(Generator(), Discriminator(), RATE, gamma=GAMMA)
        for rows in batches(len(known), BATCH, steps(PASSES, len(known), BATCH)):
            step(match, as_pixels(known[rows.numpy()]))
    averaged: Generator = match.averaged  # type: ignore[assignment]
    return averaged


def step(match: Match, real: Tensor) -> tuple[float, float]:
    """One step of both sides by real pictures (B, 3, 16, 16); the losses before it."""
    generated = drawn(match.generator, len(real))  # type: ignore[arg-type]
    return match.step(real, generated, lambda x: match.discriminator(x, len(SIDES) - 1))


def silhouette(pictures: Bytes) -> npt.NDArray[np.bool_]:
    """Where pictures (N, S, S, 3) are not ground, (N, S, S)."""
    return np.asarray(pictures.min(axis=3) < LIGHT)


def shape_change(one: Bytes, other: Bytes) -> Floats:
    """Share (N,) of two silhouettes' union that they do not share: 0 for the same shape, 1 for two that do not meet."""
    a, b = silhouette(one), silhouette(other)
    union = (a | b).sum(axis=(1, 2))
    return np.asarray(1 - (a & b).sum(axis=(1, 2)) / np.maximum(union, 1))


def colour_change(one: Bytes, other: Bytes) -> Floats:
    """Distance (N,) of the mean colours (of 0-255) where both have figure; 0 where that is nowhere."""
    both = (silhouette(one) & silhouette(other))[..., None]
    count = np.maximum(both.sum(axis=(1, 2)), 1)
    means = [(each * both).sum(axis=(1, 2)) / count for each in (one, other)]
    return np.asarray(np.linalg.norm(means[0] - means[1], axis=1))


CHANGES = {"shape": shape_change, "colour": colour_change}
Effect = tuple[float, float, float]  # a share and its interval


@dataclass(frozen=True)
class Styles:
    """Effects by change and side of the style swapped; for the sheets, pictures (6, 6, 16, 16, 3) by side, and sources.

    A sheet's row is drawn by a source of its own, save the style of one side, which is the column's.
    """

    effects: dict[str, dict[int, Effect]]
    mixed: dict[int, Bytes]
    sources: Bytes  # (12, 16, 16, 3): of the rows, then of the columns

    def facts(self) -> dict[str, float | bool]:
        """Effects, and whether the paper's order of them shows beyond its intervals."""
        found: dict[str, float | bool] = {}
        for name, effects in self.effects.items():
            for side, effect in effects.items():
                found |= bounds(f"style of {side} x {side}: share of the {name} moved", effect)
        shape, colour = self.effects["shape"], self.effects["colour"]
        coarse, fine = SIDES[0], SIDES[-1]
        return found | {
            "coarsest style moves more of the shape than the finest": shape[coarse][1] > shape[fine][2],
            "finest style moves more of the colour than the coarsest": colour[fine][1] > colour[coarse][2],
            "finest style moves more of the colour than of the shape": colour[fine][1] > shape[fine][2],
        }


@cache
def measured(small: Small) -> Styles:
    """Train by several seeds, and swap the style of each side in turn."""
    known = small.part(held_out=False, side=SIDES[-1])
    generators = [trained(known, seed) for seed in range(SEEDS)]
    values = [_changes(generator, seed) for seed, generator in enumerate(generators)]
    rng = np.random.default_rng(0)
    effects = {
        name: {
            side: ratio(
                np.concatenate([each[name][k] for each in values]),
                np.concatenate([each[name][-1] for each in values]),
                np.arange(SEEDS * PAIRS),
                rng,
            )
            for k, side in enumerate(SIDES)
        }
        for name in CHANGES
    }
    return Styles(effects, *_sheets(generators[0]))


@torch.no_grad()
def _changes(generator: Generator, seed: int) -> dict[str, list[Floats]]:
    """By change: of the pairs (400,), with the style of each side swapped, and with all of them."""
    with one_thread(seed):
        one, other = (generator.styles(torch.randn(PAIRS, LATENT)) for _ in range(2))
        before = as_bytes(generator(one))
        after = [as_bytes(generator(swapped(one, other, layers))) for layers in (*range(len(SIDES)), range(len(SIDES)))]
    return {name: [change(before, each) for each in after] for name, change in CHANGES.items()}


@torch.no_grad()
def _sheets(generator: Generator) -> tuple[dict[int, Bytes], Bytes]:
    with one_thread(0):
        styles = generator.styles(torch.randn(2 * SHOWN, LATENT))
        rows, columns = styles[:SHOWN].repeat_interleave(SHOWN, dim=0), styles[SHOWN:].repeat(SHOWN, 1, 1)
        mixed = {
            side: as_bytes(generator(swapped(rows, columns, k))).reshape(SHOWN, SHOWN, SIDES[-1], SIDES[-1], 3)
            for k, side in enumerate(SIDES)
        }
        return mixed, as_bytes(generator(styles))
