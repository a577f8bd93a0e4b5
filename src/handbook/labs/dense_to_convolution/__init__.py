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

from typing import TYPE_CHECKING

import numpy as np

from handbook.data.images import LabelledImages
from handbook.evaluation.metrics import mean_interval
from handbook.evaluation.trials import share
from handbook.labs.dense_to_convolution import chain, detection, equivariance, learners, windows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATASET = "fashion_mnist"
SEED = 0
LOOKED_AT, EXAMPLES, NOISE = 200, 1000, 0.3  # garments that layers look at; to learn a kernel from, and their noise
SIZES = (1, 3, 10, 30, 100, 300, 500)  # of these, so many


def figures(data: LabelledImages) -> dict[str, Figure]:
    """The lab's pictures, each with its finding as title."""
    from handbook.labs.dense_to_convolution import drawing_layers, drawing_learning

    boot = data.test_images[np.flatnonzero(data.test_labels == data.classes.index("Ankle boot"))[0]] / 255
    coat = data.test_images[np.flatnonzero(data.test_labels == data.classes.index("Coat"))[0]] / 255
    some, plan = data.test_images[:LOOKED_AT] / 255, learners.Plan.of(data)
    hidden = detection.Garments.of(data)
    return {
        "constraints": drawing_layers.constraints(np.random.default_rng(SEED)),
        "kernel_from_examples": drawing_layers.from_examples(SIZES, from_examples(data)),
        "equivariance": drawing_layers.equivariant(equivariance.errors(some, np.random.default_rng(SEED))),
        "detection": drawing_learning.peaks(
            detection.searches(hidden, SEED), detection.by_noise(hidden, SEED), np.random.default_rng(SEED)
        ),
        "padding": drawing_layers.padding(coat, windows.rim_errors(some), np.random.default_rng(SEED)),
        "windows": drawing_layers.layouts(),
        "kernel_stack": drawing_layers.kernel_stack(boot, windows.stack(boot)),
        "pooling_shifts": drawing_layers.pooling_shifts(
            {kind: equivariance.changes(some, kind) for kind in ("max", "average")}
        ),
        "data_saved": drawing_learning.data_saved(plan, learners.by_size(plan)),
        "augmentation": drawing_learning.augmentation(plan, learners.by_augmentation(plan)),
    }


def checks(data: LabelledImages) -> dict[str, float | bool]:
    """The chapter's facts, measured."""
    some, plan = data.test_images[:LOOKED_AT] / 255, learners.Plan.of(data)
    return {**_chain(data), **_equivariance(some), **_detection(data), **_rim(some), **_data(plan)}


def from_examples(data: LabelledImages) -> dict[str, np.ndarray]:
    """Errors of a dense layer and of a kernel on garments of 14 x 14, by how many they learnt from."""
    small = equivariance.pooled(data.train_images[:EXAMPLES] / 255, 2, "average")
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


def _equivariance(some: np.ndarray) -> dict[str, float | bool]:
    found = equivariance.errors(some, np.random.default_rng(SEED))
    changes = equivariance.changes(some, "max")
    return {
        **{f"{name}: error at a shift of 1": float(error[1]) for name, error in found.items()},
        "convolution, circular, stride 2: error at a shift of 2": float(found["convolution, circular, stride 2"][2]),
        **{f"edges max-pooled over {side}: change at a shift of 1": float(changes[k, 1])
           for k, side in enumerate(equivariance.POOLS)},
        "places from which a pixel moved by 1 stays in a pool of 2": equivariance.kept(2, 1),
    }  # fmt: skip


def _detection(data: LabelledImages) -> dict[str, float | bool]:
    hits = detection.by_noise(detection.Garments.of(data), SEED)
    facts: dict[str, float | bool] = {}
    for name, found in hits.items():
        for noise in (0.0, 1.0):
            here = share(found[detection.NOISES.index(noise)], detection.SCENES)
            for part, value in zip(("", ", low", ", high"), here, strict=True):
                facts[f"{name}, noise {noise:g}: peak is right{part}"] = value
    return facts


def _rim(some: np.ndarray) -> dict[str, float | bool]:
    found = windows.rim_errors(some).by_picture.mean(axis=1)
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
