"""Cycle consistency (section 6.5; Zhu et al. 2017): from normal sprites to shiny ones and back, without pairs.

Two translators, G from X to Y and F back, and a discriminator for each side. G(x) has to look like a picture of Y, and
going there and back has to end where it began (equations 1 to 3, the adversarial loss by least squares):

    (D_Y(G(x)) - 1)² + (D_X(F(y)) - 1)² + lambda ( |F(G(x)) - x| + |G(F(y)) - y| ),   lambda = 10

No pair is needed, but which x belongs to which y is nowhere said: any swap that keeps both sets will do, and where X
and Y look alike as sets, leaving all as it is does too. Sprites can tell, for here the true pairs are known, and judge.
Three questions, each with the same network trained on pairs beside:

    shiny, new Pokemon           the swap of Pokemon that were not shown
    shiny, new game              that of known Pokemon in a game that was not shown: memory helps
    turned colours, new Pokemon  a control: Y are sprites with red, green and blue in another place, a swap that follows
                                 from the picture

The buffer of 50 earlier pictures and the identity loss of the paper's section 5.2 are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from handbook.evaluation import sliced
from handbook.labs.gan_varieties.game import adam, batches, bounds, move, one_thread, steps
from handbook.labs.gan_varieties.small import Bytes, Numbers, Small, as_bytes, as_pixels, reduced
from handbook.labs.gan_varieties.translation import (
    BATCH,
    BETAS,
    RATE,
    SIDE,
    Interval,
    Patches,
    Translator,
    direction,
    least_squares,
    left,
    rows_of,
    supervised,
    translated,
)

LAMBDA = 10.0  # weight of the cycle, as in the paper
PASSES = 0.9  # over the pairs
SEEDS = 2  # of the cycle
NEW_GAME = "black-white"  # whose sprites are not learned from
TURNED = (1, 2, 0)  # the control: which channel comes to the place of red, green and blue
SHOWN = 10
QUESTIONS = ("shiny, new Pokemon", "shiny, new game", "turned colours, new Pokemon")
ROWS = ("normal", "by cycle", "and back", "by pairs", "shiny")  # of the sheet
Net = Callable[[Tensor], Tensor]


def cycle_loss(forth: Net, back: Net, x: Tensor, y: Tensor) -> Tensor:
    """|F(G(x)) - x| + |G(F(y)) - y| of pictures (B, 3, S, S), means over pixels (equation 2)."""
    return (back(forth(x)) - x).abs().mean() + (forth(back(y)) - y).abs().mean()


class Cycle:
    """Both translators, both discriminators, and what moves them."""

    def __init__(self) -> None:
        self.forth, self.back, self.of_x, self.of_y = Translator(), Translator(), Patches(), Patches()
        both = torch.nn.ModuleList([self.forth, self.back]), torch.nn.ModuleList([self.of_x, self.of_y])
        self.translators, self.discriminators = (adam(nets, RATE, BETAS) for nets in both)

    def step(self, x: Tensor, y: Tensor) -> tuple[float, float]:
        """Move all by pictures (B, 3, S, S) of either side, no pairs; the losses before it, the translators' first."""
        to_y, to_x = self.forth(x), self.back(y)
        fooled = least_squares(self.of_y(to_y), 1) + least_squares(self.of_x(to_x), 1)
        again = (self.back(to_y) - x).abs().mean() + (self.forth(to_x) - y).abs().mean()  # `cycle_loss`, once computed
        loss = fooled + LAMBDA * again
        move(self.translators, loss)
        real = least_squares(self.of_y(y), 1) + least_squares(self.of_x(x), 1)
        generated = least_squares(self.of_y(to_y.detach()), 0) + least_squares(self.of_x(to_x.detach()), 0)
        move(self.discriminators, (real + generated) / 2)  # halved, as in the paper's section 4
        return float(loss.detach()), float((real + generated).detach() / 2)


