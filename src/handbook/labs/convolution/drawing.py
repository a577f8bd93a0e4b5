"""The lab's pictures: arrays in, a Figure out, the finding as its title."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.labs.convolution import edges, garments
from handbook.labs.convolution.geometry import Padding, Size, Windows
from handbook.labs.convolution.layers import Array, average_pool, max_pool
from handbook.labs.convolution.receptive import LENET, Layer, measured_field, receptive_fields

DEPTH = 6


def windows() -> Figure:
    """What padding, stride and dilation do to 8 x 8 pixels under a 3 x 3 kernel."""
    figure, axes = canvas(1, 4, size=(11.6, 3.9))
    layouts: list[tuple[str, Size, Padding, Size]] = [
        ("nothing added", 1, 0, 1),
        ("padding 1", 1, 1, 1),
        ("padding 1, stride 2", 2, 1, 1),
        ("dilation 2", 1, 0, 2),
    ]
    for place, (name, stride, padding, dilation) in zip(axes, layouts, strict=True):
        _layout(place, Windows.of(3, stride, padding, dilation), 8)
        rows, columns = Windows.of(3, stride, padding, dilation).output(8, 8)
        place.set_title(f"{name}\n8 × 8 → {rows} × {columns}", fontsize=10)
    axes[0].plot([], [], "o", color=BLUE, ms=4, label="middle of a window")
    axes[0].plot([], [], "s", color=ORANGE, ms=7, mfc="none", label="first window that fits")
    axes[0].plot([], [], "s", color=BLUE, ms=7, mfc="none", label="last window that fits")
    axes[0].plot([], [], "s", color="#e4e7eb", ms=7, label="padding")
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.suptitle("A window that would hang over the edge is not counted: stride 2 gives 4 × 4, not 5 × 5")
    return figure


def _layout(axes: Axes, windows: Windows, n: int) -> None:
    """Pixels, padding around them, the middle of every window, and the pixels of the first and of the last."""
    (p, _), (s, _), (d, _), (k, _) = windows.padding, windows.stride, windows.dilation, windows.kernel
    for i, j in np.ndindex(n + 2 * p, n + 2 * p):
        inside = p <= i < n + p and p <= j < n + p
        axes.add_patch(Rectangle((j - p, i - p), 1, 1, fc="white" if inside else "#e4e7eb", ec=GREY, lw=0.6))
    rows, columns = windows.output(n, n)
    for corner, colour in (((0, 0), ORANGE), (((rows - 1) * s, (columns - 1) * s), BLUE)):
        for u, v in np.ndindex(k, k):
            place = (corner[1] - p + v * d, corner[0] - p + u * d)
            axes.add_patch(Rectangle(place, 1, 1, fc=colour, alpha=0.18, ec="none"))
            axes.add_patch(Rectangle(place, 1, 1, fc="none", ec=colour, lw=1.4))
    middle = windows.covered[0] / 2 - p
    down, right = np.meshgrid(np.arange(rows) * s + middle, np.arange(columns) * s + middle)
    axes.plot(right.ravel(), down.ravel(), "o", color=BLUE, ms=4)
    axes.set(xlim=(-1.1, n + 1.1), ylim=(n + 1.1, -1.1), aspect="equal")
    axes.axis("off")


def found_edges(band: Array, boot: Array) -> Figure:
    """The kernel [1, −1] on the book's picture and on a garment, across and down."""
    figure, axes = canvas(2, 3, size=(9.6, 6.2))
    across, down = edges.across(boot), edges.down(boot)
    strength = np.hypot(across[:-1], down[:, :-1])  # (27, 27): where both are known
    _numbers(axes[0, 0], band, "the book's picture, 6 × 8", cmap="gray")
    _numbers(axes[0, 1], edges.across(band), "its edges, 6 × 7: six equal rows", cmap="RdBu_r", vmin=-1.6, vmax=1.6)
    _picture(axes[0, 2], boot, "a garment, 28 × 28", cmap="gray")
    _picture(axes[1, 0], across, "[1, −1] across: edges that stand", cmap="RdBu_r", vmin=-1, vmax=1)
    _picture(axes[1, 1], down, "[1, −1] down: edges that lie", cmap="RdBu_r", vmin=-1, vmax=1)
    _picture(axes[1, 2], strength, "both together: the outline", cmap="gray")
    figure.suptitle("Two numbers find an outline: red where light turns dark, blue where dark turns light")
    return figure


def _picture(axes: Axes, picture: Array, title: str, **style: Any) -> None:
    axes.imshow(picture, **style)
    axes.set_title(title, fontsize=10)
    axes.axis("off")


def _numbers(axes: Axes, matrix: Array, title: str, **style: Any) -> None:
    """A small matrix as shades with its numbers."""
    _picture(axes, matrix, title, **style)
    for i, j in np.ndindex(*matrix.shape):
        dark = style["cmap"] == "gray" and matrix[i, j] < 0.5
        axes.text(j, i, f"{matrix[i, j]:.0f}".replace("-", "−"), ha="center", va="center", fontsize=9,
                  color="white" if dark else INK)  # fmt: skip


