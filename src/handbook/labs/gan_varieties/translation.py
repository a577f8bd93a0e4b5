"""Networks that turn one picture into another, for the cycle and for the star, and how their pictures are judged.

The translator follows Zhu et al. 2017 (section 4) in small: a convolution, one of stride 2, a residual block, and up
again; it gives what is to be changed, added to the picture, for a network of this size would spend its training on
learning to copy. The discriminator scores patches and not pictures (PatchGAN, in the same section); with labels it also
names the domain (Choi et al. 2018, section 3.1). Instance norm is left out: it would remove a sprite's mean colour.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from handbook.labs.gan_varieties.game import adam, batches, move, one_thread, ratio
from handbook.labs.gan_varieties.layers import doubled
from handbook.labs.gan_varieties.small import Bytes, Floats, Numbers, as_bytes

SIDE, WIDTH, BATCH = 16, 16, 16
RATE, BETAS = 1e-3, (0.5, 0.999)
GREY_LEVELS = 127.5  # in a unit of -1..1
Interval = tuple[float, float, float]  # a value, and its 95 % interval


class Translator(nn.Module):
    """Pictures (B, 3, S, S), with labels as well the wanted one (B, K) as ones and zeros, -> pictures (B, 3, S, S)."""

    def __init__(self, labels: int = 0) -> None:
        super().__init__()
        self.first = nn.Conv2d(3 + labels, WIDTH, 3, padding=1)
        self.down = nn.Conv2d(WIDTH, 2 * WIDTH, 4, stride=2, padding=1)
        self.one, self.two = (nn.Conv2d(2 * WIDTH, 2 * WIDTH, 3, padding=1) for _ in range(2))
        self.up = nn.Conv2d(2 * WIDTH, WIDTH, 3, padding=1)
        self.last = nn.Conv2d(WIDTH, 3, 3, padding=1)

    def forward(self, x: Tensor, wanted: Tensor | None = None) -> Tensor:
        inputs = x
        if wanted is not None:  # a label is a constant map beside the channels
            inputs = torch.cat([x, wanted[:, :, None, None].expand(-1, -1, *x.shape[2:])], dim=1)
        fine = F.leaky_relu(self.first(inputs), 0.2)
        coarse = F.leaky_relu(self.down(fine), 0.2)  # (B, 32, S / 2, S / 2)
        coarse = coarse + self.two(F.leaky_relu(self.one(coarse), 0.2))
        return x + self.last(F.leaky_relu(self.up(doubled(coarse)), 0.2) + fine)  # type: ignore[no-any-return]


class Patches(nn.Module):
    """Pictures (B, 3, 16, 16) -> scores of patches (B, 1, 4, 4), and logits (B, K) of the domains, if there are any."""

    def __init__(self, labels: int = 0) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(3, WIDTH, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(WIDTH, 2 * WIDTH, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
        )  # fmt: skip
        self.score = nn.Conv2d(2 * WIDTH, 1, 3, padding=1)
        self.label = nn.Conv2d(2 * WIDTH, labels, 4) if labels else None

    def forward(self, pictures: Tensor) -> Tensor:
        scores: Tensor = self.score(self.trunk(pictures))
        return scores

    def both(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B, 1, 4, 4) and logits (B, K)."""
        if self.label is None:
            raise ValueError("this discriminator names no domains; make it with the number of labels")
        maps = self.trunk(pictures)
        return self.score(maps), self.label(maps).flatten(1)


def least_squares(scores: Tensor, target: float) -> Tensor:
    """The adversarial loss of Zhu et al. 2017, section 4: mean of (score - target)²."""
    return (scores - target).square().mean()


def supervised(x: Tensor, y: Tensor, steps: int, seed: int, wanted: Tensor | None = None) -> Translator:
    """A translator trained on true pairs (N, 3, S, S), by the mean absolute error: what pairs are good for."""
    with one_thread(seed):
        net = Translator(0 if wanted is None else wanted.shape[1])
        mover = adam(net, RATE, BETAS)
        for rows in batches(len(x), BATCH, steps):
            labels = None if wanted is None else wanted[rows]
            move(mover, (net(x[rows], labels) - y[rows]).abs().mean())
    return net


@torch.no_grad()
def translated(net: nn.Module, x: Tensor, wanted: Tensor | None = None) -> Tensor:
    """Pictures (N, 3, S, S) as a user would see them: within -1..1."""
    pictures: Tensor = net(x) if wanted is None else net(x, wanted)
    return pictures.clamp(-1, 1)


def errors(found: Tensor, truth: Tensor) -> Floats:
    """Mean absolute error (N,) of pictures, in grey levels of 0-255."""
    return np.asarray((found - truth).abs().mean(dim=(1, 2, 3)).mul(GREY_LEVELS).double().numpy())


def left(found: list[Tensor], x: Tensor, y: Tensor, groups: Numbers) -> Interval:
    """Error of translations of x to y (N, 3, S, S), one set a seed, as a share of the error of leaving x as it is."""
    found_errors = np.concatenate([errors(each, y) for each in found])
    return ratio(found_errors, np.tile(errors(x, y), len(found)), np.tile(groups, len(found)), np.random.default_rng(0))


def direction(found: list[Tensor], x: Tensor, y: Tensor, groups: Numbers) -> Interval:
    """Mean cosine of what was changed and what had to be: 1 the right change, 0 an unrelated one or none."""
    cosines = [F.cosine_similarity((each - x).flatten(1), (y - x).flatten(1), dim=1, eps=1e-6) for each in found]
    values = torch.cat(cosines).double().numpy()
    return ratio(values, np.ones(len(values)), np.tile(groups, len(found)), np.random.default_rng(0))


def rows_of(pictures: list[Tensor]) -> Bytes:
    """Lists of C pictures (C, 3, S, S) as rows of a sheet, (R, C, S, S, 3)."""
    return np.stack([as_bytes(each) for each in pictures])
