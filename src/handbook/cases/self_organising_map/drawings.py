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

    from handbook.cases.self_organising_map import Model

PLANES = 12  # component planes drawn
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
    return {
        "u_matrix": maps.draw(grid, {name: heights}, f"At its widest gap the map is torn {torn:.1f} times its usual"),
        "planes": maps.draw(grid, planes, f"Of the numbers, {next(iter(planes))} varies most over the map"),
        "hits": maps.draw(grid, {name: heights}, found[0].upper() + found[1:], marks),
    }