def converging(on_the_band: Array, on_the_boot: Array) -> Figure:
    """Both numbers of the kernel, and how far they are off, a step of SGD a point."""
    figure, (numbers, error) = canvas(1, 2, size=(9.6, 3.8))
    for path, colour, name in ((on_the_band, BLUE, "the band"), (on_the_boot, ORANGE, "a boot")):
        steps, learned = np.arange(1, len(path)), path[1:]  # the start, step 0, has no place on a logarithmic axis
        numbers.plot(steps, learned[:, 0, 0], color=colour, label=f"learned on {name}")
        numbers.plot(steps, learned[:, 0, 1], color=colour, ls="--")
        error.plot(steps, np.maximum(np.abs(learned - edges.KERNEL).max(axis=(1, 2)), 1e-9), color=colour, label=name)
    numbers.axhline(1, color=GREY, lw=0.8)
    numbers.axhline(-1, color=GREY, lw=0.8)
    numbers.set(xscale="log", xlabel="step of SGD", ylabel="number in the kernel (left solid, right dashed)")
    error.axhline(1e-2, color=GREY, lw=0.8)
    error.set(xscale="log", yscale="log", ylim=(1e-6, 3), xlabel="step of SGD", ylabel="largest error")
    for axes in (numbers, error):
        axes.legend(frameon=False)
        plain_axes(axes)
    band, boot = edges.steps_to(on_the_band), edges.steps_to(on_the_boot)
    figure.suptitle(
        f"SGD finds [1, −1] to 0.01 in {band} steps on the band, in {boot:,} on a boot with its faint edges"
    )
    return figure


def receptive_field(boot: Array) -> Figure:
    """Growth with depth for three kinds of stack, and the fields of LeNet's layers on a garment."""
    figure, (growth, picture) = canvas(1, 2, size=(9.8, 4.4), width_ratios=(1.35, 1))
    stacks = {
        "3 × 3, stride 2": ([Layer(3, stride=2)] * DEPTH, BLUE),
        "3 × 3, dilation 1, 2, 4, ...": ([Layer(3, dilation=2**i) for i in range(DEPTH)], ORANGE),
        "3 × 3, plain": ([Layer(3)] * DEPTH, INK),
    }
    depths = np.arange(1, DEPTH + 1)
    for shift, (name, (stack, colour)) in enumerate(stacks.items()):
        growth.plot(depths, receptive_fields(stack), color=colour, lw=(4, 1.5, 1.5)[shift], label=name)
        measured = [measured_field(stack[:depth]) for depth in depths]
        growth.plot(depths, measured, "os^"[shift], color=colour, ms=(9, 5, 6)[shift], mfc="white")
    growth.set(yscale="log", xlabel="layers", ylabel="receptive field (pixels across)", yticks=(3, 7, 15, 31, 63, 127))
    growth.set_yticklabels(["3", "7", "15", "31", "63", "127"])
    growth.minorticks_off()
    growth.set_title("lines: the formula; marks: how far a gradient came back", fontsize=10)
    growth.legend(frameon=False, loc="upper left")
    plain_axes(growth)
    _nested(picture, boot, zip(receptive_fields(LENET), ("conv 5", "pool 2", "conv 5", "pool 2"), strict=True))
    picture.set_title("one value of LeNet sees so much of a boot", fontsize=10)
    figure.suptitle("Plain layers widen the view by two pixels each; stride or dilation doubles it each time")
    return figure


def _nested(axes: Axes, boot: Array, fields: Iterable[tuple[int, str]]) -> None:
    """A square a layer around the middle of the picture, the smaller on top."""
    axes.imshow(boot, cmap="gray_r", vmax=2.2)
    for (field, name), colour in zip(fields, (BLUE, INK, ORANGE, "#b00020"), strict=True):
        corner = (28 - field) // 2 - 0.5  # pixels are drawn from half before their number to half after
        axes.add_patch(
            Rectangle(
                (corner, corner), field, field, fc="none", ec=colour, lw=2, label=f"{name}: {field}", zorder=99 - field
            )
        )
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=4, fontsize=8, frameon=False, handlelength=1.2)
    axes.axis("off")


def feature_maps(net: garments.Network, shown: garments.Garments) -> Figure:
    """The kernels that the small network learned, and what each finds in a boot, before and after pooling."""
    maps, pooled = garments.feature_maps(net, shown.boot_x[None, None])
    figure, axes = canvas(3, garments.KERNELS, size=(11.2, 4.9))
    limit = float(np.abs(net.w).max())
    for index in range(garments.KERNELS):
        axes[0, index].imshow(net.w[index, 0], cmap="RdBu_r", vmin=-limit, vmax=limit)
        axes[1, index].imshow(maps[0, index], cmap="gray", vmin=0, vmax=maps.max())
        axes[2, index].imshow(pooled[0, index], cmap="gray", vmin=0, vmax=maps.max())
    for row, name in enumerate(("kernel\n5 × 5", "feature map\n24 × 24", "max-pooled\n12 × 12")):
        axes[row, 0].set_ylabel(name)
    for place in axes.flat:
        place.set(xticks=[], yticks=[])
    share = garments.accuracy(net, shown.test_x, shown.test_labels)
    figure.suptitle(
        f"Eight kernels learned from {len(shown.x):,} garments (red adds, blue takes away); what they find in a boot.\n"
        f"With one dense layer behind them they name {share:.0%} of {len(shown.test_x):,} unseen garments right"
    )
    return figure


def pooling(boot: Array) -> Figure:
    """A garment after max and average pooling of 2 x 2 and 4 x 4."""
    figure, axes = canvas(1, 5, size=(11.2, 2.9))
    _picture(axes[0], boot, f"28 × 28\nmean {boot.mean():.2f}", cmap="gray", vmin=0, vmax=1)
    x = boot[None, None]
    for place, (name, layer, k) in zip(
        axes[1:],
        (("max", max_pool, 2), ("max", max_pool, 4), ("average", average_pool, 2), ("average", average_pool, 4)),
        strict=True,
    ):
        pooled = layer(x, k)[0, 0]
        title = f"{name} {k} × {k}: {len(pooled)} × {len(pooled)}\nmean {pooled.mean():.2f}"
        _picture(place, pooled, title, cmap="gray", vmin=0, vmax=1)
    figure.suptitle("Max pooling thickens what is bright; average pooling blurs it and keeps the mean")
    return figure
