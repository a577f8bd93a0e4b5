"""What a map's score is held against on the same rows, and what it is without a look at the rows that judge it.

Where the target marks the outliers, the map's score is chosen again on half of them and reported on the other half, for
the one on the page was found with all of them in sight. Where outliers are forged, which score suits is decided on
forged copies of training rows, and a classifier that is shown such copies says how much there is to be seen at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from handbook.cases.self_organising_map import maps
from handbook.cases.self_organising_map.finding import with_forged
from handbook.contract import Split
from handbook.data.tables import Table
from handbook.evaluation import outlying, paired
from handbook.evaluation.metrics import mean_interval

if TYPE_CHECKING:
    from handbook.cases.self_organising_map import Model, Params

SHARES = (0.01, 0.03, 0.1, 0.3)  # of the rows, whose nearest units make a score
WIDE = 0.1  # the share that the page's own score takes
NEIGHBOURS = (20, 500)  # of a local outlier factor: as its authors say, and as many as frauds can crowd together
SUPPORTS = (0.5, 0.9)  # of a robust covariance: the share of rows that it is of, the least there can be, and most
FOLDS = 5  # of the training rows
DRAWS = 200  # of the rows, for intervals
SHOWN = "forest shown forgeries"
ENOUGH = 20  # outliers, to choose on half of them
COPIES, FORGERS = 5, 300  # forged rows to a genuine one, and trees, of the classifier
Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def scores(model: Model, fitted: Tensor, rows: Tensor) -> dict[str, Floats]:
    """Scores (M,) of encoded rows by those that people use today, by the settings of their authors and by wider ones.

    A covariance is for measured numbers: of words one-hot it is singular, and left out.
    """
    from sklearn.ensemble import IsolationForest

    x, new = standardised(fitted, rows)
    forest = IsolationForest(n_estimators=model.params.forest_trees, random_state=model.params.seed)
    found = {
        "isolation_forest": -forest.fit(fitted.cpu().numpy()).score_samples(rows.cpu().numpy()),
        "autoencoder": outlying.autoencoder(x, new, seed=model.params.seed),
    }
    for neighbours in (each for each in NEIGHBOURS if each < len(x) / 2):
        found[f"local_outlier_factor_{neighbours}"] = outlying.local_outlier_factor(x, new, neighbours)
    if all(words is None for words in model.facts["like"].values()):
        for share in SUPPORTS:
            found[f"robust_covariance_{100 * share:.0f}"] = outlying.robust_covariance(x, new, share)
    return found


def standardised(fitted: Tensor, rows: Tensor) -> tuple[Any, Any]:
    """Both with the mean and the deviation of the first brought to 0 and 1, as float32; a constant stays as it is."""
    x, new = (each.cpu().double().numpy() for each in (fitted, rows))
    centre, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 0, spread, 1)
    return ((x - centre) / spread).astype(np.float32), ((new - centre) / spread).astype(np.float32)


@torch.inference_mode()
def by_shares(nodes: Tensor, hits: Tensor, rows: Tensor) -> dict[float, Floats]:
    """Mean distances (N,) to the nearest units that hold each of the shares, from one sorting of the distances."""
    found: list[list[Tensor]] = []
    for part in maps.blocks(rows, len(nodes)):
        distance, order = torch.cdist(part.double(), nodes.double()).sort(dim=1)
        held = hits.double()[order].cumsum(1)
        found.append([_mean_distance(distance, held, share * float(hits.sum())) for share in SHARES])
    return {share: torch.cat(each).cpu().numpy() for share, each in zip(SHARES, zip(*found, strict=True), strict=True)}


def _mean_distance(distance: Tensor, held: Tensor, needed: float) -> Tensor:
    taken = held.clamp(max=needed).diff(dim=1, prepend=torch.zeros_like(held[:, :1]))
    return (distance * taken).sum(1) / needed


def choices(model: Model, plain: Model, rows: Tensor) -> dict[str, Floats]:
    """The scores (N,) among which the map's is chosen: of the map or of one not trimmed, by how many units."""
    found = {}
    for kind, each in {"fitted twice": model, "fitted once": plain}.items():
        nodes, hits = each.nodes.to(rows.device), each.hits.to(rows.device)
        found[f"{kind}, the nearest unit"] = each.examine(rows)[2]
        found |= {f"{kind}, units of {share:.0%}": of for share, of in by_shares(nodes, hits, rows).items()}
    return found


