"""What the constraints are worth in data: four networks that differ in one layer, on few garments (section 4.2.4).

All have 576 hidden values and one dense layer behind them; what makes the hidden values is

    dense            784 pixels to 576                                            451,584 weights
    local            4 maps of 12 x 12, each value its own 5 x 5 window            14,400
    convolution      the same windows, one kernel a map                               100
    and pooling      16 kernels of 5 x 5, maps of 24 x 24, max pooling of 4 x 4       400

The book calls such constraints inductive biases, which save data where they fit it. They are judged on garments that
lie as those to learn from do, and on the same ones moved by up to four pixels. Rotation and scaling (sections 3.3.1 and
4.6) are what no layer here is made for: they are learnt from pictures that were rotated and scaled.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data.subsets import plan_for
from handbook.evaluation.trials import fit, one_thread

if TYPE_CHECKING:
    from torch import Tensor, nn

    from handbook.data.images import LabelledImages

Array = npt.NDArray[Any]
SIDE, MAPS, KERNEL, HIDDEN, CLASSES = 28, 4, 5, 576, 10
KINDS = ("dense", "local", "convolution", "convolution and pooling")
# The best of 0.0005, 0.001, 0.002, 0.005 and 0.01 after 400 garments, by 2,000 others of the training part.
RATES = {"dense": 0.005, "local": 0.01, "convolution": 0.01, "convolution and pooling": 0.01}
# Garments to learn from, seeds of each trial, steps, and garments to be judged by; and of a drawn sample.
ALL, PART = ((100, 400, 1600), 4, 200, 2000), ((50, 200), 2, 20, 150)
BATCH = 32
POOL = 10_000  # garments that those to learn from are drawn from
SHIFT, TURN, SCALE = 4, 30.0, 0.25  # pixels, degrees and share of the size, each way at most
DISTORTIONS: dict[str, dict[str, float]] = {
    "as they are": {},
    "shifted": {"shift": SHIFT},
    "rotated": {"turn": TURN},
    "scaled": {"scale": SCALE},
    "all three": {"shift": SHIFT, "turn": TURN, "scale": SCALE},
}


@dataclass(frozen=True)
class Plan:
    """Pictures (28 x 28 bytes each) and labels (a byte each), how many to learn from, and the seeds of each trial."""

    pictures: bytes
    labels: bytes
    new: bytes
    answers: bytes
    sizes: tuple[int, ...]
    augmented: int  # pictures to learn from with distortions
    seeds: int
    steps: int

    @classmethod
    def of(cls, data: LabelledImages) -> Plan:
        """Up to 1,600 garments and four seeds; of a drawn sample fewer."""
        sizes, seeds, steps, test = plan_for(len(data.train_images), ALL, PART)
        known, new = (data.train_images, data.train_labels), (data.test_images, data.test_labels)
        pictures, labels = (part[:POOL].tobytes() for part in known)
        unseen, answers = (part[:test].tobytes() for part in new)
        return cls(pictures, labels, unseen, answers, sizes, sizes[1], seeds, steps)


def network(kind: str, seed: int) -> nn.Sequential:
    """A network from pictures (B, 1, 28, 28) to logits (B, 10)."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    first: dict[str, list[nn.Module]] = {
        "dense": [nn.Flatten(), nn.Linear(SIDE * SIDE, HIDDEN)],
        "local": [locally_connected()],
        "convolution": [nn.Conv2d(1, MAPS, KERNEL, stride=2), nn.Flatten()],
        "convolution and pooling": [nn.Conv2d(1, 4 * MAPS, KERNEL), nn.MaxPool2d(4), nn.Flatten()],
    }
    net = nn.Sequential(*first[kind], nn.ReLU(), nn.Linear(HIDDEN, CLASSES))
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]  # pools in half the time


