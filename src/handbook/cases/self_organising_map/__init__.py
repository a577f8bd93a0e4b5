"""A self-organising map that ranks outliers (chapter 8; Kohonen 1982, "Self-organized formation of feature maps").

Units on a grid each hold a point W among the rows. A row x pulls its best matching unit, and that unit's neighbours on
the grid, towards itself; so neighbours grow alike, and the grid becomes a map of the rows:

    W_j += L(t) theta_j(t) (x - W_j),   theta_j = exp(-d_j^2 / 2 sigma^2),   L = L0 e^(-t/lambda),   sigma likewise

with d_j the distance on the grid from the best matching unit. That is the online rule; the batch rule sets W_j to the
mean of all rows weighted by theta_j, once an epoch. The worked example of section 8.4 lets node 3 win at "0.4": it is
at 0.575 and node 9, at 0.567, is nearer; and its formula for the update forgets theta.

Section 8.5 describes the transactions, loads the applications, takes codes for numbers and two attributes for none,
calls frauds by eye what lies on units far from their neighbours, and judges nothing. Both files are here. `som_book` is
its recipe: 1,000 rows one after the other, the map of distances, the customers on its white units.

Among the transactions distance to the best matching unit is a poor score (`plain_distance`): a map gives units to
outliers too, and those lie close to them. Ours is the mean distance to the nearest units that hold a tenth of all rows
together: the k-th neighbour score of Ramaswamy, Rastogi and Shim (2000), units for rows. The map is then fitted again
without the rows that it found most outlying. No label is seen in fitting. The applications say nowhere who cheated, so
the outliers to find there are forged: the held-out rows with their attributes shuffled among them, each value genuine
and the whole not. There nothing crowds together, and the nearest unit that holds a row is the better score, chosen on
folds of the training rows. What either is among today's scores, and how far below what can be seen, says `rivals`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from handbook.cases.self_organising_map import maps, rivals
from handbook.cases.self_organising_map.drawings import curves, leads, pictures
from handbook.cases.self_organising_map.finding import everything, outliers, sentence, suspects
from handbook.cases.self_organising_map.maps import Grid
from handbook.contract import Split
from handbook.data import schema, tables
from handbook.data.tables import Table
from handbook.evaluation.metrics import binary
from handbook.evaluation.report import Report
from handbook.training.models import effort
from handbook.training.run import Run, device

if TYPE_CHECKING:
    import pandas as pd

PRIMARY = "roc_auc"
REASONS = 3  # attributes named for a row
OF_PROBABILITIES = ("log_loss", "brier_score_loss", "expected_calibration_error")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Params:
    seed: int  # of the start, the order, the held-out rows, and of the isolation forest
    grid_rows: int
    grid_columns: int
    hexagonal: bool  # six neighbours a unit; else eight, on a square grid
    principal_start: bool  # units start on the plane of the two main components; else on rows drawn at random
    batch_rule: bool  # one step an epoch, from all rows; else a step a row
    batch_size: int  # online: rows whose winners are looked up together; 1 is Kohonen's rule to the letter
    epochs: int
    iterations: int  # rows one after the other, with the decay of the book's library; 0: `epochs`, each in a new order
    sigma: tuple[float, ...]  # width of the neighbourhood in units, first and last
    learning_rate: tuple[float, ...]  # online only, first and last
    ignore: tuple[str, ...]  # attributes left out
    numeric: bool  # codes are numbers, as the book has them; else words, one-hot
    logarithm: tuple[str, ...]  # attributes taken as log(1 + x): amounts and counts, 0 or more
    share: float  # of the rows, whose nearest units make the score
    trim: float  # share of the rows, the most outlying, that the second fit leaves out; 0: no second fit
    called: float  # share of the rows that is called suspicious
    white: (
        float  # of the greatest distance between neighbours, from which on the book calls a unit's rows; 0: our score
    )
    held_out: float  # share kept from fitting, whose shuffled copies are to be found; 0: the target marks the outliers
    forest_trees: int  # of the isolation forest beside it

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name in ("grid_rows", "grid_columns", "batch_size", "epochs", "forest_trees") and value < 1:
                raise ValueError(f"{name} must be 1 or more, found {value}")
            if name in ("sigma", "learning_rate") and (len(value) != 2 or min(value) <= 0):
                raise ValueError(f"{name} must be two numbers above 0, first and last, found {value}")
            least = {"share": 1e-6, "called": 1e-6, "trim": 0.0, "held_out": 0.0, "white": 0.0}.get(name)
            if least is not None and not least <= value < 1:
                raise ValueError(f"{name} must be in [{least:g}, 1), found {value}")


def numbers(column: pd.Series) -> Floats:
    """A column's numbers (N,), NaN for a code that is none."""
    import pandas as pd

    return np.asarray(pd.to_numeric(column, errors="coerce"), dtype=np.float64)


