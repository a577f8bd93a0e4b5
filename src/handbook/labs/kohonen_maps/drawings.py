"""The lab's figures, each with what was found as its title."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.evaluation.metrics import mean_interval
from handbook.labs.kohonen_maps import settings
from handbook.labs.kohonen_maps.settings import Applications, Errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREEN = "#2e8b57"
NAMES = {"topographic": "topographic error", "quantization": "quantization error by spread of rows"}


def _line(axes: Axes, found: Mapping[float, Errors], error: str, label: str, style: tuple[str, str]) -> None:
    """Means and intervals over a setting."""
    bounds = np.array([mean_interval(getattr(each, error)) for each in found.values()]).T
    mean, low, high = bounds
    colour, mark = style
    axes.errorbar([*found], mean, yerr=(mean - low, high - mean), fmt=mark, color=colour, ms=4, capsize=2, label=label)


def sigmas(data: Applications) -> Figure:
    """Errors by sigma at first, for both scalings."""
    found = settings.sigmas(data)
    figure, axes = canvas(1, 2, size=(9.4, 4.0))
    for place, (error, label) in zip(axes, NAMES.items(), strict=True):
        for (scaling, by), style in zip(found.items(), ((BLUE, "o-"), (ORANGE, "s--")), strict=True):
            _line(place, by, error, scaling, style)
        place.set(xlabel="sigma at first, in steps of the grid", ylabel=label)
        place.legend(frameon=False, fontsize=8)
        plain_axes(place)
    axes[0].set_yscale("symlog", linthresh=0.01)  # 0 has a place too
    lines = []
    for name, by in found.items():
        torn = {sigma: float(each.topographic.mean()) for sigma, each in by.items()}
        best = min(torn, key=lambda sigma: torn[sigma])
        lines.append(f"{name}: from 1 {torn[1.0]:.1%}, from 4 {torn[4.0]:.1%}; least from {best:g}, {torn[best]:.1%}")
    figure.suptitle("Rows that a map of 10 x 10 tears, by where sigma begins\n" + ";\n".join(lines))
    return figure


def sides(data: Applications) -> Figure:
    """Topographic and quantization error by side and share of it."""
    found = settings.sides(data)
    figure, axes = canvas(1, 2, size=(9.4, 4.0))
    styles = ((BLUE, "o-"), (ORANGE, "s--"), (GREEN, "^:"), (INK, "d-."))
    for place, (error, label) in zip(axes, NAMES.items(), strict=True):
        for (side, by), style in zip(found.items(), styles, strict=True):
            _line(place, by, error, f"{side} x {side}", style)
        place.axvline(0.5, color=GREY, ls="--", lw=1)
        place.set(xlabel="sigma at first, as a share of the side; the book's: a half", ylabel=label)
        place.legend(frameon=False, fontsize=8)
        plain_axes(place)
    half, tenth = (
        ", ".join(f"{found[side][share].topographic.mean():.0%}" for side in settings.SIDES) for share in (0.5, 0.1)
    )
    few, many = (found[settings.LARGE][share].topographic.mean() for share in settings.LARGE_SHARES)
    figure.suptitle(
        f"From half a side, maps of {', '.join(map(str, settings.SIDES))} a side tear {half} of the rows, from a tenth "
        f"{tenth};\n"
        f"100 x 100, with more units than rows, {few:.1%} from sigma 5 and {many:.1%} from 50"
    )
    return figure


def grids(data: Applications) -> Figure:
    """Errors and agreement of labels by the shape of the grid, and by angles."""
    found = settings.grids(data)
    figure, axes = canvas(1, 3, size=(10.2, 2.9), sharey=True)
    labels = {
        "topographic": "topographic error (of 8 or 6 neighbours)",
        "quantization": NAMES["quantization"],
        "agreement": "label as in the rest of the unit",
    }
    for place, (error, label) in zip(axes, labels.items(), strict=True):
        for k, each in enumerate(found.values()):
            mean, low, high = mean_interval(getattr(each, error))
            place.plot([low, high], [k, k], color=GREY, lw=2)
            place.plot(mean, k, "o", color=BLUE if k < len(settings.GRIDS) else INK)
        place.set_yticks(range(len(found)), list(found))
        place.set_xlabel(label, fontsize=8)
        plain_axes(place)
    axes[0].invert_yaxis()
    gap = mean_interval(found["square, by cosine"].agreement - found["square"].agreement)
    cost = mean_interval(found["square torus"].quantization / found["square"].quantization - 1)
    figure.suptitle(
        f"A torus in place of a square grid: quantization error {cost[0]:+.1%} ({cost[1]:+.1%} to {cost[2]:+.1%});\n"
        f"cosine in place of Euclid's distance: labels agree {gap[0]:+.1%} ({gap[1]:+.1%} to {gap[2]:+.1%})"
    )
    return figure
