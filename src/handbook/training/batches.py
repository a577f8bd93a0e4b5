"""Batches cut from tensors that lie on the device already, and the split into a training and a held-out part."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from handbook.data.images import Pictures
from handbook.data.split import RowsPart
from handbook.training.run import device, processes

P = TypeVar("P", bound=RowsPart)


class Batches:
    """Batches cut from tensors that lie on the device already; no worker, no copy, no per-sample Python.

    With a seed, every epoch's order, and all randomness of its augmentation and dropout, follow from (seed, epoch)
    alone: a run that resumes at epoch 7 sees the epoch 7 that an unbroken run sees. Of several processes each takes its
    share of every such batch, so that together they see what one would.
    """

    def __init__(
        self,
        *tensors: Tensor,
        size: int,
        seed: int | None = None,
        prepare: Callable[[Tensor, int], Tensor] | None = None,
    ) -> None:
        """`prepare` is handed the first tensor of each batch and the number of the epoch, from 0."""
        self.tensors, self.size, self.seed, self.prepare = tensors, size, seed, prepare
        self.epoch = 0
        self.batch_sampler = None  # where Lightning looks before it looks at `sampler`

    @property
    def sampler(self) -> Batches:
        """Where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    @property
    def samples(self) -> int:
        return len(self.tensors[0])

    def __len__(self) -> int:
        return math.ceil(self.samples / self.size)

    def __iter__(self) -> Iterator[list[Tensor]]:
        for chosen in torch.split(self._order(), self.size):
            first, *rest = (tensor.index_select(0, chosen) for tensor in self.tensors)  # a tenth of what [] costs
            batch = [self.prepare(first, self.epoch) if self.prepare else first, *rest]
            yield batch if self.seed is None or processes() == 1 else _share(batch)

    def _order(self) -> Tensor:
        where = self.tensors[0].device
        if self.seed is None:
            return torch.arange(self.samples, device=where)
        torch.manual_seed(self.seed * 1_000_003 + self.epoch)
        return torch.randperm(self.samples, device=where)


def _share(batch: list[Tensor]) -> list[Tensor]:
    """This process's part of a batch; a last batch smaller than the number of processes is seen whole by all."""
    rank, world = int(os.environ["RANK"]), processes()
    return batch if len(batch[0]) < world else [each[rank::world] for each in batch]


def split(samples: int, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Indices of the training part and of the held-out share, drawn once from the seed."""
    order = torch.randperm(samples, generator=torch.Generator().manual_seed(seed))
    held_out = round(samples * share)
    return order[held_out:], order[:held_out]


def held_out(part: P, share: float, seed: int) -> tuple[P, P | None]:
    """The part without a share of its rows, drawn by the seed, and that share, None if no row is in it."""
    kept, watched = (each.numpy() for each in split(len(part), share, seed))
    return part.take(kept), part.take(watched) if len(watched) else None


def tensors(pictures: Pictures) -> tuple[Tensor, Tensor]:
    """Images (N, 28, 28) uint8 and labels (N,) int64 on the device."""
    images = torch.from_numpy(np.require(pictures.images, requirements="W"))  # copied only if read-only
    return images.to(device()), torch.from_numpy(pictures.labels.astype(np.int64)).to(device())
