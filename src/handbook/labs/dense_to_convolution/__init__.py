"""From dense layers to convolutions: what each constraint takes away, and what that is worth (chapter 4).

A dense layer from 1000 x 1000 pixels to as many hidden values has 10¹² weights. That the answer should move with the
picture leaves 4 x 10⁶; that it should look near by, some hundred. In reading order:

    chain.py          equations 4.1 to 4.8 as matrices; what a dense layer needs to learn one kernel (4.2)
    equivariance.py   shift, then convolve; and where padding, stride and pooling break it (4.2.3, 4.2.4, 4.6.1)
    detection.py      a pattern found by the greatest answer, as noise and company grow (4.2.6)
    windows.py        padding modes, figures 4.5 to 4.7, a stack of kernels (4.4, 4.5)
    learners.py       dense, local, shared, pooled: accuracy by garments to learn from; augmentation (3.3.1, 4.6)

Wrong in the book: 4Δ² weights, for (2Δ + 1)²; that features are invariant to translation, when they move with it; and
that max pooling answers the same to a pattern that moved by one pixel, which holds for half of the places.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from handbook.data.images import LabelledImages
from handbook.data.subsets import plan_for
from handbook.evaluation.metrics import mean_interval
from handbook.evaluation.trials import share
from handbook.labs.dense_to_convolution import chain, detection, equivariance, learners, windows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATASET = "fashion_mnist"
SEED = 0
EXAMPLES, NOISE = 1000, 0.3  # garments to learn a kernel from, and their noise
ALL, PART = 200, 50  # garments that layers look at; and of a drawn sample
SIZES = (1, 3, 10, 30, 100, 300, 500)  # of these, so many


def figures(data: LabelledImages) -> dict[str, Figure]:
    """The lab's pictures, each with its finding as title."""
    from handbook.labs.dense_to_convolution import drawing_layers, drawing_learning

    boot = data.test_images[np.flatnonzero(data.test_labels == data.classes.index("Ankle boot"))[0]] / 255
    coat = data.test_images[np.flatnonzero(data.test_labels == data.classes.index("Coat"))[0]] / 255
    seen, plan, hidden = looked_at(data), learners.Plan.of(data), detection.Garments.of(data)
    return {
        "constraints": drawing_layers.constraints(np.random.default_rng(SEED)),
        "kernel_from_examples": drawing_layers.from_examples(SIZES, from_examples(data)),
        "equivariance": drawing_layers.equivariant(seen.errors),
        "detection": drawing_learning.peaks(
            detection.searches(hidden, SEED), detection.by_noise(hidden, SEED), np.random.default_rng(SEED)
        ),
        "padding": drawing_layers.padding(coat, seen.rim, np.random.default_rng(SEED)),
        "windows": drawing_layers.layouts(),
        "kernel_stack": drawing_layers.kernel_stack(boot, windows.stack(boot)),
        "pooling_shifts": drawing_layers.pooling_shifts(seen.changes),
        "data_saved": drawing_learning.data_saved(plan, learners.by_size(plan)),
        "augmentation": drawing_learning.augmentation(plan, learners.by_augmentation(plan)),
    }


def checks(data: LabelledImages) -> dict[str, float | bool]:
    """The chapter's facts, measured."""
    seen, plan = looked_at(data), learners.Plan.of(data)
    return {**_chain(data), **_equivariance(seen), **_detection(data), **_rim(seen), **_data(plan)}


class Seen(NamedTuple):
    """What layers make of garments: errors by layer and shift, changes by pooling, errors at the rim."""

    errors: dict[str, np.ndarray]
    changes: dict[str, np.ndarray]
    rim: windows.RimErrors


def looked_at(data: LabelledImages) -> Seen:
    """What layers make of the first garments to be judged by."""
    return _looked_at(data.test_images[: plan_for(len(data.train_images), ALL, PART)].tobytes())