def unpaired(x: Tensor, y: Tensor, number: int, seed: int) -> Cycle:
    """Trained on two sets (N, 3, S, S) and (M, 3, S, S); batches are drawn from each by itself."""
    with one_thread(seed):
        cycle = Cycle()
        for mine, theirs in zip(batches(len(x), BATCH, number), batches(len(y), BATCH, number), strict=True):
            cycle.step(x[mine], y[theirs])
    return cycle


@dataclass(frozen=True)
class Judged:
    """What of a swap is left, as a share of it, and the cosine of the change with the true one; each by method."""

    left: dict[str, Interval]
    direction: dict[str, Interval]


@dataclass(frozen=True)
class Swaps:
    """By question, how both methods did; a sheet of new Pokemon; how far apart the sets are, and halves of one set."""

    judged: dict[str, Judged]
    sheet: Bytes  # (5, 10, 16, 16, 3): ROWS
    apart: float
    halves: float

    def facts(self) -> dict[str, float | bool]:
        """Errors left and directions, and how little the two sets differ."""
        found: dict[str, float | bool] = {
            "distance of normal sprites to shiny ones of other Pokemon": self.apart,
            "distance of normal sprites to normal ones of other Pokemon": self.halves,
        }
        for question, each in self.judged.items():
            for way in each.left:
                found |= bounds(f"{question}, {way}: error left", each.left[way])
                found |= bounds(f"{question}, {way}: cosine with the swap", each.direction[way])
        return found


@cache
def swapped(small: Small) -> Swaps:
    """Train both ways for shiny sprites and for turned colours, and ask the three questions."""
    normal, shiny = small.pairs()
    dex, new = small.dex[normal], small.held_out[normal]
    elsewhere = np.array(small.game)[normal] == NEW_GAME
    other = ~new & elsewhere
    x, y = (as_pixels(reduced(small.images[rows], SIDE)) for rows in (normal, shiny))
    turned = x[:, list(TURNED)]
    known, number = ~new & ~elsewhere, steps(PASSES, int((~new & ~elsewhere).sum()), BATCH)
    cycles, controls = ([unpaired(x[known], to[known], number, seed) for seed in range(SEEDS)] for to in (y, turned))
    paired, paired_control = ([supervised(x[known], to[known], number, 0)] for to in (y, turned))
    judged = {
        QUESTIONS[0]: _judged(cycles, paired, x[new], y[new], dex[new]),
        QUESTIONS[1]: _judged(cycles, paired, x[other], y[other], dex[other]),
        QUESTIONS[2]: _judged(controls, paired_control, x[new], turned[new], dex[new]),
    }
    some = np.flatnonzero(new)[np.random.default_rng(0).permutation(int(new.sum()))[:SHOWN]]
    shown = translated(cycles[0].forth, x[some])
    sheet = rows_of([x[some], shown, translated(cycles[0].back, shown), translated(paired[0], x[some]), y[some]])
    return Swaps(judged, sheet, *_distances(as_bytes(x[known]), as_bytes(y[known]), dex[known]))


def _judged(cycles: list[Cycle], paired: list[Translator], x: Tensor, y: Tensor, dex: Numbers) -> Judged:
    nets = {"by cycle": [cycle.forth for cycle in cycles], "by pairs": paired}
    found = {name: [translated(net, x) for net in each] for name, each in nets.items()}
    return Judged(
        {name: left(each, x, y, dex) for name, each in found.items()},
        {name: direction(each, x, y, dex) for name, each in found.items()},
    )


def _distances(x: Bytes, y: Bytes, dex: Numbers, most: int = 1000) -> tuple[float, float]:
    """Between the normal sprites of one half of the Pokemon and the shiny ones, then the normal ones, of the other."""
    rng = np.random.default_rng(0)
    numbers = rng.permutation(np.unique(dex))
    mine = np.isin(dex, numbers[: len(numbers) // 2])
    size = min(int(mine.sum()), int((~mine).sum()), most)
    one, shiny, normal = (rng.permutation(each)[:size] for each in (x[mine], y[~mine], x[~mine]))
    here = sliced.Slices(one, 0)
    far = [float(np.mean(sliced.distance(sliced.Slices(each, 0, scale_of=here), here))) for each in (shiny, normal)]
    return far[0], far[1]
