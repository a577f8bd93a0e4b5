"""The pictures of a map's report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.cases.self_organising_map import maps
from handbook.data.tables import Table
from handbook.evaluation.metrics import gains

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from handbook.cases.self_organising_map import Model

PLANES = 12  # component planes drawn
MARKS = ("o", "s")  # of the two classes in figure 8.6
Floats = npt.NDArray[np.float64]


def curves(model: Model, labels: npt.NDArray[np.int64], scores: dict[str, Floats]) -> dict[str, Any]:
    """How the map learnt, and how it ranks."""
    from handbook.evaluation import figures as draw

    called, found = gains(labels, scores["map"])
    hundredth, tenth = np.interp([0.01, 0.1], called, found)
    retrained = f"; trained again without the {model.params.trim:.0%} farthest" if model.params.trim else ""
    title = f"Rows come to lie {model.history_[-1]['train_loss']:.3f} from their units{retrained}"
    return {
        "learning_curves": draw.learning_curves(model.history_, title, "quantisation error"),
        "curves": draw.curves(labels, scores, f"The map finds {hundredth:.0%} of the outliers in 1 % of the rows"),
        "gain": draw.gain(called, found, f"The tenth with the highest scores holds {tenth:.0%} of the outliers"),
    }


def pictures(model: Model, data: Table, predictions: pd.DataFrame) -> dict[str, Any]:
    """U-matrix, component planes in original units, and where on the map the classes are that were kept from it."""
    grid, name = model.grid, "mean distance to neighbouring units"
    unit = (predictions["map_row"] * grid.columns + predictions["map_column"]).to_numpy()
    held = np.stack([np.bincount(unit[data.target == k], minlength=grid.units) for k in (0, 1)])
    marks = dict(zip(data.classes, held / np.maximum(held.max(axis=1, keepdims=True), 1), strict=True))
    heights = maps.u_matrix(model.nodes, grid).cpu().numpy()
    torn = heights.max() / max(float(np.median(heights)), 1e-9)
    alone, reached = int(((held[1] > 0) & (held[0] == 0)).sum()), int((held[1] > 0).sum())
    planes = dict(list(model.planes().items())[:PLANES])
    found = f"{data.classes[1]} lies on {reached} of {grid.units} units, alone on {alone}"
    printed = {"distance_map": distance_map(model, data, predictions)} if model.params.white else {}
    return printed | {
        "u_matrix": maps.draw(grid, {name: heights}, f"At its widest gap the map is torn {torn:.1f} times its usual"),
        "planes": maps.draw(grid, planes, f"Of the numbers, {next(iter(planes))} varies most over the map"),
        "hits": maps.draw(grid, {name: heights}, found[0].upper() + found[1:], marks),
    }


def distance_map(model: Model, data: Table, predictions: pd.DataFrame) -> Figure:
    """Figure 8.6: each unit's distance to its neighbours in shades of bone, a circle or a square for who lies there."""
    from handbook.evaluation.figures import BLUE, ORANGE, canvas

    grid, called = model.grid, int(predictions["suspicious"].sum())
    heights = maps.distance_map(model.nodes.double(), grid).cpu().numpy().reshape(grid.rows, grid.columns)
    figure, axes = canvas(size=(7.4, 6.2))
    shown = axes.pcolormesh(heights.T, cmap="bone")  # as the book lays it: a row of the grid runs along x
    figure.colorbar(shown, ax=axes, label="distances to the neighbours, by the greatest sum")
    place = predictions[["map_row", "map_column"]].to_numpy() + 0.5
    for label, (marker, colour, size) in enumerate(zip(MARKS, (ORANGE, BLUE), (9, 14), strict=True)):
        at = np.unique(place[data.target == label], axis=0)
        axes.plot(*at.T, marker, mec=colour, mfc="none", ms=size, mew=2, ls="", label=data.classes[label])
    axes.set(xlabel="row of the grid", ylabel="column of the grid", aspect="equal")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(
        f"{int((heights > model.params.white).sum())} of {grid.units} units are white, above {model.params.white:g}:"
        f" {called} of {len(data):,} rows lie there"
    )
    return figure
