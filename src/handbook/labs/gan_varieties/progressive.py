"""Progressive growing (section 6.5; Karras et al. 2018, section 2): 8 x 8 first, then 16, then 32.

A generator that draws 8 x 8 is learned first; a round that doubles the picture is added to both sides, and faded in, so
that what was learned is not shaken: while alpha goes from 0 to 1, the picture is

    (1 - alpha) doubled(picture of the small network) + alpha picture of the grown one

and the discriminator, and the real pictures, are mixed likewise. Small pictures cost a fraction of a large one's
multiply-adds, so most steps come early and cheap. The other way is to train at full size at once. Both get the same
multiply-adds here, counted over whole steps, forward and backward. They are judged by the sliced Wasserstein distance
to sprites of Pokemon that neither was shown, channels on the scale of the real ones.

Unlike the paper's: the loss is logistic with R1 and not WGAN-GP, a round has one convolution and not two, and a run
has seconds of one thread and not four days of eight GPUs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from handbook.evaluation import sliced
from handbook.evaluation.metrics import mean_interval
from handbook.labs.gan_varieties.game import EVERY, Match, batches, bounds, one_thread, steps
from handbook.labs.gan_varieties.layers import (
    WIDTHS,
    Conv,
    Dense,
    Discriminator,
    doubled,
    halved,
    leaky,
    pixel_norm,
)
from handbook.labs.gan_varieties.small import SIDE, Bytes, Floats, Small, as_bytes, as_pixels

ROUNDS = 3  # that double a picture, from 4 x 4
LATENT, BATCH, RATE, GAMMA = 32, 16, 2e-3, 5.0
SEEDS = 3
PASSES = 0.2  # over the sprites at full size; growing makes of the same multiply-adds more, of smaller pictures
PHASES = ((1, False, 0.10), (2, True, 0.10), (2, False, 0.15), (3, True, 0.30), (3, False, 0.35))  # shares of the work
MARKS = (0.2, 0.4, 0.6, 0.8, 1.0)  # of the work, where both are judged
JUDGED = 512  # pictures that a distance is measured by
SHOWN = 10
Plan = list[tuple[int, float]]  # rounds and alpha, a step each


class Generator(nn.Module):
    """Noise (B, 32) -> pictures (B, 3, S, S) of about -1..1: S is 8, 16 or 32 for 1, 2 or 3 rounds."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = Dense(LATENT, WIDTHS[0] * 16)
        self.rounds = nn.ModuleList(Conv(coarse, fine) for coarse, fine in pairwise(WIDTHS))
        self.to_rgb = nn.ModuleList(Conv(fine, 3, 1) for fine in WIDTHS[1:])

    def forward(self, z: Tensor, rounds: int, alpha: float = 1.0) -> Tensor:
        x = pixel_norm(leaky(self.dense(pixel_norm(z)).view(-1, WIDTHS[0], 4, 4)))
        for k in range(rounds - 1):
            x = self._round(k, x)
        picture: Tensor = self.to_rgb[rounds - 1](self._round(rounds - 1, x))
        return picture if alpha == 1 else torch.lerp(doubled(self.to_rgb[rounds - 2](x)), picture, alpha)

    def _round(self, k: int, x: Tensor) -> Tensor:
        return pixel_norm(leaky(self.rounds[k](doubled(x))))


@dataclass(frozen=True)
class Course:
    """A training: the distance at each mark (5,), what ten latent vectors drew there (5, 10, 32, 32, 3), its steps."""

    distances: Floats
    sheets: Bytes
    steps: int


def seen(pictures: Tensor, rounds: int, alpha: float) -> Tensor:
    """Real pictures (B, 3, 32, 32) as the networks see them at that stage, (B, 3, S, S)."""
    for _ in range(ROUNDS - rounds):
        pictures = halved(pictures)
    return pictures if alpha == 1 else torch.lerp(doubled(halved(pictures)), pictures, alpha)


def step(match: Match, real: Tensor, rounds: int, alpha: float) -> tuple[float, float]:
    """One step of both sides at that stage by real pictures (B, 3, 32, 32); the losses before it."""
    generated = match.generator(torch.randn(len(real), LATENT), rounds, alpha)
    return match.step(seen(real, rounds, alpha), generated, lambda x: match.discriminator(x, rounds, alpha))


@cache
def work(rounds: int, fading: bool) -> float:
    """Multiply-adds of a step, a picture of the batch, forward and backward; backward costs twice the way forward.

    The generator goes there and back once (3), the discriminator with real pictures, with generated ones (3 each), and
    with these again, without gradients for itself (2); one step in eight takes its slope and goes back over it (3).
    """
    alpha = 0.5 if fading else 1.0
    with one_thread(0):
        drawing = multiply_adds(Generator(), torch.zeros(1, LATENT), rounds, alpha)
        judging = multiply_adds(Discriminator(), torch.zeros(1, 3, 4 * 2**rounds, 4 * 2**rounds), rounds, alpha)
    return 3 * drawing + (8 + 3 / EVERY) * judging


