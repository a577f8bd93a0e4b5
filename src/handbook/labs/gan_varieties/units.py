"""Two habits of the book's blocks (sections 6.3, 6.7.4 and 6.8): leaky ReLU, and batch norm; each with and without.

The networks are the DCGAN's of section 6.8 in small: kernels of 4 x 4 in strides of 2, on sprites of 16 x 16,

    32 -> 48 @ 4 x 4 -> 24 @ 8 x 8 -> 3 @ 16 x 16        3 @ 16 x 16 -> 24 @ 8 x 8 -> 48 @ 4 x 4 -> score

Every block of both has the same unit, and batch norm or none, so that four pairs of networks differ by these alone. The
book's reasons are put to the test: a ReLU whose input is always negative is silent and learns no more, the more so at a
large rate; batch norm trains faster and leaves more choice of the rate. So each pair is trained at two rates, from the
same seeds, and judged by the sliced Wasserstein distance to unseen sprites and by the share of channels that stay
silent, negative for every picture and every latent vector that is tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import torch
from torch import Tensor, nn

from handbook.evaluation import sliced
from handbook.evaluation.metrics import mean_interval
from handbook.labs.gan_varieties.game import Match, batches, bounds, one_thread, steps
from handbook.labs.gan_varieties.small import Bytes, Floats, Small, as_bytes, as_pixels

SIDE, LATENT, BATCH = 16, 32, 16
PASSES, SEEDS = 0.2, 3
RATES = (5e-4, 5e-3)
UNITS: dict[str, Callable[[], nn.Module]] = {"leaky ReLU": lambda: nn.LeakyReLU(0.2), "ReLU": nn.ReLU}
NORMS = {"batch norm": True, "no norm": False}
HABITS = ("leaky ReLU", "batch norm")
JUDGED = 512  # pictures that a distance is measured by
TRIED = 256  # pictures and latent vectors by which a channel is called silent
Interval = tuple[float, float, float]
Way = tuple[str, str, float]  # a unit, a norm, and the rate of Adam


def _block(convolution: nn.Module, channels: int, unit: str, norm: bool) -> list[nn.Module]:
    return [convolution, *([nn.BatchNorm2d(channels)] if norm else []), UNITS[unit]()]


def generator(unit: str, norm: bool) -> nn.Sequential:
    """Noise (B, 32) -> pictures (B, 3, 16, 16) of -1..1."""
    return nn.Sequential(
        nn.Unflatten(1, (LATENT, 1, 1)),
        *_block(nn.ConvTranspose2d(LATENT, 48, 4, 1, 0, bias=not norm), 48, unit, norm),
        *_block(nn.ConvTranspose2d(48, 24, 4, 2, 1, bias=not norm), 24, unit, norm),
        nn.ConvTranspose2d(24, 3, 4, 2, 1),
        nn.Tanh(),
    )


def discriminator(unit: str, norm: bool) -> nn.Sequential:
    """Pictures (B, 3, 16, 16) -> scores (B,)."""
    return nn.Sequential(
        *_block(nn.Conv2d(3, 24, 4, 2, 1, bias=not norm), 24, unit, norm),
        *_block(nn.Conv2d(24, 48, 4, 2, 1, bias=not norm), 48, unit, norm),
        nn.Conv2d(48, 1, 4),
        nn.Flatten(0),
    )


@torch.no_grad()
def silent(net: nn.Sequential, inputs: Tensor) -> float:
    """Share of the channels before a unit that are negative for all inputs (N, ...) at every place."""
    net.eval()
    counts, x = [], inputs
    for layer in net:
        if isinstance(layer, nn.ReLU | nn.LeakyReLU):
            counts.append((x.amax(dim=(0, 2, 3)) <= 0).double())
        x = layer(x)
    net.train()
    return float(torch.cat(counts).mean())


def train(known: Bytes, judge: sliced.Slices, way: Way, seed: int) -> tuple[float, float]:
    """Train on sprites (N, 16, 16, 3); the distance of what is then drawn, and the share of silent channels."""
    unit, norm, rate = way[0], NORMS[way[1]], way[2]
    with one_thread(seed):
        match = Match(generator(unit, norm), discriminator(unit, norm), rate, (0.5, 0.999))
        for rows in batches(len(known), BATCH, steps(PASSES, len(known), BATCH)):
            step(match, as_pixels(known[rows.numpy()]))
        noise, some = torch.randn(len(judge), LATENT), as_pixels(known[torch.randint(len(known), (TRIED,)).numpy()])
        quiet = silent(match.generator, noise[:TRIED]), silent(match.discriminator, some)  # type: ignore[arg-type]
        with torch.no_grad():
            drawn = as_bytes(match.averaged.eval()(noise))
    far = sliced.distance(sliced.Slices(drawn, 0, scale_of=judge), judge)
    return float(np.mean(far)), float(np.mean(quiet))


def step(match: Match, real: Tensor) -> tuple[float, float]:
    """One step of both sides by real pictures (B, 3, 16, 16); the losses before it."""
    return match.step(real, match.generator(torch.randn(len(real), LATENT)), match.discriminator)


@dataclass(frozen=True)
class Tried:
    """By unit, norm and rate: distances (3,), one a seed, and shares of silent channels (3,)."""

    distances: dict[Way, Floats]
    silent: dict[Way, Floats]
    real: float  # the distance of real sprites

    def facts(self) -> dict[str, float | bool]:
        """Mean distances and silent shares of every way, and what either habit gains."""
        found: dict[str, float | bool] = {"distance to unseen 16 x 16: real sprites": self.real}
        for way, values in self.distances.items():
            name = f"{way[0]}, {way[1]}, rate {way[2]:g}"
            found[f"distance to unseen 16 x 16: {name}"] = float(values.mean())
            found[f"silent channels: {name}"] = float(self.silent[way].mean())
        for habit in HABITS:
            for where, gain in self.gains(habit).items():
                found |= bounds(f"taken off the distance by {habit}: {where}", mean_interval(gain))
            found |= bounds(f"taken off the distance by {habit}", self.gain(habit))
            found[f"{habit} draws nearer for certain"] = self.gain(habit)[1] > 0
        return found

    def gains(self, habit: str) -> dict[str, Floats]:
        """What leaky ReLU or batch norm takes off the distance, (3,) from paired seeds, by what else holds."""
        if habit == "leaky ReLU":
            ways = {f"{norm}, rate {r:g}": (("ReLU", norm, r), (habit, norm, r)) for norm, r in product(NORMS, RATES)}
        else:
            ways = {
                f"{unit}, rate {r:g}": ((unit, "no norm", r), (unit, habit, r)) for unit, r in product(UNITS, RATES)
            }
        return {name: self.distances[without] - self.distances[using] for name, (without, using) in ways.items()}

    def gain(self, habit: str) -> Interval:
        """The same over all settings and seeds."""
        return mean_interval(np.concatenate(list(self.gains(habit).values())))


@cache
def tried(small: Small) -> Tried:
    """All four pairs of networks at both rates, seed by seed."""
    rng = np.random.default_rng(0)
    known, unseen = (rng.permutation(small.part(held_out, SIDE)) for held_out in (False, True))
    number = min(JUDGED, len(unseen), len(known))
    judge = sliced.Slices(unseen[:number], 0)
    ways = list(product(UNITS, NORMS, RATES))
    found = {way: np.array([train(known, judge, way, seed) for seed in range(SEEDS)]) for way in ways}
    real = sliced.distance(sliced.Slices(known[:number], 0, scale_of=judge), judge)
    return Tried({way: found[way][:, 0] for way in ways}, {way: found[way][:, 1] for way in ways}, float(np.mean(real)))
