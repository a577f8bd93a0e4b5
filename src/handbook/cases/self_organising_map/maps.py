"""Self-organising maps (Kohonen 1982): the grid, the online and the batch rule, errors, outlier score, drawing.

Tensors on whatever device they lie on; `rows` (N, D), `nodes` (units, D). The distances of a few thousand rows to all
units are in memory at a time, never those of all rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from handbook.errors import HandbookError
from handbook.evaluation.metrics import lift

if TYPE_CHECKING:
    from matplotlib.figure import Figure


CELLS = {"cpu": 2**17, "cuda": 2**26}  # distances at a time: what a core's cache holds, what keeps a GPU busy
PARTS = 10  # of a training by iterations, each a row of its history
HANDFUL = 512  # rows at a time at least: fewer, and calling costs more than computing
Array = npt.NDArray[Any]
Decay = tuple[float, ...]  # first value and last


@dataclass(frozen=True)
class Grid:
    """Where the units are: neighbours at distance 1, every other row of a hexagonal grid shifted by half a unit."""

    rows: int
    columns: int
    hexagonal: bool

    @property
    def units(self) -> int:
        return self.rows * self.columns

    def positions(self) -> Tensor:
        """(units, 2), x and y; a row of the grid after the other."""
        y, x = torch.meshgrid(torch.arange(self.rows).double(), torch.arange(self.columns).double(), indexing="ij")
        if self.hexagonal:
            x, y = x + (y % 2) / 2, y * math.sqrt(0.75)
        return torch.stack([x.flatten(), y.flatten()], dim=1)

    def squared(self) -> Tensor:
        """Squared distances on the grid (units, units)."""
        place = self.positions()
        return (place[:, None] - place[None]).square().sum(dim=2)

    def adjacent(self) -> Tensor:
        """Neighbours (units, units): six to a unit of a hexagonal grid, eight on a square one, fewer at the rim."""
        squared = self.squared()
        return (squared > 0) & (squared < (1.01 if self.hexagonal else 2.01))


def decayed(first_last: Decay, progress: Tensor | float) -> Tensor:
    """first e^(-t / lambda), lambda such that it ends at last (section 8.4); progress t / T is 0-1."""
    first, last = first_last
    return torch.exp(torch.as_tensor(progress, dtype=torch.float64) * math.log(last / first)) * first


def slowed(first_last: Decay, progress: Tensor | float) -> Tensor:
    """first / (1 + c t / T), c such that it ends at last; at a third of first, that of MiniSom, the book's library."""
    first, last = first_last
    return first / (1 + torch.as_tensor(progress, dtype=torch.float64) * (first / last - 1))


def neighbourhood(squared: Tensor, sigma: Tensor | float) -> Tensor:
    """theta = exp(-d^2 / 2 sigma^2), how much of a pull reaches a unit at squared distance d^2 on the grid."""
    return torch.exp(-squared / (2 * sigma**2))