def locally_connected() -> nn.Module:
    """A layer of 4 maps of 12 x 12 with windows of 5 x 5, two apart, and weights of its own at every place."""
    import torch
    from torch import nn

    class LocallyConnected(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            places, bound = HIDDEN // MAPS, 1 / KERNEL  # as torch draws a kernel of 5 x 5
            self.weight = nn.Parameter(torch.empty(MAPS, places, KERNEL * KERNEL).uniform_(-bound, bound))
            self.bias = nn.Parameter(torch.empty(MAPS, places).uniform_(-bound, bound))

        def forward(self, x: Tensor) -> Tensor:
            windows = nn.functional.unfold(x, KERNEL, stride=2)  # (B, 25, 144)
            return (torch.einsum("bkp,mpk->bmp", windows, self.weight) + self.bias).flatten(1)  # (B, 576)

    return LocallyConnected()


def distorted(x: Tensor, draw: Any, shift: float = 0, turn: float = 0, scale: float = 0) -> Tensor:
    """Pictures (B, 1, 28, 28), each moved by whole pixels, rotated and scaled at random, black coming in.

    At most by `shift` pixels each way, `turn` degrees either way, and to 1 − scale or 1 + scale of the size.
    """
    import torch
    from torch.nn import functional as F

    if not (shift or turn or scale):
        return x
    n = len(x)
    uniform = 2 * torch.rand(2, n, generator=draw) - 1
    angle, size = torch.deg2rad(turn * uniform[0]), 1 + scale * uniform[1]
    pixels = torch.randint(-int(shift), int(shift) + 1, (2, n), generator=draw)
    moves = pixels * (2 / SIDE)  # the grid's units: a picture is 2 wide
    cosine, sine = torch.cos(angle) / size, torch.sin(angle) / size
    rows = torch.stack([torch.stack([cosine, -sine, moves[0]], 1), torch.stack([sine, cosine, moves[1]], 1)], 1)
    return F.grid_sample(x, F.affine_grid(rows, list(x.shape), align_corners=False), align_corners=False)


def trained(
    plan: Plan, kind: str, n: int, seed: int, augmentation: str = "as they are", *, rate: float = 0.0
) -> nn.Module:
    """A network of that kind after Adam's steps on n pictures, both drawn by the seed."""
    import torch
    from torch.nn import functional as F

    pictures, labels = tensors(plan.pictures, plan.labels)
    chosen = torch.from_numpy(np.random.default_rng([seed, n]).permutation(len(labels))[:n])
    x, y, net = pictures[chosen], labels[chosen], network(kind, seed)
    draw, changes = torch.Generator().manual_seed(seed), DISTORTIONS[augmentation]

    def loss(rows: Tensor) -> Tensor:
        return F.cross_entropy(net(distorted(x[rows], draw, **changes)), y[rows])

    fit(net, loss, n, steps=plan.steps, batch=BATCH, rate=rate or RATES[kind], seed=seed)
    return net


@cache
def tensors(pictures: bytes, labels: bytes) -> tuple[Tensor, Tensor]:
    """Pictures (N, 1, 28, 28) of 0 to 1, so that what comes in at the rim is black, and labels (N,)."""
    import torch

    images = np.frombuffer(pictures, np.uint8).reshape(-1, 1, SIDE, SIDE).astype(np.float32) / 255
    return torch.from_numpy(images), torch.from_numpy(np.frombuffer(labels, np.uint8).astype(np.int64))


def accuracy(net: nn.Module, x: Tensor, y: Tensor) -> float:
    """Share of pictures (N, 1, 28, 28) named right."""
    import torch

    with torch.inference_mode():
        return float((net(x).argmax(dim=1) == y).double().mean())


@cache
def tests(plan: Plan) -> dict[str, Tensor]:
    """The pictures to be judged by, as they are and under each distortion, the same for all networks."""
    import torch

    new, _ = tensors(plan.new, plan.answers)
    return {name: distorted(new, torch.Generator().manual_seed(0), **changes) for name, changes in DISTORTIONS.items()}


@cache
def by_size(plan: Plan) -> dict[str, Array]:
    """Accuracies of each kind by size, seed, and on garments as they are and shifted: (sizes, seeds, 2)."""
    judged, (_, answers) = tests(plan), tensors(plan.new, plan.answers)
    found = {}
    with one_thread():
        for kind in KINDS:
            nets = [[trained(plan, kind, n, seed) for seed in range(plan.seeds)] for n in plan.sizes]
            found[kind] = np.array([
                [[accuracy(net, judged[name], answers) for name in ("as they are", "shifted")] for net in row]
                for row in nets
            ])  # fmt: skip
    return found


@cache
def by_augmentation(plan: Plan) -> Array:
    """Accuracies of the pooled convolution by what it learnt from, seed, and what it is judged on: (5, seeds, 5)."""
    judged, (_, answers) = tests(plan), tensors(plan.new, plan.answers)
    with one_thread():
        return np.array([
            [
                [accuracy(net, x, answers) for x in judged.values()]
                for net in (trained(plan, KINDS[-1], plan.augmented, seed, name) for seed in range(plan.seeds))
            ]
            for name in DISTORTIONS
        ])  # fmt: skip


def weights(kind: str) -> int:
    """Weights of the layer that differs, biases left out."""
    return sum(each.numel() for name, each in network(kind, 0)[:2].named_parameters() if "weight" in name)
