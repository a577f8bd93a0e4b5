"""What all figures have in common: colours, an empty canvas, and the marks of samples and of forms."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Array = npt.NDArray[Any]
INK, BLUE, ORANGE, GREY = "#1f2933", "#1f6fb2", "#d9731a", "#9aa5b1"


def canvas(
    rows: int = 1, columns: int = 1, size: tuple[float, float] = (6.4, 4.2), **kwargs: Any
) -> tuple[Figure, Any]:
    """A figure and its axes, laid out so that nothing is cut off."""
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, **kwargs)


def plain_axes(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)


def mark_sample(figure: Figure) -> None:
    """Say on the picture itself that it shows sample data."""
    figure.text(
        0.5,
        0.5,
        "SAMPLE DATA",
        fontsize=34,
        color="#b00020",
        alpha=0.22,
        ha="center",
        va="center",
        rotation=25,
    )
    figure.supxlabel("made from sample data: not a result", fontsize=8, color="#b00020")


def mark_form(figure: Figure, dataset: str, form: str) -> None:
    """Say below the picture which form of the data it shows, where they are published in several."""
    figure.supxlabel(f"data: {dataset} ({form})", fontsize=8, color="#5b6773")