class Model(nn.Module):
    """Rows of a DataFrame in; units, distances, scores and reasons out."""

    history_: list[dict[str, float]]
    training_: dict[str, Any]
    nodes: Tensor  # (units, D)
    hits: Tensor  # (units,): rows that each unit matched when the map was fitted

    def __init__(self, params: Params, **facts: Any) -> None:
        """facts: `like`, each attribute's words, None for numbers; `low`, `high`, `usual` of numbers; `threshold`."""
        super().__init__()
        self.params, self.facts = params, facts
        self.grid = Grid(params.grid_rows, params.grid_columns, params.hexagonal)
        columns = {name: None if params.numeric else words for name, words in facts["like"].items()}
        self.owner = [name for name, words in columns.items() for _ in words or [name]]  # of each encoded column
        self.register_buffer("nodes", torch.zeros(self.grid.units, len(self.owner)))
        self.register_buffer("hits", torch.zeros(self.grid.units))

    def encode(self, rows: pd.DataFrame) -> Tensor:
        """Rows as (N, D): numbers 0-1 over the fitted rows, and words one-hot, two of them as far apart as 0 from 1."""
        parts = []
        for name, words in self.facts["like"].items():
            if words is not None and not self.params.numeric:
                parts.append((rows[name].to_numpy()[:, None] == np.asarray(words)) / np.sqrt(2))
                continue
            low, high = (self._lifted(name, self.facts[side][name]) for side in ("low", "high"))
            values = self._lifted(name, numbers(rows[name]))
            scaled = (values - low) / (float(high - low) or 1.0)
            parts.append(np.where(np.isnan(scaled), 0.5, scaled)[:, None])  # a code that is no number: the middle
        # a rule that takes a few rows at a time waits for an accelerator longer than it computes
        where = device(double=True) if self.params.batch_rule else torch.device("cpu")
        return torch.from_numpy(np.concatenate(parts, axis=1).astype(np.float32)).to(where)

    def _lifted(self, name: str, values: Any) -> Any:
        return np.log1p(np.maximum(values, 0)) if name in self.params.logarithm else values

    def planes(self) -> dict[str, Floats]:
        """What units (units,) hold of each number, in original units; what varies most over the map comes first."""
        levels = {name: self.nodes[:, self.owner.index(name)].cpu().double().numpy() for name in self.facts["low"]}
        for name in (ordered := sorted(levels, key=lambda each: -levels[each].std())):
            low, high = (self._lifted(name, self.facts[side][name]) for side in ("low", "high"))
            lifted = low + levels[name] * (high - low)
            levels[name] = np.expm1(lifted) if name in self.params.logarithm else lifted
        return {name: levels[name] for name in ordered}

    def organise(self, rows: Tensor, seed: int) -> list[dict[str, float]]:
        """Fit the map to encoded rows."""
        p, draw = self.params, torch.Generator().manual_seed(seed)
        start = maps.principal_start(rows, self.grid) if p.principal_start else maps.random_start(rows, self.grid, draw)
        if p.batch_rule:
            self.nodes, history = maps.batch(rows, start, self.grid, p.epochs, p.sigma)
        elif p.iterations:
            self.nodes, history = maps.iterated(rows, start, self.grid, p.iterations, p.sigma, p.learning_rate)
        else:
            self.nodes, history = maps.online(
                rows, start, self.grid, p.epochs, p.sigma, p.learning_rate, p.batch_size, draw
            )
        self.hits = maps.hits(rows, self.nodes).float()
        return history

    @torch.inference_mode()
    def examine(self, rows: Tensor) -> tuple[Floats, npt.NDArray[np.int64], Floats, Floats]:
        """Of encoded rows: outlier score, best matching unit, distance to it, (N,); each attribute's part (N, A)."""
        names = list(self.facts["like"])
        belongs = torch.tensor([[own == name for name in names] for own in self.owner]).double().to(rows.device)
        nodes, found = self.nodes.to(rows.device).double(), []
        for part in maps.blocks(rows, len(nodes)):
            x = part.double()
            distance = torch.cdist(x, nodes)
            weight = maps.nearest_units(distance, self.hits.to(rows.device), self.params.share)
            squares = x.square() - 2 * x * (weight @ nodes) + weight @ nodes.square()  # (B, D)
            nearest = distance.min(dim=1)
            found.append(((weight * distance).sum(1), nearest.indices, nearest.values, squares @ belongs))
        score, unit, near, apart = (np.asarray(torch.cat(each).cpu()) for each in zip(*found, strict=True))
        if self.params.white:
            score = maps.distance_map(self.nodes.double(), self.grid).cpu().numpy()[unit]
        return score, unit, near, apart


def split(data: Table, params: Params) -> Split[Table]:
    """A share of the rows to judge by; all rows for both where the target marks the outliers. `overall`: all words."""
    like = dict(sorted(schema.categories(data.features.drop(columns=list(params.ignore))).items()))
    inliers, held_out = tables.split(data, params.held_out, params.seed) if params.held_out else (data, data)
    return Split(inliers, None, held_out, overall=like)


