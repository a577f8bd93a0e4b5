"""The race on pictures: every rule trains LeNet's shapes on a small slice of Fashion-MNIST from the same start.

The network is that of section 3.13 (two convolutions with pooling, three dense layers, ReLU), built here on one flat
vector of 44,426 float64 weights. For this race alone torch computes the gradients; the steps are our rules' own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from handbook.data.subsets import Subset, plan_for
from handbook.evaluation.trials import one_thread
from handbook.labs.optimisers.descent import batches
from handbook.labs.optimisers.rules import RULES, Rule, Vector

if TYPE_CHECKING:
    from torch import Tensor

    from handbook.data.images import LabelledImages

SHAPES = ((6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,), (120, 256), (120,), (84, 120), (84,), (10, 84), (10,))
ALL, PART = (2048, 1000), (320, 200)  # pictures to train on, and new ones; and of a drawn sample
BATCH, PASSES = 32, 3
# The best of three to five rates around each rule's usual one, by the loss on this very slice at the end: a fair race
# asks for each at its best, and says nothing about new pictures.
RATES = {
    "descent": 0.1,
    "momentum": 0.05,
    "Nesterov": 0.05,
    "AdaGrad": 0.02,
    "RMSprop": 0.002,
    "Adadelta": 2.0,
    "Adam": 0.01,
    "AdamW": 0.005,
}


@dataclass(frozen=True)
class Lap:
    """A rule's losses (steps,), each on the batch before the step; at the end: loss on the slice, accuracy on new."""

    losses: Vector
    final: float
    accuracy: float

    def smooth(self, width: int = 24) -> Vector:
        """Means over the last `width` losses, (steps - width + 1,)."""
        return np.convolve(self.losses, np.full(width, 1 / width), mode="valid")


class Slice(Subset):
    """The first pictures and labels to train on, and those to be judged by."""

    @classmethod
    def of(cls, data: LabelledImages) -> Slice:
        return cls.first(data, *plan_for(len(data.train_images), ALL, PART))

    @property
    def steps(self) -> int:
        """So many batches are three passes."""
        return PASSES * len(self.labels) // BATCH


def weights(rng: np.random.Generator) -> Vector:
    """A start, (44426,): uniform within 1 / sqrt(inputs of a unit), biases too, as torch draws its layers."""
    parts, bound = [], 0.0
    for shape in SHAPES:
        bound = 1 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else bound  # a bias has its weights' bound
        parts.append(rng.uniform(-bound, bound, int(np.prod(shape))))
    return np.concatenate(parts)


def logits(theta: Tensor, pictures: Tensor) -> Tensor:
    """From pictures (B, 28, 28) in 0-1 to (B, 10)."""
    import torch
    from torch.nn import functional as F

    sizes = [int(np.prod(shape)) for shape in SHAPES]
    w = [part.view(shape) for part, shape in zip(torch.split(theta, sizes), SHAPES, strict=True)]
    h = F.relu(F.max_pool2d(F.conv2d(pictures.unsqueeze(1), w[0], w[1]), 2))  # (B, 6, 12, 12)
    h = F.relu(F.max_pool2d(F.conv2d(h, w[2], w[3]), 2))  # (B, 16, 4, 4)
    h = F.relu(F.linear(h.flatten(1), w[4], w[5]))  # (B, 120)
    return F.linear(F.relu(F.linear(h, w[6], w[7])), w[8], w[9])


def loss(theta: Vector, pictures: Tensor, labels: Tensor) -> tuple[float, Vector]:
    """Cross-entropy in nats of weights (44426,), and its gradient (44426,)."""
    import torch

    leaf = torch.from_numpy(theta).requires_grad_()
    value = torch.nn.functional.cross_entropy(logits(leaf, pictures), labels)
    (g,) = torch.autograd.grad(value, leaf)
    return float(value.detach()), g.numpy()


def lap(data: Slice, rule: Rule, steps: int | None = None, seed: int = 0) -> Lap:
    """Train on the slice with a rule; weights and batches follow from the seed, so they are the same for every rule."""
    import torch

    rng = np.random.default_rng(seed)
    pictures, labels = _tensors(data.pictures, data.labels)
    new, answers = _tensors(data.new, data.answers)
    theta, losses = weights(rng), []
    with one_thread():
        for _, rows in zip(range(steps or data.steps), batches(len(labels), BATCH, rng), strict=False):
            value, g = loss(theta, pictures[rows], labels[rows])
            losses.append(value)
            theta = rule.step(theta, g)
        with torch.inference_mode():
            end = torch.from_numpy(theta)
            final = float(torch.nn.functional.cross_entropy(logits(end, pictures), labels))
            right = logits(end, new).argmax(dim=1) == answers
    return Lap(np.asarray(losses), final, float(right.double().mean()))


def _tensors(pictures: bytes, labels: bytes) -> tuple[Tensor, Tensor]:
    import torch

    images = np.frombuffer(pictures, np.uint8).reshape(-1, 28, 28)
    return torch.from_numpy(images / 255), torch.from_numpy(np.frombuffer(labels, np.uint8).astype(np.int64))


@cache
def race(data: Slice) -> dict[str, Lap]:
    """All rules, each at its rate; run once for the same bytes, because figures and checks both want it."""
    return {name: lap(data, RULES[name](eta)) for name, eta in RATES.items()}
