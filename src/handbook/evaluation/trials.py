"""Small trainings that a lab compares: on one thread, from a seed, and judged over seeds.

A lab keeps no model, and so needs none of the checkpoints, histories and devices of `training`, whose numbers cases are
made of: a change here trains no case again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from handbook.evaluation.report import Floats

if TYPE_CHECKING:
    from torch import Tensor, nn


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in one order, so that the same training has the same result; and small batches gain nothing from two."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fit(
    network: nn.Module, loss: Callable[[Tensor], Tensor], rows: int, *, steps: int, batch: int, rate: float, seed: int
) -> Floats:
    """Train a network in place by Adam, its rate falling to zero along half a cosine; the losses (steps,) on the way.

    `loss` is given the positions (B,) of a batch among so many rows and returns the mean loss on it. Every row is seen
    once before one is seen again, in an order that follows from the seed.
    """
    import torch

    draw = torch.Generator().manual_seed(seed)
    passes = [torch.randperm(rows, generator=draw) for _ in range(-(-steps * batch // rows))]
    adam = torch.optim.Adam(network.parameters(), lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    losses = []
    for chosen in torch.cat(passes)[: steps * batch].view(steps, batch):
        value = loss(chosen)
        adam.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        adam.step()
        schedule.step()
        losses.append(value.detach())
    return np.asarray(torch.stack(losses).double().numpy())


def share(hits: int, trials: int) -> tuple[float, float, float]:
    """A share of trials, and its 95 % interval (Wilson 1927), which holds near 0 and 1 too."""
    from scipy.stats import binomtest

    bounds = binomtest(hits, trials).proportion_ci(method="wilson")
    return hits / trials, float(bounds.low), float(bounds.high)
