"""How compared algorithms did: their table, its intervals, and the figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from handbook.data.tables import Table
from handbook.evaluation.metrics import fold_interval
from handbook.training.selection import Algorithm, Array, one_thread

Bounds = dict[str, tuple[float, float]]  # the least and the greatest value that each metric can have


def compared(facts: dict[str, Any], bounds: Bounds) -> dict[str, dict[str, Any]]:
    """Each algorithm's means over the folds with their intervals, the rows it learnt from, and its settings."""
    return {
        name: {metric: float(np.mean(values)) for metric, values in scores.items()}
        | {"interval": {key: list(fold_interval(values, *bounds[key])) for key, values in scores.items()}}
        | {"rows": facts["rows"][name], "chosen": facts["chosen"].get(name, {})}
        for name, scores in facts["scores"].items()
    }


def resampled(
    target: Array, answers: Array, measure: Callable[[Array, Array], dict[str, float]], strata: bool, seed: int
) -> dict[str, tuple[float, float]]:
    """95 % bootstrap intervals of every measure on test rows, drawn within each class where there are classes."""
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(target == label) for label in np.unique(target)] if strata else [np.arange(len(target))]
    draws = [np.concatenate([rng.choice(group, len(group)) for group in groups]) for _ in range(200)]
    found = [measure(target[rows], answers[rows]) for rows in draws]
    bounds = {name: np.percentile([each[name] for each in found], [2.5, 97.5]) for name in found[0]}
    return {name: (float(low), float(high)) for name, (low, high) in bounds.items()}


def importances(model: Any, table: Table, scoring: str, seed: int, rows: int = 3000) -> tuple[list[str], Array, Array]:
    """Permutation importances (Breiman 2001): attributes, greatest first, what of the score each is worth, spread."""
    from sklearn.inspection import permutation_importance

    some = table.take(np.arange(min(rows, len(table))))  # a test split is shuffled already
    with one_thread():
        found = permutation_importance(
            model, some.features, some.target, scoring=scoring, n_repeats=5, random_state=seed
        )
    order = np.argsort(-found.importances_mean)
    names = [str(some.features.columns[i]) for i in order]
    return names, found.importances_mean[order], found.importances_std[order]


def pictures(
    facts: dict[str, Any], *, primary: str, loss: str, bounds: Bounds, label: str, loss_label: str
) -> dict[str, Any]:
    """What every comparison shows: the ranking, the learning curves, and the validation curves of the searches."""
    from handbook.evaluation import figures as draw

    ranked = compared(facts, bounds)
    names = sorted(ranked, key=lambda name: (name != facts["best"], -ranked[name][primary]))
    values = np.array([ranked[name][primary] for name in names])
    intervals = np.array([ranked[name]["interval"][primary] for name in names])
    level = int((intervals[:, 1] >= values[0]).sum()) - 1
    chosen = {name: _validation_lines(tried) for name, tried in facts["tried"].items()}
    curves = {
        name: {
            part: (np.array([row["rows"] for row in rows]), np.array([row[f"{part}_{loss}"] for row in rows]))
            for part in ("train", "valid")
        }
        for name, rows in facts["curves"].items()
    }
    last = next(iter(facts["curves"].values()))[-1]
    return {
        "ranking": draw.ranking(
            [f"{display_name(name)} ({ranked[name]['rows']:,} rows)" for name in names], values, intervals,
            f"{capital(display_name(names[0]))} is best; {level} more come within their intervals of it",
            f"{label}, mean and 95 % interval over folds",
        ),
        "learning_curves": draw.panels(
            {display_name(name): lines for name, lines in curves.items()},
            f"{capital(display_name(facts['best']))} on all rows: {last[f'train_{loss}']:.3f} in training, "
            f"{last[f'valid_{loss}']:.3f} held out", ["training rows"] * len(curves), loss_label,
        ),
        "validation_curves": draw.panels(
            {display_name(name): lines for name, (_, lines) in chosen.items()},
            "The settings that were searched, and what each scores", [axis for axis, _ in chosen.values()], label,
        ),
    }  # fmt: skip


def display_name(name: str) -> str:
    """`svc_rbf` as people write it."""
    return name.replace("_", " ").replace("svc", "SVC").replace("svr", "SVR").replace("rbf", "RBF")


def capital(words: str) -> str:
    """With a capital to begin a sentence, the others as they are."""
    return words[0].upper() + words[1:]


def _validation_lines(tried: list[dict[str, Any]]) -> tuple[str, dict[str, tuple[Array, Array]]]:
    """What was searched as lines: the setting with the most values is x, each combination of the others a line."""
    settings = [key for key in tried[0] if key != "score"]
    axis = max(settings, key=lambda key: len({row[key] for row in tried}))
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in tried:
        others = ", ".join(f"{key} {row[key]}" for key in settings if key != axis)
        lines.setdefault(others, []).append((row[axis], row["score"]))
    return axis, {name: tuple(np.array(sorted(points)).T) for name, points in lines.items()}


def drawn_tree(train: Table, algorithm: Algorithm, chosen: dict[str, Any]) -> Any:
    """The pruned tree in the attributes' own units: scaling moves no split, so none is needed to draw it."""
    from sklearn.base import clone
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OneHotEncoder

    from handbook.data.schema import categories
    from handbook.evaluation import figures as draw

    words = [name for name, known in categories(train.features).items() if known is not None]
    unscaled = make_column_transformer(
        (OneHotEncoder(sparse_output=False), words), remainder="passthrough", verbose_feature_names_out=False
    )
    numbers = unscaled.fit_transform(train.features)
    tree = clone(getattr(algorithm.estimator, "regressor", algorithm.estimator)).set_params(**chosen)
    tree.fit(numbers, train.target)
    names = [str(name) for name in unscaled.get_feature_names_out()]
    root = names[tree.tree_.feature[0]] if tree.tree_.node_count > 1 else "nothing"
    title = f"The pruned tree asks for {root} first, and has {tree.get_n_leaves()} leaves"
    return draw.tree(tree, names, train.classes or None, title)
