"""Training networks: what a page's network offers, and what trains it.

Lightning, which takes seconds to import, is loaded where a training begins.

One model trains on one thread of a processor, in float32. Two threads that share the sums of so small a step wait for
each other longer than one would work as soon as another process keeps a core busy; cases train side by side instead,
one a core, and no result depends on the number of cores. 16 bits are for accelerators, which have the instructions
everywhere; a processor without them takes ten times as long in bfloat16 as in float32, or refuses.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from handbook.training.batches import Batches
from handbook.training.run import Run

Recipe = tuple[torch.optim.Optimizer, Any]  # an optimiser, and a schedule that steps with it, or None
Move = Callable[[int, nn.Module, Tensor], None]  # the side, its network, and the loss that it is moved by


class Learner(Protocol):
    """What a page's network offers in order to be trained; `start_epoch(number)`, from 0, if it is there."""

    def training_step(self, batch: list[Tensor]) -> Tensor:
        """The loss of a batch, a mean over its samples."""
        ...

    def validation_step(self, batch: list[Tensor]) -> dict[str, Tensor]:
        """The loss of a held-out batch and what else is worth watching, means over its samples."""
        ...

    def recipe(self, steps: int) -> Recipe:
        """The optimiser, and its schedule over that many steps."""
        ...


class Player(Protocol):
    """What a pair of networks offers that train each other."""

    def play(self, batch: list[Tensor], step: int, steps: int, move: Move) -> dict[str, Tensor]:
        """Move both sides, `step` of `steps` from 0; returns the losses before, `loss` being the first side's."""
        ...

    def optimisers(self) -> list[torch.optim.Optimizer]:
        """One for each side."""
        ...


def train(
    model: Any,
    batches: Batches,
    validation: Batches | None,
    *,
    epochs: int,
    run: Run | None = None,
    clip: float = 0.0,
    patience: int = 0,
) -> int:
    """Fit a `Learner` or a `Player` for that many epochs, or for those that remain since its checkpoint.

    `clip` is the greatest length of the gradient (0: any). With `patience`, training ends when the held-out loss has
    not fallen for so many epochs, and the weights of the best epoch are put back. Returns the number of the epoch whose
    weights are kept, from 1. Leaves `model.history_` (a row an epoch) and `model.training_` (seconds, samples/s,
    device) on the model.
    """
    from handbook.training import loop

    with on_one_thread():
        return loop.fit(model, batches, validation, epochs=epochs, run=run or Run(), clip=clip, patience=patience)


@contextlib.contextmanager
def on_one_thread() -> Iterator[None]:
    """One thread for torch's own work: sums that are shared out have other last digits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def decayed(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Groups for an optimiser: matrices and kernels decay; nothing is gained by shrinking biases and scales."""
    parameters = list(module.parameters())
    return [
        {"params": [each for each in parameters if each.ndim > 1], "weight_decay": weight_decay},
        {"params": [each for each in parameters if each.ndim == 1], "weight_decay": 0.0},
    ]


def one_cycle(optimiser: torch.optim.Optimizer, steps: int, **shape: Any) -> Recipe:
    """The optimiser with its rate up over the first fifth of all steps, then down to zero (Smith and Topin 2018).

    `shape` changes what `OneCycleLR` is given.
    """
    given = {"pct_start": 0.2, "div_factor": 10, "cycle_momentum": False} | shape
    if given["pct_start"] * steps == 1:  # a rise of no length, by which torch would divide
        given["pct_start"] *= 1.001
    rate = optimiser.defaults["lr"]
    return optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, **given)
