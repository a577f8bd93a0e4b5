"""Rules that say what the model does: a small tree that learns its answers (Craven and Shavlik 1996).

The tree is fitted to the model's decisions, on the rows that the model learnt from, calls and other answers weighing
alike, and judged by how often it decides as the model does on rows that neither has seen: its fidelity. What its rules
score against the truth is another question, and is answered beside it.
A path from the root to a leaf is a rule; rules are listed from the surest call down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.labs.responsible_use.caller import SEED, Caller, Floats, Numbers

DEPTHS, SHOWN_DEPTH, LEAST = (1, 2, 3, 4, 5, 6, 8), 3, 50  # LEAST rows in a leaf: a rule for fewer is none


@dataclass(frozen=True)
class Rule:
    """The conditions of one leaf, as people read them, and what the model does there."""

    text: str
    share: float  # of the test rows that it holds for
    called: float  # of those, how many the model calls


@dataclass(frozen=True)
class Surrogate:
    """A tree that stands for the model."""

    tree: Any
    fidelity: float  # balanced: the mean share of the called, and of the others, that it decides alike
    agreement: float  # share of the test rows that it decides alike
    accuracy: float  # balanced, against who bought
    leaves: int


def surrogate(caller: Caller, learn: Floats, judge: Floats, bought: npt.NDArray[np.int64], depth: int) -> Surrogate:
    """A tree of that depth on rows (N, A), judged on others, of which it is known who bought."""
    from sklearn.tree import DecisionTreeClassifier

    cut = np.log(caller.threshold / (1 - caller.threshold))
    least = min(LEAST, max(len(learn) // 20, 1))
    tree = DecisionTreeClassifier(
        max_depth=depth, min_samples_leaf=least, class_weight="balanced", random_state=SEED
    ).fit(learn, caller.margins(learn) >= cut)
    theirs, ours = caller.margins(judge) >= cut, tree.predict(judge).astype(bool)
    return Surrogate(
        tree, balanced(theirs, ours), float((theirs == ours).mean()), balanced(bought == 1, ours),
        int(tree.get_n_leaves()),
    )  # fmt: skip


def balanced(truth: npt.NDArray[np.bool_], answers: npt.NDArray[np.bool_]) -> float:
    """The mean of both sides' shares (of those that there are) that answers (N,) get right."""
    return float(np.mean([(answers == side)[truth == side].mean() for side in (False, True) if (truth == side).any()]))


def rules(found: Surrogate, numbers: Numbers, rows: Floats, called: npt.NDArray[np.bool_]) -> list[Rule]:
    """The tree's rules, the surest call first, with what the model (N,) does to the rows (N, A) that each holds for."""
    leaf = found.tree.apply(rows)
    listed = []
    for node, limits in _paths(found.tree.tree_):
        here = leaf == node
        if here.any():
            conditions = [_condition(numbers, name, *each) for name, each in limits.items()]
            listed.append(Rule(", ".join(conditions) or "everyone", float(here.mean()), float(called[here].mean())))
    return sorted(listed, key=lambda rule: (-rule.called, rule.text))


def _paths(tree: Any) -> list[tuple[int, dict[int, tuple[float, float]]]]:
    """Each leaf with the open lower and closed upper limit of every column that its path asks for."""
    leaves: list[tuple[int, dict[int, tuple[float, float]]]] = []
    waiting: list[tuple[int, dict[int, tuple[float, float]]]] = [(0, {})]
    while waiting:
        node, limits = waiting.pop()
        column, cut = int(tree.feature[node]), float(tree.threshold[node])
        if column < 0:
            leaves.append((node, limits))
            continue
        low, high = limits.get(column, (-np.inf, np.inf))
        waiting.append((int(tree.children_right[node]), limits | {column: (max(low, cut), high)}))
        waiting.append((int(tree.children_left[node]), limits | {column: (low, min(high, cut))}))
    return leaves


def _condition(numbers: Numbers, column: int, low: float, high: float) -> str:
    """`age 30 or more`, `month mar, sep or oct`; of many words, those that it is not."""
    name = numbers.names[column]
    words = numbers.words[name]
    if words is None:
        least, most = np.floor(low) + 1, np.floor(high)  # values are whole numbers, cuts lie between them
        if np.isinf(low):
            return f"{name} ≤ {most:,.0f}"
        return f"{name} ≥ {least:,.0f}" if np.isinf(high) else f"{name} {least:,.0f} to {most:,.0f}"
    inside = [word for k, word in enumerate(words) if low < k <= high]
    outside = [word for word in words if word not in inside]
    if len(inside) > len(outside):
        return f"{name} not {_either(outside)}"
    return f"{name} {_either(inside)}"


def _either(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