@cache
def _looked_at(garments: bytes) -> Seen:
    """Computed once for the same bytes, because figures and checks both want it."""
    some = np.frombuffer(garments, np.uint8).reshape(-1, 28, 28) / 255
    changes = {kind: equivariance.changes(some, kind) for kind in ("max", "average")}
    return Seen(equivariance.errors(some, np.random.default_rng(SEED)), changes, windows.rim_errors(some))


def from_examples(data: LabelledImages) -> dict[str, np.ndarray]:
    """Errors of a dense layer and of a kernel on garments of 14 x 14, by how many they learnt from."""
    return _from_examples(data.train_images[:EXAMPLES].tobytes())


@cache
def _from_examples(garments: bytes) -> dict[str, np.ndarray]:
    small = equivariance.pooled(np.frombuffer(garments, np.uint8).reshape(-1, 28, 28) / 255, 2, "average")
    return chain.from_examples(small, SIZES, NOISE, SEED)


def _chain(data: LabelledImages) -> dict[str, float | bool]:
    W = np.random.default_rng(SEED).normal(size=(8, 8, 8, 8))
    v = chain.nearest_convolution(W)
    dense, kernel = from_examples(data).values()
    counts = chain.weights(1000, 2)
    return {
        "weights, megapixel to 1,000 hidden values": 1000**2 * 1000,
        **{f"weights, megapixel to a megapixel, {name}": float(counts[name]) for name in list(counts)[:2]},
        "weights of a kernel of reach 2": counts["and local"],
        "weights of a kernel of reach 2, by the book's 4Δ²": 4 * 2**2,
        "random dense weights: fail to commute with a shift by": chain.fails_to_commute(W, 1, 2),
        "the nearest convolution: commutes with it": chain.fails_to_commute(chain.circulant(v), 1, 2) < 1e-12,
        "kernel learnt from 1 garment: error": float(kernel[0]),
        f"dense layer learnt from {SIZES[-1]} garments: error": float(dense[-1]),
    }


def _equivariance(seen: Seen) -> dict[str, float | bool]:
    found, changes = seen.errors, seen.changes["max"]
    return {
        **{f"{name}: error at a shift of 1": float(error[1]) for name, error in found.items()},
        "convolution, circular, stride 2: error at a shift of 2": float(found["convolution, circular, stride 2"][2]),
        **{f"edges max-pooled over {side}: change at a shift of 1": float(changes[k, 1])
           for k, side in enumerate(equivariance.POOLS)},
        "places from which a pixel moved by 1 stays in a pool of 2": equivariance.kept(2, 1),
    }  # fmt: skip


def _detection(data: LabelledImages) -> dict[str, float | bool]:
    hidden = detection.Garments.of(data)
    hits = detection.by_noise(hidden, SEED)
    facts: dict[str, float | bool] = {}
    for name, found in hits.items():
        for noise in (0.0, 1.0):
            here = share(found[detection.NOISES.index(noise)], hidden.scenes)
            for part, value in zip(("", ", low", ", high"), here, strict=True):
                facts[f"{name}, noise {noise:g}: peak is right{part}"] = value
    return facts


def _rim(seen: Seen) -> dict[str, float | bool]:
    found = seen.rim.by_picture.mean(axis=1)
    return {f"error at the rim, {mode}": float(each) for mode, each in zip(windows.MODES, found, strict=True)}


def _data(plan: learners.Plan) -> dict[str, float | bool]:
    facts: dict[str, float | bool] = {}
    for kind, scores in learners.by_size(plan).items():
        facts[f"{kind}: weights"] = learners.weights(kind)
        for n, row in zip(plan.sizes, scores, strict=True):
            for place, words in enumerate(("", ", moved")):
                mean, low, high = mean_interval(row[:, place])
                facts[f"{kind}, {n} garments{words}: accuracy"] = mean
                facts[f"{kind}, {n} garments{words}: interval"] = (high - low) / 2
    augmented = learners.by_augmentation(plan)
    for i, taught in enumerate(learners.DISTORTIONS):
        for j, judged in enumerate(learners.DISTORTIONS):
            facts[f"learnt from garments {taught}, judged on {judged}: accuracy"] = float(augmented[i, :, j].mean())
    return facts
