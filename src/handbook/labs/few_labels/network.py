"""A network of LeNet's shape (LeCun, Bottou, Bengio and Haffner 1998), and how it is trained.

28 x 28 -> 6 @ 12 x 12 -> 16 @ 4 x 4 -> 120 -> 84 features -> 10 classes
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from handbook.labs.few_labels.pictures import CLASSES, Array

BATCH = 32
Loss = Callable[[Tensor, Tensor], Tensor]  # logits (B, 10) and labels (B,) to their mean loss


class _ChannelsLast(nn.Module):
    """Pictures (B, H, W, C) as (B, C, H, W) without moving a byte: pooling takes half as long so."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 3, 1, 2)


class Network(nn.Module):
    """Standardised pictures (B, 784) in, logits (B, 10) out."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels = nn.Sequential(
            nn.Unflatten(1, (28, 28, 1)), _ChannelsLast(),
            nn.Conv2d(1, 6, 5), nn.MaxPool2d(2), nn.ReLU(),  # (B, 6, 12, 12)
            nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(),  # (B, 16, 4, 4) -> (B, 256)
        )  # fmt: skip
        self.dense = nn.Sequential(nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU())
        self.head = nn.Linear(84, CLASSES)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.dense(self.kernels(x)))
        return logits

    @torch.inference_mode()
    def features(self, x: Array) -> tuple[Array, Array]:
        """What the kernels find (N, 256), and the values (N, 84) that the head decides by."""
        found = self.kernels(torch.from_numpy(x))
        return np.asarray(found), np.asarray(self.dense(found))

    @torch.inference_mode()
    def named(self, x: Array) -> Array:
        """The likeliest class of each picture, (N,)."""
        return np.asarray(self(torch.from_numpy(x)).argmax(dim=1))


def start(seed: int, like: Network | None = None, *, kernels_alone: bool = False) -> Network:
    """Random weights by the seed; with `like`, all of a trained network but its head, or its kernels alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = Network()
    if like is not None:
        net.kernels = copy.deepcopy(like.kernels)
        net.dense = net.dense if kernels_alone else copy.deepcopy(like.dense)
    return net


def train(net: Network, x: Array, labels: Array, loss: Loss, *, steps: int, rate: float, seed: int) -> Network:
    """That many steps of Adam (Kingma and Ba 2015) on shuffled batches of 32; the rate falls as a cosine to zero."""
    adam = torch.optim.Adam(net.parameters(), rate, fused=True)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    pictures, answers = torch.from_numpy(x), torch.from_numpy(labels)
    for rows in batches(len(labels), steps, np.random.default_rng(seed)):
        adam.zero_grad()
        loss(net(pictures[rows]), answers[rows]).backward()  # type: ignore[no-untyped-call]
        adam.step()
        falling.step()
    return net


def batches(rows: int, steps: int, rng: np.random.Generator) -> Iterator[Tensor]:
    """Row numbers for that many steps: pass after pass over all rows, each in a new order, none left out."""
    size = min(BATCH, rows)
    passes = -(-steps * size // rows)
    order = torch.from_numpy(np.concatenate([rng.permutation(rows) for _ in range(passes)]))
    yield from torch.split(order[: steps * size], size)
