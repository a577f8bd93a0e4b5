"""The network of section 4.3, what it learns from, and what it is held against.

as listed        3 @ 32 x 32 -> 16 @ 32 x 32 -> 32 @ 32 x 32 -> 128 -> 10       4,200,624 weights, nearly all dense
with pooling     the same, a max pooling of 2 x 2 after each convolution          268,464
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data.subsets import plan_for
from handbook.errors import HandbookError
from handbook.evaluation.trials import fit, one_thread

if TYPE_CHECKING:
    from torch import Tensor, nn

    from handbook.data.sprites import Sprites

Array = npt.NDArray[Any]
SIDE, ANSWERS = 32, 10
INPUTS = {"as listed": 32 * 32 * 32, "with pooling": 32 * 8 * 8}
TRAIN, SAMPLE, PASSES, BATCH, RATE = 4000, 160, 2, 32, 0.001  # sprites; and of a drawn sample
SEEDS = {"as listed": 1, "with pooling": 2, "with pooling, grey": 2}  # of the first, a training takes most of the time
JUDGED, RESAMPLES = 256, 1000


@dataclass(frozen=True)
class Games:
    """Sprites of 32 x 32 x 3 bytes and the numbers of their games, to learn from and to be judged by."""

    pictures: bytes
    games: bytes
    new: bytes
    answers: bytes
    dex: tuple[int, ...]  # of each test sprite
    ambiguous: int  # test sprites whose picture is in several games
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.games)

    @property
    def tested(self) -> int:
        return len(self.answers)

    @classmethod
    def of(cls, data: Sprites) -> Games:
        """All of the held-out Pokemon's sprites to be judged by, and some thousand others to learn from."""
        names = np.unique(data.game)
        if len(names) > ANSWERS:
            raise HandbookError(f"the network has {ANSWERS} answers, found {len(names)} games: {', '.join(names)}")
        most = plan_for(len(data.part), TRAIN, SAMPLE)
        chosen = np.random.default_rng(0).permutation(np.flatnonzero(data.part == "train"))[:most]
        tested = np.flatnonzero(data.part == "held out")
        known, place = np.unique(data.digest, return_inverse=True)
        spread = np.zeros((len(known), len(names)), bool)
        spread[place, np.searchsorted(names, data.game)] = True
        numbers = np.searchsorted(names, data.game).astype(np.uint8)
        return cls(
            halved(data.images[np.sort(chosen)]).tobytes(), numbers[np.sort(chosen)].tobytes(),
            halved(data.images[tested]).tobytes(), numbers[tested].tobytes(),
            tuple(data.dex[tested].tolist()), int((spread.sum(axis=1)[place[tested]] > 1).sum()), tuple(names.tolist()),
        )  # fmt: skip

    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """Pictures (N, 32, 32, 3) of bytes and games (N,), those to learn from and those to be judged by."""
        found = [np.frombuffer(each, np.uint8) for each in (self.pictures, self.games, self.new, self.answers)]
        shape = (-1, SIDE, SIDE, 3)
        return found[0].reshape(shape), found[1].astype(np.int64), found[2].reshape(shape), found[3].astype(np.int64)


@dataclass(frozen=True)
class Results:
    """By model: of each test sprite how often it was named right over the seeds, (N,); weights; the last networks."""

    right: dict[str, Array]
    weights: dict[str, int]
    nets: dict[str, Any]
    predicted: dict[str, Array]


def halved(images: Array) -> Array:
    """Sprites (N, 64, 64, 3) as (N, 32, 32, 3), four pixels' mean for each."""
    blocks = np.asarray(images).reshape(len(images), SIDE, 2, SIDE, 2, 3)
    return np.asarray(blocks.mean(axis=(2, 4), dtype=np.float32).round().astype(np.uint8))


def network(pooling: bool, seed: int) -> nn.Module:
    """From pictures (B, 3, 32, 32) to logits (B, 10)."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    pool: list[nn.Module] = [nn.MaxPool2d(2)] if pooling else []
    inputs = INPUTS["with pooling" if pooling else "as listed"]
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), *pool,   # (B, 16, 32, 32), halved by pooling
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), *pool,  # (B, 32, 32, 32), or (B, 32, 8, 8)
        nn.Flatten(), nn.Linear(inputs, 128), nn.ReLU(), nn.Linear(128, ANSWERS),
    )  # fmt: skip


def tensor(pictures: Array, grey: bool = False) -> Tensor:
    """Pictures (N, 32, 32, 3) of bytes as (N, 3, 32, 32), white 0 and black 1; grey: all channels their mean."""
    import torch

    x = 1 - torch.from_numpy(pictures.astype(np.float32)).permute(0, 3, 1, 2) / 255
    return x.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1).contiguous() if grey else x.contiguous()


def trained(x: Tensor, games: Array, pooling: bool, seed: int) -> nn.Module:
    """A network after two passes over the sprites (N, 3, 32, 32)."""
    import torch
    from torch.nn import functional as F

    net, labels = network(pooling, seed), torch.from_numpy(games)
    steps = max(1, PASSES * len(x) // BATCH)
    fit(net, lambda rows: F.cross_entropy(net(x[rows]), labels[rows]), len(x), steps=steps, batch=BATCH, rate=RATE,
        seed=seed)  # fmt: skip
    return net


def named(net: nn.Module, x: Tensor) -> Array:
    """The games (N,) that a network names for pictures (N, 3, 32, 32)."""
    import torch

    with torch.inference_mode():
        return np.asarray(torch.cat([net(part).argmax(dim=1) for part in torch.split(x, JUDGED)]).numpy())


@cache
def results(shown: Games) -> Results:
    """All models, trained and judged once for the same sprites."""
    from sklearn.linear_model import RidgeClassifier

    pictures, games, new, answers = shown.arrays()
    commonest = np.bincount(games).argmax()
    linear = RidgeClassifier(alpha=100.0).fit(_thumbs(pictures), games)
    predicted: dict[str, Array] = {
        "commonest game": np.full(len(answers), commonest),
        "linear on 16 x 16 pixels": linear.predict(_thumbs(new)),
    }
    right = {name: (each == answers).astype(float) for name, each in predicted.items()}
    nets: dict[str, Any] = {}
    with one_thread():
        for name, seeds in SEEDS.items():
            x, x_new = (tensor(each, "grey" in name) for each in (pictures, new))
            found = []
            for seed in range(seeds):
                nets[name] = trained(x, games, "pooling" in name, seed)
                found.append(named(nets[name], x_new))
            predicted[name] = found[-1]
            right[name] = np.mean([each == answers for each in found], axis=0)
    weights = {name: sum(each.numel() for each in net.parameters() if each.ndim > 1) for name, net in nets.items()}
    return Results(right, weights, nets, predicted)


def _thumbs(pictures: Array) -> Array:
    """(N, 32, 32, 3) as (N, 768), white 0: few enough numbers for a linear model to be solved at once."""
    blocks = pictures.reshape(len(pictures), SIDE // 2, 2, SIDE // 2, 2, 3)
    return np.asarray(1 - blocks.mean(axis=(2, 4), dtype=np.float32).reshape(len(pictures), -1) / 255)


def interval(values: Array, shown: Games) -> tuple[float, float, float]:
    """The mean of values of test sprites (N,), and its 95 % bootstrap interval, Pokemon drawn and not sprites."""
    _, place = np.unique(shown.dex, return_inverse=True)
    sums, counts = np.bincount(place, values), np.bincount(place).astype(float)
    draws = np.random.default_rng(0).integers(0, len(sums), (RESAMPLES, len(sums)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)
