"""The lab's pictures of what the constraints are for: detection, data saved, distortions learnt."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from handbook.evaluation.figures import GREY, INK, ORANGE, canvas
from handbook.evaluation.metrics import mean_interval
from handbook.evaluation.trials import share
from handbook.labs.dense_to_convolution import detection, learners
from handbook.labs.dense_to_convolution.drawing_layers import COLOURS, MARKS, plain

Array = npt.NDArray[Any]
LEVEL = 1.0  # deviation of the noise in the scene that is shown


def peaks(searches: dict[str, detection.Search], hits: dict[str, list[int]], rng: np.random.Generator) -> Figure:
    """A scene, its answers, and how often the peak is right as the noise grows."""
    figure, (scene, answer, curves) = canvas(1, 3, size=(12.0, 4.0), width_ratios=(1, 1, 1.5))
    crowd = searches["among others"]
    kernel = crowd.pattern - crowd.pattern.mean()
    noisy = crowd.scenes[:1] + rng.normal(0, LEVEL, crowd.scenes[:1].shape)
    maps = detection.answers(noisy, kernel)
    scene.imshow(noisy[0], cmap="gray", vmin=-1.5, vmax=2.5)
    scene.set_title(f"a bag among others, noise {LEVEL:g}", fontsize=10)
    answer.imshow(maps[0], cmap="magma")
    answer.set_title("the kernel's answers", fontsize=10)
    for place in (scene, answer):
        place.axis("off")
    (i, j), (down, right) = crowd.places[0], detection.peaks(maps)[0]
    scene.add_patch(Rectangle((j - 0.5, i - 0.5), detection.PATCH, detection.PATCH, fill=False, ec=ORANGE, lw=2))
    answer.plot(j, i, "o", mfc="none", mec=ORANGE, ms=12, label="where it lies")
    answer.plot(right, down, "+", color="white", ms=10, label="greatest answer")
    answer.legend(loc="lower left", fontsize=7)
    for (name, found), colour, mark in zip(hits.items(), COLOURS, MARKS, strict=False):
        bounds = np.array([share(each, len(crowd.scenes)) for each in found])
        curves.plot(detection.NOISES, 100 * bounds[:, 0], mark + "-", color=colour, label=name, ms=5)
        curves.fill_between(detection.NOISES, 100 * bounds[:, 1], 100 * bounds[:, 2], color=colour, alpha=0.2)
    fine = np.linspace(0, detection.NOISES[-1], 60)
    theory = [detection.expected(float(np.linalg.norm(kernel)), noise, maps[0].size) for noise in fine]
    curves.plot(fine, 100 * np.array(theory), "--", color=GREY, label="empty ground, by the formula")
    curves.set(xlabel="deviation of the noise (pixels are 0 to 1)", ylabel="peak within a pixel (% of scenes)")
    curves.legend(frameon=False, fontsize=7, loc="upper right")
    plain(curves)
    empty, without, plainly = (found[0] / len(crowd.scenes) for found in hits.values())
    figure.suptitle(
        f"Without noise the peak is right in {empty:.0%} of empty scenes and {without:.0%} of crowded ones; "
        f"a kernel that keeps its mean, which\nanswers whatever is bright, in {plainly:.0%}"
    )
    return figure


def data_saved(plan: learners.Plan, found: dict[str, Array]) -> Figure:
    """Accuracy by how many garments were learnt from: as they are, and moved."""
    figure, axes = canvas(1, 2, size=(10.4, 4.4), sharey=True)
    for place, (axis, title) in enumerate(zip(axes, ("garments as they are", "the same, moved by up to 4 pixels"),
                                              strict=True)):  # fmt: skip
        for shift, (kind, scores) in enumerate(found.items()):
            x = np.array(plan.sizes) * 1.03 ** (shift - 1.5)  # side by side, so that the intervals can be seen
            means, low, high = np.array([mean_interval(row[:, place]) for row in scores]).T * 100
            axis.errorbar(x, means, [means - low, high - means], fmt=MARKS[shift] + "-", color=COLOURS[shift],
                          capsize=3, ms=5, label=f"{kind} ({learners.weights(kind):,} weights)")  # fmt: skip
        axis.set(xscale="log", xlabel="garments to learn from", title=title)
        axis.set_xticks(plan.sizes, [f"{n:,}" for n in plan.sizes])
        axis.minorticks_off()
        plain(axis)
    axes[0].set_ylabel("test accuracy (%), mean and 95 % interval over seeds")
    axes[0].legend(frameon=False, fontsize=8)
    dense, pooled = found["dense"].mean(axis=1), found["convolution and pooling"].mean(axis=1)
    figure.suptitle(
        f"From {plan.sizes[0]} garments dense weights name {dense[0, 0]:.0%}, convolution and pooling "
        f"{pooled[0, 0]:.0%}; from {plan.sizes[-1]:,}, {dense[-1, 0]:.0%} and {pooled[-1, 0]:.0%}.\n"
        f"The same garments moved by up to {learners.SHIFT} pixels: {dense[-1, 1]:.0%} and {pooled[-1, 1]:.0%}"
    )
    return figure


def augmentation(plan: learners.Plan, found: Array) -> Figure:
    """A row a way to learn, a column a way to be judged: mean accuracies and half their intervals over seeds."""
    figure, axes = canvas(size=(8.0, 4.6))
    names = list(learners.DISTORTIONS)
    bounds = np.array([[mean_interval(found[i, :, j]) for j in range(len(names))] for i in range(len(names))])
    means = 100 * bounds[..., 0]
    axes.imshow(means, cmap="viridis", aspect="auto")
    for i, j in np.ndindex(*means.shape):
        half = 100 * (bounds[i, j, 2] - bounds[i, j, 0])
        light = means[i, j] > (means.min() + means.max()) / 2
        axes.text(j, i, f"{means[i, j]:.1f} ± {half:.1f}", ha="center", va="center", fontsize=9,
                  color=INK if light else "white")  # fmt: skip
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="judged on garments", ylabel=f"learnt from {plan.augmented} garments")
    gain = [means[k, k] - means[0, k] for k in (1, 2, 3)]
    price = means[0, 0] - means[4, 0]
    figure.suptitle(
        "Learning from garments distorted in the same way changes accuracy by\n"
        + ", ".join(f"{each:+.0f} ({name})" for each, name in zip(gain, names[1:4], strict=True))
        + f" points;\nall three at once {'cost' if price > 0 else 'add'} {abs(price):.1f} on garments as they are"
        + "\n(test accuracy in %)"
    )
    return figure