def on_the_other_half(labels: Labels, kinds: dict[str, Floats], others: dict[str, Floats], seed: int) -> dict[str, Any]:
    """The map's score with the best average precision on half of the rows, and what all are on the other half.

    Of the others too the best is chosen on the first half; `difference` is the map's lead over it, with the interval
    over rows drawn again for both alike.
    """
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(seed)
    first, second = _halves(labels, rng)
    best, rival = (
        max(each, key=lambda name: float(average_precision_score(labels[first], each[name][first])))
        for each in (kinds, others)
    )
    judged = {"map": kinds[best][second]} | {name: each[second] for name, each in others.items()}
    found: dict[str, Any] = {"chosen": best, "rival": rival, "outliers": int(labels[second].sum())}
    for metric, areas in paired.both(labels[second], judged, seed, DRAWS).items():
        drawn = areas | {"difference": areas["map"] - areas[rival]}
        found[metric] = {name: list(paired.estimate(each)) for name, each in drawn.items()}
    return found


def _halves(labels: Labels, rng: np.random.Generator) -> tuple[Labels, Labels]:
    """Positions of two halves, each with half of the ones."""
    parts = [np.array_split(rng.permutation(np.flatnonzero(labels == k)), 2) for k in (0, 1)]
    return np.sort(np.concatenate([parts[0][0], parts[1][0]])), np.sort(np.concatenate([parts[0][1], parts[1][1]]))


def choose_blindly(
    split: Split[Table], params: Params, fit: Callable[[Split[Table], Params], Model]
) -> dict[str, list[float]]:
    """ROC-AUC of the nearest unit and of units that hold a tenth, by forged copies of held-out training rows.

    Means over folds with their intervals, and that of their difference; no test row is looked at.
    """
    from sklearn.metrics import roc_auc_score

    parts = np.array_split(np.random.default_rng(params.seed).permutation(len(split.train)), FOLDS)
    areas = []
    for k, held_out in enumerate(parts):
        kept = np.sort(np.concatenate([part for other, part in enumerate(parts) if other != k]))
        model = fit(Split(split.train.take(kept), None, split.train.take(held_out), split.overall), params)
        features, labels = with_forged(split.train.take(np.sort(held_out)).features, np.random.default_rng(k))
        model.params = replace(params, share=WIDE)
        wide, _, near, _ = model.examine(model.encode(features))
        areas.append([float(roc_auc_score(labels, each)) for each in (near, wide)])
    near, wide = np.array(areas).T
    each = {"distance": near, "units of a tenth": wide, "difference": near - wide}
    return {name: list(mean_interval(values)) for name, values in each.items()}


def ceiling(
    model: Model, train: Table, rows: Tensor, labels: Labels, scores: dict[str, Floats]
) -> dict[str, dict[str, list[float]]]:
    """Both areas, with intervals, of all scores (M,) and of a forest that learnt from training rows and forged copies.

    It knows what no score is given, how outliers come about; what it finds in encoded rows (M, D) is there to be found.
    """
    from sklearn.ensemble import RandomForestClassifier

    features = train.features.drop(columns=list(model.params.ignore))
    shown, forged = with_forged(features, np.random.default_rng(model.params.seed + 1), COPIES)
    forest = RandomForestClassifier(
        FORGERS, min_samples_leaf=2, class_weight="balanced", random_state=model.params.seed
    ).fit(model.encode(shown).cpu().numpy(), forged)
    known = {SHOWN: forest.predict_proba(rows.cpu().numpy())[:, 1]}
    return {
        metric: {name: list(paired.estimate(each)) for name, each in areas.items()}
        for metric, areas in paired.both(labels, known | scores, model.params.seed, DRAWS).items()
    }
