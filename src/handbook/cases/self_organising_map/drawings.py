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
CURVES = ("map", "plain_distance", "isolation_forest", "local_outlier_factor_500", "robust_covariance_90")
MARKS = ("o", "s")  # of the two classes in figure 8.6
Floats = npt.NDArray[np.float64]


def curves(model: Model, labels: npt.NDArray[np.int64], scores: dict[str, Floats]) -> dict[str, Any]:
    """How the map learnt, and how it ranks."""
    from handbook.evaluation import figures as draw

    called, found = gains(labels, scores["map"])
    hundredth, tenth = np.interp([0.01, 0.1], called, found)
    retrained = f";\ntrained again without the {model.params.trim:.0%} farthest" if model.params.trim else ""
    some = {name: scores[name] for name in CURVES if name in scores}
    title = f"Rows come to lie {model.history_[-1]['train_loss']:.3f} from their units{retrained}"
    ranked = draw.curves(labels, some, f"The map finds {hundredth:.0%} of the outliers in 1 % of the rows")
    ranked.axes[1].legend(frameon=False, fontsize=8, loc="lower left")  # where precision is high no curve goes
    return {
        "learning_curves": draw.learning_curves(model.history_, title, "quantisation error"),
        "curves": ranked,
        "gain": draw.gain(called, found, f"The tenth with the highest scores holds {tenth:.0%} of the outliers"),
    }


def leads(metrics: dict[str, Any]) -> dict[str, Any]:
    """Who leads: on outliers that chose nothing, or, where they are forged, below a forest that was shown some."""
    if "other_half" in metrics:
        half = metrics["other_half"]
        areas = {name: each for name, each in half["average_precision"].items() if name != "difference"}
        difference, low, high = half["average_precision"]["difference"]
        rival = half["rival"].replace("_", " ")
        word = "leads over" if low > 0 else "is behind" if high < 0 else "is level with"
        title = (
            f"Chosen on half of the outliers, on the other half\nthe map {word} the {rival}:\n"
            f"difference of average precision {difference:.3f} ({low:.3f} to {high:.3f})"
        )
        return {"other_half": _ranked(areas, title, f"average precision on the other {half['outliers']} outliers")}
    if "ceiling" not in metrics:
        return {}
    areas = metrics["ceiling"]["roc_auc"]
    best = max(metrics["algorithms"], key=lambda name: areas[name][0])
    known = next(name for name in areas if name not in metrics["algorithms"])
    title = (
        f"Of the scores that see no label, {best.replace('_', ' ')} is best with {areas[best][0]:.2f};\n"
        f"a {known} has {areas[known][0]:.2f}"
    )
    return {"ceiling": _ranked(areas, title, "ROC-AUC on genuine and forged rows")}


def _ranked(areas: dict[str, list[float]], title: str, label: str) -> Figure:
    """Value, low and high of each name, greatest first."""
    from handbook.evaluation import figures as draw

    names = sorted(areas, key=lambda name: -areas[name][0])
    values = np.array([areas[name] for name in names])
    return draw.ranking([name.replace("_", " ") for name in names], values[:, 0], values[:, 1:], title, label)


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