def blocks(rows: Tensor, units: int) -> Iterator[Tensor]:
    """The rows in parts, so that the distances to all units need the same memory however many rows there are."""
    yield from torch.split(rows, max(HANDFUL, CELLS.get(rows.device.type, 2**20) // units))


def matched(part: Tensor, nodes: Tensor) -> tuple[Tensor, Tensor]:
    """Best matching units of rows (B, D), and the distances to them, both (B,)."""
    # |x - w|^2 = |x|^2 + 2 (|w|^2 / 2 - x w), and the first term is the same for all units
    half, unit = torch.addmm(nodes.square().sum(1) / 2, part, nodes.T, alpha=-1).min(dim=1)
    return unit, (2 * half + part.square().sum(1)).clamp_min(0).sqrt()


def batch_epoch(rows: Tensor, nodes: Tensor, theta: Tensor) -> tuple[Tensor, float]:
    """Nodes after one step of the batch rule, theta (units, units); and the quantisation error before it."""
    sums, hits, error = torch.zeros_like(nodes), nodes.new_zeros(len(nodes)), 0.0
    for part in blocks(rows, len(nodes)):
        unit, distance = matched(part, nodes)
        sums.index_add_(0, unit, part)
        hits += torch.bincount(unit, minlength=len(nodes))
        error += float(distance.sum())
    theta = theta.to(nodes)
    weight = (theta @ hits)[:, None]
    # a unit that no row pulls, however weakly, stays where it is
    return torch.where(weight > 1e-30, theta @ sums / weight.clamp_min(1e-30), nodes), error / len(rows)


def pulled(nodes: Tensor, rows: Tensor, pull: Tensor) -> Tensor:
    """Nodes after rows (B, D) have pulled them one after the other, by pull (B, units) of 0-1.

    W += pull (x - W), B times over, in one step: a row counts by its pull times what the later rows leave of it.
    """
    left = (1 - pull).flip(0).cumprod(0).flip(0)  # (B, units): what this row and all later ones leave
    after = torch.cat([left[1:], torch.ones_like(left[:1])])
    return nodes * left[0][:, None] + (pull * after).T @ rows


def online_epoch(
    rows: Tensor, nodes: Tensor, pull: Callable[[Tensor, Tensor], Tensor], size: int, order: Tensor
) -> tuple[Tensor, float]:
    """Nodes after rows have pulled in that order, and the mean distance at which they met them.

    `pull(unit, step)` gives (B, units) for winners (B,) at steps (B,); winners are looked up `size` rows at a time.
    """
    error = 0.0
    for step in torch.split(torch.arange(len(order)), size):
        part = rows[order[step].to(rows.device)]
        unit, distance = matched(part, nodes)
        error += float(distance.sum())
        nodes = pulled(nodes, part, pull(unit, step).to(nodes))
    return nodes, error / len(order)


def random_start(rows: Tensor, grid: Grid, draw: torch.Generator) -> Tensor:
    """Nodes on rows drawn at random, no row twice."""
    return rows[torch.randperm(len(rows), generator=draw)[: grid.units].to(rows.device)].clone()


def principal_start(rows: Tensor, grid: Grid) -> Tensor:
    """Nodes on the plane of the two main components, two deviations each way, the longer side along the first."""
    value, vector = torch.linalg.eigh(torch.cov(rows.T).reshape(rows.shape[1], -1).double())
    axes = (vector * value.clamp_min(0).sqrt())[:, -2:].flip(1).T  # (2, D), or (1, D) of a single column
    strongest = axes.gather(1, axes.abs().argmax(1, keepdim=True))
    axes = axes * torch.where(strongest < 0, -1.0, 1.0)  # an axis has no sign of its own
    place = grid.positions().to(rows.device)
    place = 4 * (place / place.amax(0).clamp_min(1e-9) - 0.5) * (place.amax(0) > 0)
    place = place if grid.columns >= grid.rows else place.flip(1)
    nodes: Tensor = rows.double().mean(0) + place[:, : len(axes)] @ axes
    return nodes.to(rows.dtype)


def batch(rows: Tensor, nodes: Tensor, grid: Grid, epochs: int, sigma: Decay) -> tuple[Tensor, list[dict[str, float]]]:
    """Train by the batch rule; nodes, and a row of history an epoch: quantisation error before it, width."""
    _enough(rows, grid)
    squared, history = grid.squared().to(rows.device), []
    for epoch in range(epochs):
        width = float(decayed(sigma, epoch / max(epochs - 1, 1)))
        nodes, error = batch_epoch(rows, nodes, neighbourhood(squared, width))
        history.append({"epoch": float(epoch + 1), "train_loss": error, "sigma": width})
    return nodes, history


def online(  # noqa: PLR0917 (the rule has as many settings)
    rows: Tensor, nodes: Tensor, grid: Grid, epochs: int, sigma: Decay, rate: Decay, size: int, draw: torch.Generator
) -> tuple[Tensor, list[dict[str, float]]]:
    """Train by the online rule, rate and width falling at every row; with size 1 it is Kohonen's to the letter."""
    _enough(rows, grid)
    squared, history = grid.squared().to(rows.device), []
    for epoch in range(epochs):

        def pull(unit: Tensor, step: Tensor, epoch: int = epoch) -> Tensor:
            progress = ((epoch + step / len(rows)) / epochs)[:, None].to(rows.device)
            return decayed(rate, progress) * neighbourhood(squared[unit], decayed(sigma, progress))

        nodes, error = online_epoch(rows, nodes, pull, size, torch.randperm(len(rows), generator=draw))
        width = float(decayed(sigma, (epoch + 1) / epochs))
        history.append({"epoch": float(epoch + 1), "train_loss": error, "sigma": width})
    return nodes, history


def iterated(  # noqa: PLR0917 (the rule has as many settings)
    rows: Tensor, nodes: Tensor, grid: Grid, iterations: int, sigma: Decay, rate: Decay
) -> tuple[Tensor, list[dict[str, float]]]:
    """Train as the book's library does: so many rows in the order of the table, from its top again at its end."""
    _enough(rows, grid)
    squared, history = grid.squared().to(rows.device), []
    ends = [round(iterations * k / PARTS) for k in range(PARTS + 1)]
    for number, (first, last) in enumerate(pairwise(ends), start=1):

        def pull(unit: Tensor, step: Tensor, first: int = first) -> Tensor:
            progress = ((first + step).double() / iterations)[:, None].to(rows.device)
            return slowed(rate, progress) * neighbourhood(squared[unit], slowed(sigma, progress))

        nodes, error = online_epoch(rows, nodes, pull, 1, torch.arange(first, last) % len(rows))
        width = float(slowed(sigma, last / iterations))
        history.append({"epoch": float(number), "train_loss": error, "sigma": width})
    return nodes, history


def _enough(rows: Tensor, grid: Grid) -> None:
    if len(rows) < grid.units:
        raise HandbookError(
            f"{len(rows)} rows are fewer than the {grid.units} units of a {grid.rows} x {grid.columns} map; "
            "choose a smaller grid or bring more rows"
        )


def hits(rows: Tensor, nodes: Tensor) -> Tensor:
    """How many rows each unit matches best (units,)."""
    return sum(
        (torch.bincount(matched(part, nodes)[0], minlength=len(nodes)) for part in blocks(rows, len(nodes))),
        start=torch.zeros(len(nodes), dtype=torch.int64, device=rows.device),
    )


def errors(rows: Tensor, nodes: Tensor, grid: Grid) -> tuple[float, float]:
    """Quantisation error, the mean distance to the best matching unit; and topographic error.

    The latter is the share of rows whose best and second-best units are no neighbours (Kiviluoto 1996).
    """
    adjacent, distance, torn = grid.adjacent().to(rows.device), 0.0, 0.0
    for part in blocks(rows, len(nodes)):
        near, unit = torch.cdist(part.double(), nodes.double()).topk(min(2, len(nodes)), dim=1, largest=False)
        distance += float(near[:, 0].sum())
        torn += float((~adjacent[unit[:, 0], unit[:, -1]]).sum())
    return distance / len(rows), torn / len(rows)


def u_matrix(nodes: Tensor, grid: Grid) -> Tensor:
    """Mean distance of each unit to its neighbours (units,) (Ultsch and Siemon 1990)."""
    adjacent = grid.adjacent().to(nodes)
    return (torch.cdist(nodes, nodes) * adjacent).sum(1) / adjacent.sum(1).clamp_min(1)


def distance_map(nodes: Tensor, grid: Grid) -> Tensor:
    """What the book draws (units,): the sum of each unit's distances to its neighbours, by the greatest such sum."""
    apart = (torch.cdist(nodes, nodes) * grid.adjacent().to(nodes)).sum(1)
    return apart / apart.max().clamp_min(1e-12)


def nearest_units(distance: Tensor, hits: Tensor, share: float) -> Tensor:
    """Weights (B, units) of the nearest units that hold `share` of all rows together, given distances (B, units).

    The last of them counts in part; each row's weights sum to 1.
    """
    order = distance.argsort(dim=1)
    held = hits.to(distance)[order]
    needed = share * held[:1].sum()
    taken = torch.minimum((needed - (held.cumsum(1) - held)).clamp_min(0), held) / needed
    return torch.zeros_like(distance).scatter_(1, order, taken)


def draw(grid: Grid, panels: dict[str, Any], title: str, marks: dict[str, Any] | None = None) -> Figure:
    """A panel for each list of values (units,), a cell a unit; marks (units,) of 0-1 as points whose area they are."""
    import numpy as np
    from matplotlib.collections import PolyCollection

    from handbook.evaluation.figures import BLUE, ORANGE, canvas

    columns = min(4, len(panels))
    lines = -(-len(panels) // columns)
    side = 5.4 if columns == 1 else 2.6
    figure, axes = canvas(lines, columns, size=(side * columns + 0.8, side * lines + 0.4), squeeze=False)
    for place in axes.flat:
        place.set_axis_off()
    angles = np.pi / 6 + np.arange(6) * np.pi / 3 if grid.hexagonal else np.pi / 4 + np.arange(4) * np.pi / 2
    corners = np.stack([np.cos(angles), np.sin(angles)], axis=1) / (math.sqrt(3) if grid.hexagonal else math.sqrt(2))
    centre = grid.positions().numpy()
    for place, (name, values) in zip(axes.flat, panels.items(), strict=False):
        cells = PolyCollection(list(centre[:, None] + corners), array=np.asarray(values, float), cmap="viridis")
        cells.set_edgecolor("face")
        place.add_collection(cells)
        for colour, (label, size) in zip((BLUE, ORANGE), (marks or {}).items(), strict=False):
            area = (side * 60 / max(grid.rows, grid.columns)) ** 2 * 0.4
            place.scatter(*centre.T, s=np.asarray(size) * area, color=colour, edgecolors="white", lw=0.4, label=label)
        if marks:
            legend = place.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, frameon=False)
            for handle in legend.legend_handles:
                handle.set_sizes([40.0])
        place.set_title(name, fontsize=9)
        place.set_aspect("equal")
        place.autoscale_view()
        figure.colorbar(cells, ax=place, shrink=0.7)
    figure.suptitle(title)
    return figure


def ranked(labels: Array, scores: Array, firsts: tuple[int, ...] = (50, 100, 500)) -> dict[str, float]:
    """How well scores (N,) put ones first: both areas, lift, and the share of ones among the first so many."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    order = np.argsort(-scores, kind="stable")
    return {
        "roc_auc": float(roc_auc_score(labels, scores)),
        "average_precision": float(average_precision_score(labels, scores)),
        "lift_at_1_percent": lift(labels, scores, 0.01),
        "lift_at_10_percent": lift(labels, scores, 0.1),
        **{f"precision_at_{k}": float(labels[order[:k]].mean()) for k in firsts if k <= len(labels)},
    }
