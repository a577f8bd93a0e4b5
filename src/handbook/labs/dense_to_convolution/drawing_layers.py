"""The lab's pictures of layers: the chain of constraints, equivariance, padding, windows, a stack of kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.evaluation.metrics import bootstrap
from handbook.labs.dense_to_convolution import chain, equivariance, windows

Array = npt.NDArray[Any]
GREEN = "#2a8a57"
COLOURS = (BLUE, ORANGE, INK, GREEN, GREY)
MARKS = "os^Dv"
SIDE, REACH = 8, 1  # of the picture whose matrices are drawn
MEGAPIXEL_SIDE, MEGAPIXEL_REACH = 1000, 10


def plain(axes: Axes) -> None:
    plain_axes(axes)


def constraints(rng: np.random.Generator) -> Figure:
    """The weights of one layer as matrices of pixels by pixels, and how many a megapixel takes."""
    figure, axes = canvas(1, 4, size=(11.6, 3.7), width_ratios=(1, 1, 1, 1.25))
    full, small = rng.normal(size=(2 * SIDE - 1, 2 * SIDE - 1)), rng.normal(size=(2 * REACH + 1, 2 * REACH + 1))
    matrices = (rng.normal(size=(SIDE,) * 4), chain.shared(full, SIDE, SIDE), chain.local(small, SIDE, SIDE))
    counts = chain.weights(SIDE, REACH)
    for place, W, (name, count) in zip(axes, matrices, counts.items(), strict=False):
        place.imshow(W.reshape(SIDE**2, SIDE**2), cmap="RdBu_r", vmin=-2.5, vmax=2.5)
        place.set_title(f"{name}:\n{count:,} weights", fontsize=10)
        place.set(xlabel="pixel of X", xticks=[], yticks=[])
    axes[0].set_ylabel(f"hidden value of H\n({SIDE} × {SIDE} pixels each)")
    large = chain.weights(MEGAPIXEL_SIDE, MEGAPIXEL_REACH, 3, 64)
    bars = axes[3]
    bars.barh(range(len(large)), list(large.values()), color=BLUE)
    bars.set(xscale="log", xlim=(1, 1e15), xlabel="weights, 1000 × 1000 pixels")
    bars.set_yticks(range(len(large)), [*list(large)[:2], f"and local,\nΔ = {MEGAPIXEL_REACH}", "3 channels\nto 64"])
    for place, count in enumerate(large.values()):
        bars.text(count * 1.6, place, f"{count:,}" if count < 1e7 else f"{count:.0e}", va="center", fontsize=8)
    bars.invert_yaxis()
    plain(bars)
    figure.suptitle(
        f"Equal places leave {large['shared by all places']:,} of {large['dense']:.0e} weights; "
        f"a reach of {MEGAPIXEL_REACH} leaves {large['and local']}, not 4Δ² = {4 * MEGAPIXEL_REACH**2}"
    )
    return figure


def from_examples(sizes: tuple[int, ...], found: dict[str, Array]) -> Figure:
    """Errors of a dense layer and of a kernel that learn the same kernel from garments."""
    figure, axes = canvas(size=(7.2, 4.2))
    for (name, error), colour, mark in zip(found.items(), COLOURS, MARKS, strict=False):
        axes.plot(sizes, error, mark + "-", color=colour, label=name)
    axes.set(xscale="log", yscale="log", xlabel="garments to learn from (14 × 14 pixels)",
             ylabel="error on new garments\n(share of the answers' deviation)")  # fmt: skip
    axes.legend(frameon=False)
    plain(axes)
    dense, kernel = found.values()
    beaten = [n for n, error in zip(sizes, dense, strict=True) if error <= kernel[0]]
    figure.suptitle(
        f"Nine shared weights learn from one garment\nwhat a dense layer learns from {beaten[0]:,}" if beaten else
        f"Nine shared weights learn from one garment\nwhat a dense layer has not learnt from {sizes[-1]:,}"
    )  # fmt: skip
    return figure


def equivariant(found: dict[str, Array]) -> Figure:
    """How far each layer is from moving its answer with the picture, by shift."""
    figure, axes = canvas(size=(8.4, 4.6))
    shifts = list(equivariance.SHIFTS)
    for (name, error), colour, mark in zip(found.items(), COLOURS, MARKS, strict=True):
        axes.plot(shifts, error, mark + "-", color=colour, label=name, ms=5)
    axes.set(xlabel="shift of the picture (pixels)", ylabel="‖f(S x) − S f(x)‖ / ‖f(x)‖")
    axes.set_yscale("symlog", linthresh=0.01)
    axes.set_ylim(-0.001, 3)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    plain(axes)
    dense, circular, zeros, strided, pooled = found.values()
    figure.suptitle(
        f"A convolution's answer moves with the picture (error {max(circular.max(), 1e-16):.0e}); zeros\n"
        f"beyond the rim cost {zeros[1:].mean():.0%}, a stride of 2 {strided[1]:.0%}\n"
        f"and pooling over 4 {pooled[2]:.0%} between their steps; a dense layer is off by {dense[1:].mean():.0%}"
    )
    return figure


def padding(picture: Array, found: windows.RimErrors, rng: np.random.Generator) -> Figure:
    """The middle of a garment under four paddings, and which of them errs least at the rim."""
    figure, axes = canvas(1, 6, size=(12.4, 3.6), width_ratios=(1, 1, 1, 1, 1, 2))
    middle = picture[windows.CUT : -windows.CUT, windows.CUT : -windows.CUT]
    wide = 5
    _shade(axes[0], picture, "the whole, and the cut")
    _frame(axes[0], windows.CUT, len(middle))
    for place, (name, mode) in zip(axes[1:], windows.MODES.items(), strict=False):
        _shade(place, np.pad(middle, wide, mode=mode), name)  # type: ignore[call-overload]
        _frame(place, wide, len(middle))
    bars, names = axes[5], list(windows.MODES)
    errors = found.by_picture.mean(axis=1)
    bounds = np.array([bootstrap(each, rng) for each in found.by_picture])
    for place, name in enumerate(names):
        bars.plot(range(found.by_distance.shape[1]), found.by_distance[place], MARKS[place] + "-",
                  color=COLOURS[place], label=name)  # fmt: skip
        bars.vlines(0, *bounds[place], color=COLOURS[place], lw=5, alpha=0.3)
    bars.set(xlabel="pixels from the rim", ylabel=f"error of a {windows.BLUR} × {windows.BLUR} mean", xticks=[0, 1, 2])
    bars.legend(frameon=False, fontsize=8)
    plain(bars)
    best = int(errors.argmin())
    figure.suptitle(
        f'Beyond the rim of a cut garment "{names[best]}" is nearest to the truth: off by {errors[best]:.3f}, '
        f"zeros by {errors[0]:.3f}, on {found.by_picture.shape[1]:,} garments"
    )
    return figure


def layouts() -> Figure:
    """Figures 4.5 to 4.7: how often pixels are used; a padding of 1; strides of 3 down and 2 across."""
    figure, axes = canvas(2, 3, size=(9.6, 6.6))
    for place, kernel in zip(axes[0], (1, 2, 3), strict=True):
        _numbers(place, windows.uses(7, kernel), f"windows of {kernel} × {kernel} that see a pixel", cmap="Blues")
    x, w = np.arange(9.0).reshape(3, 3), np.arange(4.0).reshape(2, 2)
    padded = np.pad(x, 1)
    _numbers(axes[1, 0], padded, "0..8, padded by 1; first window", cmap="Greys", vmin=0, vmax=24)
    axes[1, 0].add_patch(Rectangle((-0.5, -0.5), 2, 2, fill=False, ec=ORANGE, lw=3))
    _numbers(axes[1, 1], windows.correlate(padded, w), "under the kernel 0 1 / 2 3: 4 × 4", cmap="Oranges")
    strided = windows.correlate(padded, w, stride=(3, 2))
    _numbers(axes[1, 2], strided, "the same, 3 rows and 2 columns apart", cmap="Oranges", vmin=0, vmax=50)
    corner, middle = windows.uses(7, 3)[0, 0], windows.uses(7, 3)[3, 3]
    figure.suptitle(
        f"A corner is used {corner:.0f} time and the middle {middle:.0f} times by 3 × 3;\n"
        f"padding gives {4 * 4} windows for {2 * 2}, a stride takes {4 * 4 - strided.size} of them away"
    )
    return figure


def kernel_stack(picture: Array, maps: Array) -> Figure:
    """A garment, and what each kernel of one layer finds in it."""
    figure, axes = canvas(2, 1 + len(maps), size=(11.6, 4.2))
    _shade(axes[0, 0], picture, "a garment")
    axes[1, 0].axis("off")
    for column, (name, kernel, found) in enumerate(
        zip(windows.STACK, windows.STACK.values(), maps, strict=True), start=1
    ):
        _numbers(axes[0, column], np.array(kernel), name, cmap="RdBu_r", vmin=-4, vmax=4, digits=2)
        limit = float(np.abs(found).max())
        signed = found.min() < -0.05 * limit
        axes[1, column].imshow(found, cmap="RdBu_r" if signed else "gray", vmin=-limit if signed else 0, vmax=limit)
        axes[1, column].axis("off")
    alike = np.abs(np.corrcoef(maps.reshape(len(maps), -1)))[np.triu_indices(len(maps), 1)]
    figure.suptitle(
        f"One layer, {len(maps)} kernels, {len(maps)} maps of the same size: between two of them the correlation is "
        f"{alike.min():.2f} to {alike.max():.2f}"
    )
    return figure


def pooling_shifts(found: dict[str, Array]) -> Figure:
    """How much pooled edge maps change when the garment moves, by window and by shift."""
    figure, axes = canvas(1, 2, size=(9.6, 4.0), sharey=True)
    shifts = list(equivariance.SHIFTS)
    for place, (kind, changes) in zip(axes, found.items(), strict=True):
        for line, side, colour, mark in zip(changes, equivariance.POOLS, COLOURS, MARKS, strict=False):
            name = "no pooling" if side == 1 else f"{side} × {side}"
            place.plot(shifts, 100 * line, mark + "-", color=colour, label=name, ms=5)
        place.set(xlabel="shift of the garment (pixels)", title=f"{kind} pooling")
        place.legend(frameon=False)
        plain(place)
    axes[0].set_ylabel("change of the map (% of its norm)")
    most = found["max"]
    figure.suptitle(
        f"One pixel's shift changes an edge map by {most[0, 1]:.0%}, max-pooled over 2 × 2 by {most[1, 1]:.0%}, over "
        f"7 × 7 by {most[3, 1]:.0%}: pooling\ntolerates shifts and is not blind to them "
        f"(a bright pixel stays in a window of 2 for {equivariance.kept(2, 1):.0%} of the places)"
    )
    return figure


def _shade(axes: Axes, picture: Array, title: str) -> None:
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1)
    axes.set_title(title, fontsize=9)
    axes.axis("off")


def _frame(axes: Axes, start: int, side: int) -> None:
    axes.add_patch(Rectangle((start - 0.5, start - 0.5), side, side, fill=False, ec=ORANGE, lw=2))


def _numbers(axes: Axes, matrix: Array, title: str, digits: int = 0, **style: Any) -> None:
    """A small matrix as shades with its numbers."""
    shown = axes.imshow(matrix, **({"vmin": 0, "vmax": 1.6 * float(matrix.max())} | style))
    for i, j in np.ndindex(*matrix.shape):
        text = f"{matrix[i, j]:.{digits}f}" if matrix[i, j] % 1 else f"{matrix[i, j]:.0f}"
        light = sum(shown.cmap(shown.norm(matrix[i, j]))[:3]) > 1.4
        axes.text(j, i, text.replace("-", "−"), ha="center", va="center", fontsize=8, color=INK if light else "white")
    axes.set_title(title, fontsize=9)
    axes.axis("off")
