"""Recurrent networks that forecast: how a series is handed to them, trained, and left to their own forecasts.

A network learns from windows of its series to name the next value at every step. It is handed the values themselves, or
their change over a lag (a month, a year), either way with mean 0 and deviation 1 by the part to learn from. What it
names is put back the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from handbook.evaluation.trials import one_thread
from handbook.labs.forecasting.series import Array

WIDTH, WINDOW, BATCH, UPDATES, RATE = 12, 24, 12, 150, 0.01
HELD, LOOK = 24, 10  # values that training is stopped by, and the updates between two looks at them
CLIP = 1.0  # greatest length of a network's gradient (Pascanu et al. 2013)


@dataclass(frozen=True)
class Handed:
    """How series are handed in: changes over so many months, or at 0 the values themselves; centred and scaled."""

    lag: int
    centre: Array  # (S, 1)
    spread: Array  # (S, 1)

    @classmethod
    def of(cls, past: Array, lag: int) -> Handed:
        """By the part (S, T) to learn from."""
        values = _changes(past, lag)
        return cls(lag, values.mean(axis=1, keepdims=True), values.std(axis=1, keepdims=True))

    def __call__(self, values: Array) -> Array:
        """Series (S, T) to what networks see, (S, T - lag)."""
        return np.asarray((_changes(values, self.lag) - self.centre) / self.spread)

    def back(self, named: Array, history: Array) -> Array:
        """What networks named (S, O, h) to values, after histories (S, O, at least lag)."""
        changes = named * self.spread[:, :, None] + self.centre[:, :, None]
        if not self.lag:
            return np.asarray(changes)
        known = list(np.moveaxis(history[:, :, -self.lag :], 2, 0))
        for change in np.moveaxis(changes, 2, 0):
            known.append(known[-self.lag] + change)
        return np.stack(known[self.lag :], axis=2)


def _changes(values: Array, lag: int) -> Array:
    return np.asarray(values[:, lag:] - values[:, :-lag] if lag else values)


class Trained(NamedTuple):
    """Networks, how they are handed series, and their mean square error in training, a value an update (UPDATES, S)."""

    cell: str
    weights: tuple[Array, ...]
    handed: Handed
    losses: Array


def train(cell: str, past: Array, lag: int, seed: int, updates: int = UPDATES) -> Trained:
    """A network for each series (S, T), on windows drawn at random, the same places for all.

    The last HELD values of a long series are not learnt from: the weights kept are those that named them best. A short
    one is learnt from whole, to the end.
    """
    import torch

    from handbook.labs.forecasting import cells

    handed = Handed.of(past, lag)
    values = torch.from_numpy(handed(past)).float()
    window, total = min(WINDOW, values.shape[1] - 1), values.shape[1]
    held = HELD if total > HELD + 2 * window else 0
    places, rng = total - held - window, np.random.default_rng([55, seed])
    losses, least = np.empty((updates, len(past))), torch.full((len(past), 1, 1), torch.inf)
    with one_thread():
        w = cells.Weights(*(each.requires_grad_() for each in cells.draw(cell, len(past), WIDTH, seed)))
        optimiser, best = torch.optim.Adam(w, RATE, fused=True), cells.Weights(*(each.detach().clone() for each in w))
        for update in range(updates):
            first = torch.from_numpy(rng.integers(0, places, min(BATCH, places)))
            rows = values[:, first[:, None] + torch.arange(window + 1)]  # (S, B, window + 1)
            named, _ = cells.read(cell, w, rows[:, :, :-1])
            by_network = (named - rows[:, :, 1:]).square().mean(dim=(1, 2))
            optimiser.zero_grad()
            # networks share nothing, so the gradient of the sum is each one's own
            by_network.sum().backward()  # type: ignore[no-untyped-call]
            _clip(w)
            optimiser.step()
            losses[update] = by_network.detach().numpy()
            if held and (update + 1) % LOOK == 0:
                error = _held_out(cell, w, values[:, total - held - window :], held)
                best = cells.Weights(*(torch.where(error < least, new, old) for new, old in zip(w, best, strict=True)))
                least = torch.minimum(error, least)
    return Trained(cell, tuple(each.detach().numpy() for each in (best if held else w)), handed, losses)


def _held_out(cell: str, w: Any, values: Any, held: int) -> Any:
    """Mean square error (S, 1, 1) of naming the last values of (S, T), the ones before read first."""
    import torch

    from handbook.labs.forecasting import cells

    with torch.no_grad():
        named, _ = cells.read(cell, w, values[:, None, :-1])
        return (named[:, :, -held:] - values[:, None, -held:]).square().mean(dim=2, keepdim=True)


def _clip(weights: tuple[object, ...]) -> None:
    """Each network's gradient to a length of CLIP at most."""
    import torch

    gradients = [each.grad for each in weights if isinstance(each, torch.Tensor) and each.grad is not None]
    length = torch.stack([g.square().sum(dim=(1, 2)) for g in gradients]).sum(dim=0).sqrt()
    share = (CLIP / length.clamp_min(1e-12)).clamp_max(1.0)[:, None, None]
    for gradient in gradients:
        gradient.mul_(share)


def forecast(trained: Trained, histories: Array, steps: int) -> Array:
    """What comes next after histories (S, O, T), so many values (S, O, steps); read are the last WINDOW values."""
    import torch

    from handbook.labs.forecasting import cells

    series, origins, _ = histories.shape
    flat = histories[:, :, -(WINDOW + trained.handed.lag) :]
    seen = np.stack([trained.handed(flat[:, k]) for k in range(origins)], axis=1)  # (S, O, WINDOW)
    w, found = cells.Weights(*map(torch.from_numpy, trained.weights)), np.empty((series, origins, steps))
    with one_thread(), torch.inference_mode():
        named, state = cells.read(trained.cell, w, torch.from_numpy(seen).float())
        value = named[:, :, -1:]
        for step in range(steps):
            found[:, :, step] = value[:, :, 0].numpy()
            if step + 1 < steps:
                value, state = cells.read(trained.cell, w, value, state)
    return trained.handed.back(found, histories)


def gates(trained: Trained, values: Array, network: int = 0) -> dict[str, Array]:
    """The gates and states (T - lag, WIDTH) of one of the networks as it reads its series, of series (S, T)."""
    import torch

    from handbook.labs.forecasting import cells

    w = cells.Weights(*(torch.from_numpy(each[network : network + 1]) for each in trained.weights))
    seen = torch.from_numpy(trained.handed(values)[network][None, None]).float()
    with one_thread(), torch.inference_mode():
        read = [found for _, found in cells.steps(trained.cell, w, seen)]
    return {name: torch.stack([each[name][0, 0] for each in read]).numpy() for name in read[0]}