def fit(split: Split[Table], params: Params, run: Run | None = None) -> Model:
    """Fit the map, and again without the most outlying rows; no target is seen."""
    features, like = split.train.features.drop(columns=list(params.ignore)), dict(split.overall)
    values = {name: numbers(features[name]) for name, words in like.items() if params.numeric or words is None}
    low, high = ({name: float(side(each)) for name, each in values.items()} for side in (np.min, np.max))
    usual = {name: [float(np.quantile(each, q)) for q in (0.05, 0.95)] for name, each in values.items()}
    model = Model(params, like=like, low=low, high=high, usual=usual, threshold=0.0)
    rows, started = model.encode(features), time.perf_counter()
    history = model.organise(rows, params.seed)
    if params.trim:
        score = model.examine(rows)[0]
        inliers = torch.from_numpy(score <= np.quantile(score, 1 - params.trim)).to(rows.device)
        history += [row | {"epoch": row["epoch"] + params.epochs} for row in model.organise(rows[inliers], params.seed)]
    model.history_ = history
    model.training_ = effort(time.perf_counter() - started, len(rows), len(history), rows.device.type)
    model.facts["threshold"] = params.white or float(np.quantile(model.examine(rows)[0], 1 - params.called))
    for row in history if run and run.tell else []:
        run.tell(row)  # type: ignore[union-attr, misc]
    return model


def predict(model: Model, inputs: pd.DataFrame) -> pd.DataFrame:
    """How outlying rows are, whether that is suspicious, their place on the map, and the attributes that make it so.

    Raises ValueError for a column that is missing or of the wrong type, a missing or infinite value, one that has no
    place on the map, and for no rows.
    """
    import pandas as pd

    rows = schema.check_rows(inputs, model.facts["like"])
    score, unit, near, apart = model.examine(placed(model, rows))
    names = np.asarray(list(rows.columns))[np.argsort(-apart, axis=1, kind="stable")[:, :REASONS]]
    return pd.DataFrame(
        {
            "outlier_score": score,
            "suspicious": score > model.facts["threshold"],
            "map_row": unit // model.grid.columns,
            "map_column": unit % model.grid.columns,
            "distance": near,
            **{f"reason_{k + 1}": names[:, k] for k in range(names.shape[1])},
        },
        index=rows.index,
    )


def placed(model: Model, rows: pd.DataFrame) -> Tensor:
    """Rows as the map takes them, (N, D); ValueError for a number below 0 that stands for an amount, or one that is too
    large for 32 bits."""
    for name in sorted(set(rows) & set(model.params.logarithm)):
        if (least := rows[name].min()) < 0:
            raise ValueError(f"column {name!r}: expected 0 or more, found {least:g}")
    with np.errstate(over="ignore"):  # which is what is looked for
        encoded = model.encode(rows)
    for name in rows:
        if not encoded[:, [own == name for own in model.owner]].isfinite().all():
            raise ValueError(
                f"column {name!r}: {np.abs(numbers(rows[name])).max():g} lies too far off to be placed on the map"
            )
    return encoded


def example(split: Split[Table]) -> pd.DataFrame:
    """A few rows as a user would send them."""
    return split.test.features.iloc[:4]


def evaluate(model: Model, split: Split[Table]) -> Report:
    """Judge the ranking on the same rows as plainer ones, and as what others use (`rivals`)."""
    p, data = model.params, everything(split, model.params)
    predictions = predict(model, data.features)
    features, labels = outliers(split.test, p)
    rows, fitted = model.encode(features), model.encode(split.train.features)
    own = predict(model, features) if p.held_out else predictions
    plain = Model(p, **model.facts)
    plain.organise(fitted, p.seed)
    others = rivals.scores(model, fitted, rows)
    scores = {
        "map": own["outlier_score"].to_numpy(),
        "map_distance": own["distance"].to_numpy(),
        "plain_distance": plain.examine(rows)[2],
    } | others
    compared = {name: maps.ranked(labels, each) for name, each in scores.items()}
    flat, interval = binary(labels, scores["map"], np.random.default_rng(p.seed), model.facts["threshold"])
    quantization, topographic = maps.errors(fitted, model.nodes.to(fitted), model.grid)
    metrics = flat | compared["map"] | {"quantization_error": quantization, "topographic_error": topographic}
    metrics["algorithms"] = compared
    if p.white:  # what the book reads off is a height, and no probability
        metrics = {name: value for name, value in metrics.items() if name not in OF_PROBABILITIES}
        metrics["share_called"] = float(predictions["suspicious"].mean())
    if p.held_out:
        metrics["class_roc_auc"] = maps.ranked(data.target, predictions["outlier_score"].to_numpy())["roc_auc"]
        metrics["ceiling"] = rivals.ceiling(model, split.train, rows, labels, scores)
        if not p.white:
            metrics["on_training_rows"] = rivals.choose_blindly(split, p, fit)
    elif labels.sum() >= rivals.ENOUGH:
        metrics["other_half"] = rivals.on_the_other_half(labels, rivals.choices(model, plain, rows), others, p.seed)
    finding = sentence(model, data, predictions, metrics, interval[PRIMARY])
    chance = {"roc_auc": 0.5, "average_precision": float(labels.mean()), "lift_at_10_percent": 1.0}
    drawn = curves(model, labels, scores) | leads(metrics) | pictures(model, data, predictions)
    return Report(metrics, chance, interval, drawn, {"suspects": suspects(model, data, predictions)}, finding)
