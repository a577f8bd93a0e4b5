"""Figures made of pictures and texts: galleries, filters, feature maps, passages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handbook.evaluation.figures.style import BLUE, GREY, INK, ORANGE, Array, canvas, plain_axes


def gallery(images: Array, captions: Sequence[str], title: str, columns: int = 6) -> Figure:
    """Grey pictures (N, H, W), each under its caption."""
    rows = max(1, -(-len(images) // columns))
    figure, axes = canvas(size=(1.55 * columns, 1.9 * rows + 0.5))
    _sheet(axes, images, captions, columns, cmap="gray", vmin=0, vmax=255)
    figure.suptitle(title)
    return figure


def filters(weights: Array, title: str, columns: int = 8) -> Figure:
    """Convolution kernels (N, H, W): blue is negative, red positive, white zero."""
    columns = min(columns, len(weights))
    rows = -(-len(weights) // columns)
    figure, axes = canvas(size=(1.3 * columns + 0.6, 1.45 * rows + 0.65))
    limit = float(np.abs(weights).max()) or 1.0
    numbers = [str(number) for number in range(1, len(weights) + 1)]
    shown = _sheet(axes, weights, numbers, columns, cmap="RdBu_r", vmin=-limit, vmax=limit)
    figure.colorbar(shown, ax=axes, shrink=0.8)
    figure.suptitle(title)
    return figure


def _sheet(axes: Axes, images: Array, captions: Sequence[str], columns: int, **colours: Any) -> Any:
    """Pictures (N, H, W) in rows, each under its caption; the last, for a colour bar.

    All in one pair of axes: a pair for each took most of the time in which a case is evaluated.
    """
    shown, side, gap = None, 1.0, 0.12  # of a picture; captions stand in what is left of a row
    step, line = side + gap, side + 2.5 * gap
    for k, (image, caption) in enumerate(zip(images, captions, strict=True)):
        x, y = k % columns * step, k // columns * line
        shown = axes.imshow(image, extent=(x, x + side, y + side, y), interpolation="nearest", **colours)
        axes.text(x + side / 2, y - 0.03, caption, ha="center", va="bottom", fontsize=7.5)
    rows = max(1, -(-len(images) // columns))
    axes.set(xlim=(-gap / 2, columns * step - gap / 2), ylim=(rows * line - 1.5 * gap, -2.5 * gap))
    axes.axis("off")
    return shown


def feature_maps(picture: Array, layers: dict[str, Array], title: str) -> Figure:
    """A picture (H, W), and under it a row for each layer with its maps (N, h, w), as many for all; white is most."""
    columns = max(len(maps) for maps in layers.values())
    figure, axes = canvas(len(layers) + 1, columns, size=(1.15 * columns + 1.2, 1.2 * (len(layers) + 1) + 0.5))
    for place in axes.flat:
        place.set(xticks=[], yticks=[])
        place.set_frame_on(False)
    axes[0, 0].imshow(picture, cmap="gray")
    axes[0, 0].set_ylabel("picture", fontsize=8)
    for row, (name, maps) in zip(axes[1:], layers.items(), strict=True):
        row[0].set_ylabel(f"{name}\n{maps.shape[1]} x {maps.shape[2]}", fontsize=8)
        for place, shown in zip(row, maps, strict=False):
            place.imshow(shown, cmap="magma", vmin=0, vmax=max(float(maps.max()), 1e-9))
    figure.suptitle(title)
    return figure


def receptive_fields(picture: Array, formula: dict[str, int], measured: Array, title: str) -> Figure:
    """What the middle value of each layer sees, pixels across: by formula, by trial (N,), as squares on a picture."""
    figure, (growth, drawn) = canvas(1, 2, size=(9.6, 4.4), width_ratios=(1.1, 1))
    names, fields = list(formula), np.array(list(formula.values()))
    places = np.arange(len(names))
    growth.step(places, fields, where="mid", color=BLUE, label="formula")
    growth.plot(places, measured, "o", color=ORANGE, label="where the gradient comes")
    growth.axhline(len(picture), ls="--", color=GREY, label="the picture's width")
    growth.set_xticks(places, names, rotation=60, ha="right", fontsize=7)
    growth.set(ylabel="receptive field (pixels across)")
    growth.legend(frameon=False, fontsize=8)
    plain_axes(growth)
    middle, half = (len(picture) - 1) / 2, float(fields.max()) / 2 + 2
    drawn.imshow(picture, cmap="gray", vmin=0, vmax=255)
    for name, field, shade in zip(names, fields, np.linspace(0.15, 0.95, len(names)), strict=True):
        low = middle - field / 2
        corners = [low, low + field, low + field, low, low], [low, low, low + field, low + field, low]
        drawn.plot(*corners, color=matplotlib.colormaps["viridis"](shade), lw=1.5, label=f"{field} pixels, {name}")
    drawn.set(xlim=(middle - half, middle + half), ylim=(middle + half, middle - half), xticks=[], yticks=[])
    drawn.set_facecolor("black")
    drawn.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.suptitle(title)
    return figure


def attributions(images: Array, shares: Array, captions: Sequence[str], title: str, columns: int = 6) -> Figure:
    """Pictures (N, H, W), and under each what its pixels add (N, H, W): red for the answer given, blue against it."""
    rows = max(1, -(-len(images) // columns))
    figure, axes = canvas(2 * rows, columns, size=(1.6 * columns, 3.35 * rows + 0.6), squeeze=False)
    for place in axes.flat:
        place.axis("off")
    for k, (image, share, caption) in enumerate(zip(images, shares, captions, strict=True)):
        above, below = axes[2 * (k // columns), k % columns], axes[2 * (k // columns) + 1, k % columns]
        above.imshow(image, cmap="gray", vmin=0, vmax=255)
        above.set_title(caption, fontsize=7.5)
        limit = float(np.percentile(np.abs(share), 99.5)) or 1.0
        below.imshow(share, cmap="RdBu_r", vmin=-limit, vmax=limit)
    figure.suptitle(title)
    return figure


def mosaic(
    pictures: Array, title: str, rows: Sequence[str] = (), columns: Sequence[str] = (), side: float = 0.62
) -> Figure:
    """Bytes (R, C, H, W) or (R, C, H, W, 3) as one picture, named by row and by column; `side` of each in inches."""
    down, across, height, width = pictures.shape[:4]
    gap = max(1, height // 14)
    framed = np.pad(
        pictures, ((0, 0), (0, 0), (0, gap), (0, gap), *[(0, 0)] * (pictures.ndim - 4)), constant_values=255
    )
    order = (0, 2, 1, 3, *range(4, pictures.ndim))
    whole = framed.transpose(order).reshape(down * (height + gap), across * (width + gap), *pictures.shape[4:])
    label = 0.09 * max(map(len, rows), default=0)
    figure, axes = canvas(size=(max(side * across + label + 0.3, 0.085 * len(title)), side * down + 0.75))
    axes.imshow(whole[:-gap, :-gap], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_yticks(np.arange(len(rows)) * (height + gap) + height / 2, rows, fontsize=8)
    axes.set_xticks(np.arange(len(columns)) * (width + gap) + width / 2, columns, fontsize=8)
    axes.tick_params(length=0, top=False, labeltop=bool(columns), bottom=False, labelbottom=False)
    axes.spines[:].set_visible(False)
    figure.suptitle(title)
    return figure


def passage(text: str, values: Array, title: str, label: str, width: int = 64) -> Figure:
    """A text whose every character (N,) is tinted by its value, from zero up; lines longer than `width` are cut."""
    lines: list[list[tuple[str, float]]] = [[]]
    for character, value in zip(text, values, strict=True):
        lines[-1].append((character, float(value)))
        if character == "\n" or len(lines[-1]) >= width:
            lines.append([])
    tint = np.full((len(lines), width), np.nan)
    for row, content in enumerate(lines):
        tint[row, : len(content)] = [value for _, value in content]
    figure, axes = canvas(size=(0.1 * width + 1.0, 0.2 * len(lines) + 0.7))
    shown = axes.imshow(tint, cmap="Oranges", vmin=0, vmax=8, aspect="auto")
    for row, content in enumerate(lines):
        for column, (character, value) in enumerate(content):
            mark = {"\n": "¶", "\t": "→"}.get(character, character)
            axes.text(column, row, mark, ha="center", va="center", fontsize=8, family="monospace",
                      color="white" if value > 5 else INK, parse_math=False)  # fmt: skip
    axes.axis("off")
    figure.colorbar(shown, ax=axes, label=label, shrink=min(1, 6 / len(lines)), aspect=12)
    figure.suptitle(title)
    return figure


def specimens(texts: dict[str, str], title: str, lines: int = 14, columns: int = 2) -> Figure:
    """Texts side by side, each under its caption, their first lines but the blank ones."""
    rows = -(-len(texts) // columns)
    figure, axes = canvas(rows, columns, size=(5.6 * columns, (0.15 * lines + 0.4) * rows + 0.5), squeeze=False)
    for place in axes.flat:
        place.axis("off")
    for place, (caption, text) in zip(axes.flat, texts.items(), strict=False):
        wrapped = [part for line in text.expandtabs(4).split("\n") if line.strip() for part in _wrapped(line, 62)]
        place.text(0, 1, "\n".join(wrapped[:lines]), va="top", fontsize=8, family="monospace", color=INK,
                   parse_math=False, transform=place.transAxes)  # fmt: skip
        place.set_title(caption, fontsize=8, loc="left", color=BLUE)
    figure.suptitle(title)
    return figure


def _wrapped(line: str, width: int) -> list[str]:
    return [line[start : start + width] for start in range(0, max(len(line), 1), width)]
