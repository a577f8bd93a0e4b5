"""An epoch of LeNet on the 60,000 Fashion-MNIST pictures, one thread, the recipe of the case `lenet` four times over.

*bare* is a hand-written PyTorch loop over the same tensors; *ours* is `handbook.training` through Lightning, history
included; *DataLoader* shuffles a TensorDataset; *per sample* is the DataLoader with its picture transformed in
`__getitem__`, as tutorials do. Each is run in turn, five rounds, after one round to warm up; the table shows the median
and the spread of the rounds' ratios to *bare* in the same round. That *bare* and *ours* end at the same weights is held
by `tests/test_benchmarks.py`.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset

from handbook import datasets
from handbook.cases import lenet
from handbook.project import Project
from handbook.training.batches import Batches
from handbook.training.networks import train

SAMPLES, ROUNDS = 60_000, 5


class PerSample(Dataset[tuple[Tensor, Tensor]]):
    """Pictures mirrored and shifted one by one, as a loader's worker would."""

    def __init__(self, images: Tensor, labels: Tensor, shift: int) -> None:
        self.images, self.labels, self.shift = images, labels, shift

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        padded = F.pad(self.images[index], (self.shift,) * 4)
        down, right = torch.randint(0, 2 * self.shift + 1, (2,)).tolist()
        picture = padded[down : down + 28, right : right + 28]
        return (picture.flip(1) if torch.rand(()) < 0.5 else picture), self.labels[index]


def bare(
    params: lenet.Params, steps: int, batches: Callable[[], Iterable[Any]], prepare: Callable[[Tensor], Tensor]
) -> lenet.Model:
    """The loop that one writes by hand."""
    model = lenet.Model(params, [str(k) for k in range(10)])
    kernels, others = ([each for each in model.parameters() if (each.ndim > 1) == large] for large in (True, False))
    groups = [{"params": kernels, "weight_decay": params.weight_decay}, {"params": others, "weight_decay": 0.0}]
    sgd = torch.optim.SGD(groups, params.learning_rate, params.momentum, nesterov=True, fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        sgd, params.learning_rate, total_steps=steps, pct_start=0.2, div_factor=10, cycle_momentum=False
    )
    for images, labels in batches():
        sgd.zero_grad()
        F.cross_entropy(model(prepare(images)), labels, label_smoothing=params.label_smoothing).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), params.clip)
        sgd.step()
        cycle.step()
    return model


def ours(params: lenet.Params, images: Tensor, labels: Tensor) -> lenet.Model:
    model = lenet.Model(params, [str(k) for k in range(10)])
    prepare = lenet.augmentation(params)
    batches = Batches(images, labels, size=params.batch_size, seed=0, prepare=prepare)
    train(model, batches, None, epochs=1, clip=params.clip)
    return model


def parameters(project: Project) -> lenet.Params:
    """The case's parameters, for an epoch of its augmented ones."""
    params: lenet.Params = project.case("lenet").params
    return dataclasses.replace(params, epochs=1, plain_epochs=0)


def run() -> list[str]:
    """The table, a line a contender."""
    torch.set_num_threads(1)
    project = Project.here()
    params = parameters(project)
    data = datasets.page("fashion_mnist").load(project.data("fashion_mnist"))
    images = torch.from_numpy(data.train_images[:SAMPLES].copy())
    labels = torch.from_numpy(data.train_labels[:SAMPLES].astype(np.int64))
    prepare, steps = lenet.augmentation(params), -(-SAMPLES // params.batch_size)

    def whole(batch: Tensor) -> Tensor:
        return prepare(batch, 0)

    def permuted() -> Iterable[Any]:
        return ((images[part], labels[part]) for part in torch.split(torch.randperm(SAMPLES), params.batch_size))

    def loader(dataset: Dataset[Any]) -> Callable[[], Iterable[Any]]:
        return lambda: DataLoader(dataset, params.batch_size, shuffle=True)

    contenders: dict[str, Callable[[], object]] = {
        "bare": lambda: bare(params, steps, permuted, whole),
        "ours": lambda: ours(params, images, labels),
        "DataLoader": lambda: bare(params, steps, loader(TensorDataset(images, labels)), whole),
        "per sample": lambda: bare(params, steps, loader(PerSample(images, labels, params.shift)), lambda batch: batch),
    }
    return table(race(contenders), "bare")


def race(contenders: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Seconds of each contender in each round; they take turns, so that a slow minute hits all."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS + 1):
        for name, contender in contenders.items():
            start = time.perf_counter()
            contender()
            times[name].append(time.perf_counter() - start)
    return {name: seconds[1:] for name, seconds in times.items()}


def table(times: dict[str, list[float]], reference: str) -> list[str]:
    lines = [f"| | median seconds | × {reference}, median | lowest – highest |", "|---|---:|---:|---:|"]
    for name, seconds in times.items():
        ratios = [mine / theirs for mine, theirs in zip(seconds, times[reference], strict=True)]
        spread = f"{min(ratios):.2f} – {max(ratios):.2f}"
        lines.append(f"| {name} | {statistics.median(seconds):.2f} | **{statistics.median(ratios):.2f}** | {spread} |")
    return lines
