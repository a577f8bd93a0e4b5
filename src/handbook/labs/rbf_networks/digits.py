"""Several classes (7.1): handwritten digits, ten outputs, softmax; and digits of a kind never seen, by activation.

28 x 28 pixels as means of 2 x 2, so that a centre is a picture of 14 x 14. From k-means centres the ten outputs are
solved for at once, by least squares on one-hot targets; then centres, widths and weights all follow the gradient of
the cross-entropy. A perceptron with as many units has as many parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from handbook.data.subsets import plan_for
from handbook.labs.rbf_networks.descent import (
    MLP,
    RBF,
    Kind,
    Parts,
    adam,
    around,
    cross_entropy,
    drawn,
    last,
    outputs,
    perceptrons,
)
from handbook.labs.rbf_networks.network import Array, activations, kmeans, least_squares, spacing, squared, with_bias

if TYPE_CHECKING:
    from handbook.data.images import LabelledImages

CLASSES, SIDE = 10, 14
UNITS, BATCH = 100, 100
ROWS, SEEDS, TEST = (100, 300, 1000), 3, 1000
# Updates of networks that learn ten digits, and nine; and of a drawn sample.
ALL, PART = (400, 150), (60, 30)
POOL = 3000  # pictures that training rows are drawn from; all of MNIST would be 60,000
ALPHA = 1e-2
# The best of 0.001, 0.003 and 0.01 for each, from 1,000 rows of the pool, by its last 1,500.
RATES = {"RBF": 0.003, "MLP": 0.001}
TIMES = 2.0  # widths by the spacing of the centres: in 196 dimensions all rows are far from each other
NOVEL_ROWS = 1000


@dataclass(frozen=True)
class Digits:
    """The first pictures (N, 196 bytes) and labels (N bytes), to learn from and to be judged by."""

    pictures: bytes
    labels: bytes
    new: bytes
    answers: bytes
    updates: tuple[int, int]  # of networks that learn ten digits, and nine

    @classmethod
    def of(cls, data: LabelledImages) -> Digits:
        parts: list[bytes] = []
        for images, labels, most in (
            (data.train_images, data.train_labels, POOL),
            (data.test_images, data.test_labels, TEST),
        ):
            pooled = images[:most].reshape(-1, SIDE, 2, SIDE, 2).mean(axis=(2, 4)).round().astype(np.uint8)
            parts += [pooled.tobytes(), labels[:most].astype(np.uint8).tobytes()]
        known, called, new, answers = parts
        updates = plan_for(len(data.train_images), ALL, PART)
        return cls(pictures=known, labels=called, new=new, answers=answers, updates=updates)

    def train(self) -> tuple[Array, Array]:
        """Pictures (N, 196) of 0-1 and labels (N,)."""
        return _rows(self.pictures), np.frombuffer(self.labels, np.uint8)

    def test(self) -> tuple[Array, Array]:
        """The same, of those that no network learns from."""
        return _rows(self.new), np.frombuffer(self.answers, np.uint8)


def _rows(pictures: bytes) -> Array:
    # 32 bits are enough for pictures of 8, and twice as fast
    return np.asarray(np.frombuffer(pictures, np.uint8).reshape(-1, SIDE * SIDE) / np.float32(255))


def one_hot(labels: Array) -> Array:
    return np.eye(CLASSES, dtype=np.float32)[labels]


class Learnt(NamedTuple):
    """Networks learnt from the same rows: two stages; then the gradient; a perceptron."""

    solved: Parts
    descended: Parts
    perceptron: Parts


def learn(x: Array, labels: Array, rng: np.random.Generator, updates: int, units: int = UNITS) -> Learnt:
    """From pictures (N, 196) and labels (N,)."""
    units, targets = min(units, len(x) // 2), one_hot(labels)
    solved = two_stages(x, targets, units, rng)
    fresh = Parts(*(part.astype(np.float32) for part in perceptrons(1, x.shape[1], units, CLASSES, rng)))
    ended = {}
    for name, kind, parts in (("RBF", RBF, solved), ("MLP", MLP, fresh)):
        batches = drawn(x, targets, updates, BATCH, rng)
        ended[name] = last(adam(kind, parts, batches, cross_entropy, RATES[name]))
    return Learnt(solved, ended["RBF"], ended["MLP"])


def two_stages(x: Array, targets: Array, units: int, rng: np.random.Generator) -> Parts:
    """Centres by k-means, one width, outputs by least squares."""
    centres = kmeans(x, units, rng)
    width = TIMES * spacing(centres)
    weights = least_squares(activations(x, centres, width), targets, ALPHA)
    return around(centres, width, weights[None].astype(np.float32))


class Classes(NamedTuple):
    """Shares of new digits that are named rightly, (ROWS, SEEDS), by method; one of the networks to look at."""

    accuracy: dict[str, Array]
    shown: Learnt
    alike: tuple[float, ...]  # mean correlation of the units of each with the row that they are most like


@cache
def classes(data: Digits) -> Classes:
    """All methods on the same rows, for each number of rows and draw."""
    (x, labels), (new, answers) = data.train(), data.test()
    accuracy: dict[str, Array] = {}
    for i, number in enumerate(ROWS):
        for seed in range(SEEDS):
            rng = np.random.default_rng([10, i, seed])
            rows = rng.permutation(len(x))[:number]
            learnt = learn(x[rows], labels[rows], rng, data.updates[0])
            for name, found in _named(learnt, x[rows], labels[rows], new).items():
                accuracy.setdefault(name, np.empty((len(ROWS), SEEDS)))[i, seed] = (found == answers).mean()
    return Classes(accuracy, learnt, tuple(likeness(parts, x[rows]) for parts in learnt))


def _named(learnt: Learnt, x: Array, labels: Array, new: Array) -> dict[str, Array]:
    """The classes (N,) that each method gives new pictures (N, 196)."""
    return {
        "RBF, k-means and least squares": outputs(RBF, learnt.solved, new)[0].argmax(axis=1),
        "RBF, all by gradient": outputs(RBF, learnt.descended, new)[0].argmax(axis=1),
        "MLP": outputs(MLP, learnt.perceptron, new)[0].argmax(axis=1),
        "linear least squares": (with_bias(new) @ least_squares(x, one_hot(labels), 1.0)).argmax(axis=1),
        "nearest row": labels[squared(new, x).argmin(axis=1)],
    }


def likeness(parts: Parts, rows: Array) -> float:
    """Mean correlation of units with the row (N, D) that each is most like; 1 for units that are rows."""
    units, others = (each - each.mean(axis=1, keepdims=True) for each in (parts.inner[0].T, rows))
    units, others = (each / np.maximum(np.linalg.norm(each, axis=1)[:, None], 1e-12) for each in (units, others))
    return float((units @ others.T).max(axis=1).mean())


def _nearest(x: Array, rows: Array) -> Array:
    """Distances (N,) to the nearest of the rows."""
    return np.asarray(np.sqrt(squared(x, rows).min(axis=1)))


@cache
def novelty(data: Digits) -> dict[str, Array]:
    """ROC-AUC (10,) of telling a digit that was left out of the training from the nine others, by score."""
    from sklearn.metrics import roc_auc_score

    (x, labels), (new, answers) = data.train(), data.test()
    areas: dict[str, Array] = {}
    for digit in range(CLASSES):
        rng = np.random.default_rng([11, digit])
        rows = np.flatnonzero(labels != digit)[:NOVEL_ROWS]
        learnt = learn(x[rows], labels[rows], rng, data.updates[1])
        for name, score in _strangeness(learnt, x[rows], new).items():
            areas.setdefault(name, np.empty(CLASSES))[digit] = roc_auc_score(answers == digit, score)
    return areas


def _strangeness(learnt: Learnt, x: Array, new: Array) -> dict[str, Array]:
    """How strange each new picture (N,) is, by what the networks say of it, and by the rows themselves."""
    return {
        "RBF: no unit answers": -RBF.hidden(learnt.solved, new)[0].max(axis=1),
        "RBF by gradient: no unit answers": -RBF.hidden(learnt.descended, new)[0].max(axis=1),
        "RBF by gradient: unsure of the class": -_certainty(RBF, learnt.descended, new),
        "MLP: unsure of the class": -_certainty(MLP, learnt.perceptron, new),
        "far from the nearest row": _nearest(new, x),
    }


def _certainty(kind: Kind, parts: Parts, x: Array) -> Array:
    """The greatest probability (N,), in logits' terms: ln p, which does not round to 1."""
    found = outputs(kind, parts, x)[0].astype(float)
    return np.asarray(found.max(axis=1) - np.logaddexp.reduce(found, axis=1))