@torch.no_grad()
def multiply_adds(net: nn.Module, *inputs: Any) -> int:
    """Of the convolutions and dense layers of a net, on the way forward of one input (1, ...)."""
    counts: list[int] = []

    def count(layer: Any, _: Any, found: Tensor) -> None:
        counts.append(found[0].numel() * layer.weight[0].numel())  # each value is a product with one kernel

    hooks = [each.register_forward_hook(count) for each in net.modules() if isinstance(each, Conv | Dense)]
    net(*inputs)
    for hook in hooks:
        hook.remove()
    return sum(counts)


def at_once(pictures: int) -> Plan:
    """Every step at full size."""
    return [(ROUNDS, 1.0)] * steps(PASSES, pictures, BATCH)


def grown(budget: float) -> Plan:
    """Steps that grow, whose multiply-adds come to the budget, that of a whole training a picture of its batches."""
    plan: Plan = []
    for rounds, fading, share in PHASES:
        number = max(1, round(share * budget / work(rounds, fading)))
        plan += [(rounds, (k + 1) / number if fading else 1.0) for k in range(number)]
    return plan


def spent(plan: Plan) -> Floats:
    """Multiply-adds after each step of a plan, a picture of the batch."""
    return np.cumsum([work(rounds, alpha < 1) for rounds, alpha in plan])


def train(known: Bytes, judge: sliced.Slices, plan: Plan, seed: int) -> Course:
    """Train by a plan on sprites (N, 32, 32, 3)."""
    share = spent(plan) / spent(plan)[-1]
    marks = [int(np.searchsorted(share, mark - 1e-9)) for mark in MARKS]
    distances, sheets = [], []
    with one_thread(seed):
        match = Match(Generator(), Discriminator(), RATE, gamma=GAMMA)
        fixed = torch.randn(len(judge), LATENT)
        for k, rows in enumerate(batches(len(known), BATCH, len(plan))):
            step(match, as_pixels(known[rows.numpy()]), *plan[k])
            for _ in range(marks.count(k)):
                drawn = draw(match.averaged, fixed, *plan[k])
                distances.append(far(drawn, judge))
                sheets.append(drawn[:SHOWN])
    return Course(np.array(distances), np.stack(sheets), len(plan))


@torch.no_grad()
def draw(generator: nn.Module, z: Tensor, rounds: int, alpha: float) -> Bytes:
    """Pictures (N, 32, 32, 3) of noise (N, 32), those of fewer rounds doubled up to that size."""
    pictures = generator(z, rounds, alpha)
    while pictures.shape[-1] < SIDE:
        pictures = doubled(pictures)
    return as_bytes(pictures)


def far(pictures: Bytes, judge: sliced.Slices) -> float:
    """Sliced Wasserstein distance to the judge's pictures, on their scale, the mean of its levels."""
    return float(np.mean(sliced.distance(sliced.Slices(pictures, 0, scale_of=judge), judge)))


@dataclass(frozen=True)
class Race:
    """Trainings of both kinds by seed, what real sprites have for a distance, and ten unseen ones (10, 32, 32, 3)."""

    grown: tuple[Course, ...]
    at_once: tuple[Course, ...]
    real: float
    unseen: Bytes

    def gain(self) -> tuple[float, float, float]:
        """What growing takes off the distance in the end, mean over seeds, both from the same start."""
        pairs = zip(self.grown, self.at_once, strict=True)
        return mean_interval(np.array([other.distances[-1] - mine.distances[-1] for mine, other in pairs]))

    def facts(self) -> dict[str, float | bool]:
        """Distances in the end, and the steps that the same multiply-adds came to."""
        found: dict[str, float | bool] = {"distance to unseen 32 x 32: real sprites": self.real}
        for name, courses in (("grown", self.grown), ("at once", self.at_once)):
            found[f"distance to unseen 32 x 32: {name}"] = float(np.mean([each.distances[-1] for each in courses]))
            found[f"steps of 32 x 32: {name}"] = courses[0].steps
        return found | bounds("taken off the distance by growing", self.gain())


@cache
def race(small: Small) -> Race:
    """Both ways, seed by seed, at the same multiply-adds."""
    rng = np.random.default_rng(0)
    known, unseen = (rng.permutation(small.part(held_out)) for held_out in (False, True))
    number = min(JUDGED, len(unseen), len(known))
    judge = sliced.Slices(unseen[:number], 0)
    full = at_once(len(known))
    plans = grown(float(spent(full)[-1])), full
    slowly, directly = (tuple(train(known, judge, plan, seed) for seed in range(SEEDS)) for plan in plans)
    return Race(slowly, directly, far(known[:number], judge), unseen[:SHOWN])
