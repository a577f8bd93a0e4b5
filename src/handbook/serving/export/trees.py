"""Boosted trees over bins as one node of a graph: in double precision, with words that are parted into two sets.

Other tools that write ONNX know neither; a threshold that is rounded to 32 bits sends a row another way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from handbook.serving.export.graph import ML, Array, Graph

AT_MOST, AMONG = 0, 6  # the operator's words for a split of numbers, and of words
SUM = 1  # the trees' answers are added up
BITS = 32  # of a number of a set of bits


Branch = tuple[int, bool]  # where a row goes: a node or a leaf by its number, and whether it is a leaf


@dataclass
class Ensemble:
    """The nodes and leaves of all trees, numbered through, as the operator wants them."""

    features: list[int] = field(default_factory=list)
    splits: list[float] = field(default_factory=list)
    modes: list[int] = field(default_factory=list)
    ways: list[tuple[Branch, Branch]] = field(default_factory=list)  # of the rows that fit, and of the others
    members: list[float] = field(default_factory=list)  # the words of each set, a NaN after each
    leaves: list[tuple[int, float]] = field(default_factory=list)  # of which class, and what it adds
    roots: list[int] = field(default_factory=list)

    def split(self, feature: int, at: float, mode: int, ways: tuple[Branch, Branch]) -> None:
        """One more node."""
        self.features.append(feature)
        self.splits.append(at)
        self.modes.append(mode)
        self.ways.append(ways)


def raw(graph: Graph, rows: str, estimator: Any) -> str:
    """What the trees add up to, (N, K), of rows (N, D) whose words are places, -1 where a word is unknown."""
    order, tables = _layout(estimator)
    ensemble = Ensemble()
    for trees in estimator._predictors:
        for target, tree in enumerate(trees):
            _grow(ensemble, tree, target, tables)
    ordered = graph.add("Gather", rows, graph.constant(order), axis=1)
    total = graph.add("TreeEnsemble", ordered, domain=ML, **_attributes(ensemble, estimator.n_trees_per_iteration_))
    return graph.add("Add", total, graph.constant(np.asarray(estimator._baseline_prediction, dtype=np.float64)))


def _layout(estimator: Any) -> tuple[Array, dict[int, list[tuple[float, int]]]]:
    """The order in which the trees count the columns, and of those with words each place and its number there.

    A word that training never had, at the place -1, is a missing one to them: None has no number.
    """
    if estimator._preprocessor is None:
        return np.arange(estimator.n_features_in_), {}
    words, numbers = np.flatnonzero(estimator.is_categorical_), np.flatnonzero(~estimator.is_categorical_)
    known = estimator._preprocessor.named_transformers_["encoder"].categories_
    tables = {
        column: [(float(place), number) for number, place in enumerate(places) if not np.isnan(place)]
        for column, places in enumerate(known)
    }
    return np.concatenate([words, numbers]).astype(np.int64), tables


def _grow(ensemble: Ensemble, tree: Any, target: int, tables: dict[int, list[tuple[float, int]]]) -> None:
    nodes = tree.nodes
    inner = np.flatnonzero(~nodes["is_leaf"].astype(bool))
    first = len(ensemble.features)
    numbers = {int(node): first + k for k, node in enumerate(inner)}

    def branch(node: int) -> Branch:
        if node in numbers:
            return numbers[node], False
        ensemble.leaves.append((target, float(nodes["value"][node])))
        return len(ensemble.leaves) - 1, True

    ensemble.roots.append(first)
    if not len(inner):  # a tree of one leaf: the operator wants a split, of which both sides are that leaf
        leaf = branch(0)
        ensemble.split(0, 0.0, AT_MOST, (leaf, leaf))
        return
    for node in inner:
        left, right = branch(int(nodes["left"][node])), branch(int(nodes["right"][node]))
        feature = int(nodes["feature_idx"][node])
        if nodes["is_categorical"][node]:
            bits = tree.raw_left_cat_bitsets[nodes["bitset_idx"][node]]
            among = [place for place, number in tables[feature] if bits[number // BITS] >> (number % BITS) & 1]
            among += [-1.0] * bool(nodes["missing_go_to_left"][node])
            ensemble.members += [*among, np.nan]
            ensemble.split(feature, 0.0, AMONG, (left, right))
        else:
            ensemble.split(feature, float(nodes["num_threshold"][node]), AT_MOST, (left, right))


def _attributes(ensemble: Ensemble, targets: int) -> dict[str, Any]:
    from onnx import numpy_helper

    def tensor(values: Any, kind: Any = np.float64) -> Any:
        return numpy_helper.from_array(np.asarray(values, dtype=kind))

    sets = {"membership_values": tensor(ensemble.members)} if ensemble.members else {}
    return sets | {
        "n_targets": int(targets),
        "aggregate_function": SUM,
        "post_transform": 0,
        "tree_roots": ensemble.roots,
        "nodes_featureids": ensemble.features,
        "nodes_splits": tensor(ensemble.splits),
        "nodes_modes": tensor(ensemble.modes, np.uint8),
        "nodes_truenodeids": [yes[0] for yes, _ in ensemble.ways],
        "nodes_trueleafs": [int(yes[1]) for yes, _ in ensemble.ways],
        "nodes_falsenodeids": [no[0] for _, no in ensemble.ways],
        "nodes_falseleafs": [int(no[1]) for _, no in ensemble.ways],
        "leaf_targetids": [target for target, _ in ensemble.leaves],
        "leaf_weights": tensor([weight for _, weight in ensemble.leaves]),
    }
