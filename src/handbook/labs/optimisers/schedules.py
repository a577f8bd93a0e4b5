"""Learning-rate schedules (section 3.13): the rate as a function of the step.

A schedule is a function from the number t of steps taken to the rate of the next; `plateau` looks at the losses too and
so has a memory. Each agrees with its namesake in torch.optim.lr_scheduler at every step.

    decay         eta / (1 + k t)                                     LambdaLR
    step          eta gamma^floor(t / every)                          StepLR
    exponential   eta gamma^t                                         ExponentialLR
    cosine        low + (eta - low)(1 + cos(pi t / T)) / 2            CosineAnnealingLR (Loshchilov and Hutter 2017)
    one-cycle     up along a cosine to eta, then down to zero       OneCycleLR (Smith and Topin 2018)
    warm-up       eta (first + (1 - first) t / T), then eta           LinearLR (Goyal et al. 2017)
    plateau       times gamma when the loss has stopped falling       ReduceLROnPlateau

Where the book is wrong: it describes warm-up as a *higher* rate at first. It is a lower one: far from the minimum the
ground is steep, the moments of an adaptive rule are guesses, and a full rate throws the weights away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

Schedule = Callable[[int], float]


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"a schedule's {name} must be more than zero, found {value}")


def constant(eta: float) -> Schedule:
    """The same rate for ever."""
    _positive(eta=eta)
    return lambda t: eta


def decay(eta: float, k: float) -> Schedule:
    """Halved after 1/k steps, a third after 2/k (Robbins and Monro 1951: its sum diverges, that of its squares not)."""
    _positive(eta=eta, k=k)
    return lambda t: eta / (1 + k * t)


def step(eta: float, every: int, gamma: float = 0.1) -> Schedule:
    """A fall by gamma after each `every` steps."""
    _positive(eta=eta, every=every, gamma=gamma)
    return lambda t: float(eta * gamma ** (t // every))


def exponential(eta: float, gamma: float) -> Schedule:
    """A fall by gamma at each step."""
    _positive(eta=eta, gamma=gamma)
    return lambda t: float(eta * gamma**t)


def cosine(eta: float, total: int, low: float = 0.0) -> Schedule:
    """Half a cosine from eta to low in `total` steps; beyond, it rises again, as torch's does."""
    _positive(eta=eta, total=total)
    return lambda t: float(low + (eta - low) * (1 + np.cos(np.pi * t / total)) / 2)


def one_cycle(eta: float, total: int, rise: float = 0.3, first: float = 1 / 25, last: float = 1e-4) -> Schedule:
    """From eta·first up to eta in the share `rise` of all steps, then down to eta·first·last; t must be below total."""
    _positive(eta=eta, rise=rise, first=first, last=last)
    if rise >= 1 or rise * total <= 1:
        raise ValueError(
            f"one_cycle: rise must be a share of {total} steps that is more than one of them, found {rise}"
        )
    peak = rise * total - 1

    def rate(t: int) -> float:
        if not 0 <= t < total:
            raise ValueError(f"one_cycle: there are {total} steps, 0 to {total - 1}; step {t} is not among them")
        if t <= peak:
            return _glide(eta * first, eta, t / peak)
        return _glide(eta, eta * first * last, (t - peak) / (total - 1 - peak))

    return rate


def _glide(start: float, end: float, share: float) -> float:
    return float(end + (start - end) * (1 + np.cos(np.pi * share)) / 2)


def warm_up(eta: float, total: int, first: float = 1 / 3, then: Schedule | None = None) -> Schedule:
    """In a straight line from eta·first to eta in `total` steps; from there on constant, or another schedule from 0."""
    _positive(eta=eta, total=total, first=first)
    if first > 1:
        raise ValueError(
            f"warm_up: first must be at most 1, found {first}; a warm-up starts low, whatever the book says"
        )
    after = then or constant(eta)
    return lambda t: eta * (first + (1 - first) * t / total) if t < total else after(t - total)


@dataclass
class Plateau:
    """The rate falls by gamma when more than `patience` losses on end were not below the best by a share `margin`."""

    eta: float
    gamma: float = 0.1
    patience: int = 10
    margin: float = 1e-4
    low: float = 0.0
    best: float = field(default=np.inf, init=False)
    bad: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        _positive(eta=self.eta, gamma=self.gamma)
        if self.gamma >= 1:
            raise ValueError(f"Plateau: gamma must be below 1, found {self.gamma}; 0.1 is usual")

    def see(self, loss: float) -> float:
        """The rate after a loss."""
        if loss < self.best * (1 - self.margin):
            self.best, self.bad = loss, 0
        else:
            self.bad += 1
        if self.bad > self.patience:
            lower = max(self.eta * self.gamma, self.low)
            # torch leaves the rate alone where the fall would be lost in rounding
            self.eta, self.bad = (lower if self.eta - lower > 1e-8 else self.eta), 0
        return self.eta
