"""The game of two networks, as every training of this lab plays it, and the intervals that it is judged with.

The generator g turns noise into pictures, the discriminator d scores them; in the form that does not saturate
(Goodfellow et al. 2014, section 3), with s(x) = log(1 + exp(x)), they minimise

    d:  s(-d(x)) + s(d(g(z))) + gamma/2 |grad d(x)|²        g:  s(-d(g(z)))

The penalty on the slope at real pictures is R1 (Mescheder, Geiger and Nowozin 2018, equation 9); it is taken every 8th
step and counts eightfold (Karras et al. 2020, section 3.1). The average of the generator's weights is what draws.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from handbook.evaluation import trials
from handbook.labs.gan_varieties.small import Floats, Numbers

# Times the steps of every training of this lab. At 1 they take four minutes of one thread together, in which no GAN of
# any size is done; 10 takes forty minutes, 100 a night, and nothing else has to be changed.
LONGER = 1
EVERY = 8  # steps between two penalties
RESAMPLES = 1000  # of a bootstrap


@contextmanager
def one_thread(seed: int) -> Iterator[None]:
    """Sums in one order and randomness from the seed; after it, torch is as it was."""
    with trials.one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def steps(passes: float, pictures: int, batch: int) -> int:
    """Steps that so many passes over the pictures take: few pictures, as in the samples, are a short training."""
    return max(2, round(LONGER * passes * pictures / batch))


def batches(pictures: int, size: int, number: int) -> Iterator[Tensor]:
    """Rows (size,) of `number` batches, drawn with replacement."""
    for _ in range(number):
        yield torch.randint(pictures, (size,))


def move(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """A step down the loss; gradients are taken of the optimiser's own parameters and of no others."""
    parameters = optimiser.param_groups[0]["params"]
    slopes = torch.autograd.grad(loss, parameters, allow_unused=True)  # a net that grows does not use all of them yet
    for parameter, slope in zip(parameters, slopes, strict=True):
        parameter.grad = slope
    optimiser.step()


def adam(net: nn.Module, rate: float, betas: tuple[float, float]) -> torch.optim.Optimizer:
    """Adam for a net, whose channels are laid last: on a processor its convolutions are a fifth faster so."""
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return torch.optim.Adam(net.parameters(), rate, betas, fused=True)


def r1(scores: Tensor, at: Tensor) -> Tensor:
    """Mean of |grad|² at pictures (B, ...) that require a gradient, given their scores (B,)."""
    (slope,) = torch.autograd.grad(scores.sum(), at, create_graph=True)
    return slope.square().flatten(1).sum(dim=1).mean()


@torch.no_grad()
def follow(averaged: nn.Module, net: nn.Module, decay: float) -> None:
    """Move averaged weights, and statistics of batch norm, towards a net's: w <- decay w + (1 - decay) w'."""
    theirs = net.state_dict()
    for name, mine in averaged.state_dict().items():
        if mine.is_floating_point():
            mine.lerp_(theirs[name], 1 - decay)


class Match:
    """A generator, its average, a discriminator, and their optimisers."""

    decay = 0.98  # of the average, reached after some hundred steps

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        rate: float,
        betas: tuple[float, float] = (0.0, 0.99),
        gamma: float = 0.0,
    ) -> None:
        self.generator, self.discriminator, self.gamma = generator, discriminator, gamma
        self.movers = adam(generator, rate, betas), adam(discriminator, rate, betas)
        self.averaged = copy.deepcopy(generator).requires_grad_(False)
        self.count = 0

    def step(self, real: Tensor, generated: Tensor, score: Callable[[Tensor], Tensor]) -> tuple[float, float]:
        """Move both sides by a batch (B, 3, S, S) each; `score` gives (B,). The losses before it, generator's first."""
        penalised = self.gamma > 0 and self.count % EVERY == 0
        real = real.detach().requires_grad_(penalised)
        of_real = score(real)
        loss = F.softplus(-of_real).mean() + F.softplus(score(generated.detach())).mean()
        penalty = EVERY * self.gamma / 2 * r1(of_real, real) if penalised else 0.0
        move(self.movers[1], loss + penalty)
        fooled = F.softplus(-score(generated)).mean()
        move(self.movers[0], fooled)
        self.count += 1
        follow(self.averaged, self.generator, min(self.decay, (1 + self.count) / (10 + self.count)))
        return float(fooled.detach()), float(loss.detach())


def bounds(name: str, interval: tuple[float, float, float]) -> dict[str, float | bool]:
    """A measured value and its interval as three facts."""
    value, low, high = interval
    return {name: value, f"{name}, low": low, f"{name}, high": high}


def ratio(top: Floats, bottom: Floats, groups: Numbers, rng: np.random.Generator) -> tuple[float, float, float]:
    """sum(top) / sum(bottom) of values (N,) each, and its 95 % bootstrap interval, whole groups (N,) resampled.

    Sprites of one Pokemon are no independent samples, so Pokemon are drawn, with all their sprites.
    """
    _, group = np.unique(groups, return_inverse=True)
    sums = np.stack([np.bincount(group, each) for each in (top, bottom)])  # (2, groups)
    number = sums.shape[1]
    drawn = rng.multinomial(number, np.full(number, 1 / number), RESAMPLES)  # how often each group, (RESAMPLES, groups)
    above, below = drawn @ sums[0], drawn @ sums[1]
    low, high = np.percentile(above / np.where(below == 0, np.inf, below), [2.5, 97.5])
    return float(sums[0].sum() / sums[1].sum()), float(low), float(high)
