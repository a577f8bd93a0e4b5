"""What `training.encodings`, or the page `mlp`, makes of a row's attributes: in double precision, as there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from handbook.serving.export.graph import ML, Graph
from handbook.training.encodings import DATE, MONTHS, Columns

Rows = dict[str, str]  # the value (N,) of each attribute, by its name
DAYS = 30.5  # of a month, as `training.encodings.dated` counts them


def number(graph: Graph, value: str) -> str:
    return graph.cast(value, np.float64)


def place(graph: Graph, value: str, words: Sequence[str]) -> str:
    """Each word's place (N,) among the words; -1 for one that is not among them."""
    return graph.add(
        "LabelEncoder", value, domain=ML, keys_strings=list(words), values_int64s=list(range(len(words))),
        default_int64=-1,
    )  # fmt: skip


def dated(graph: Graph, rows: Mapping[str, str]) -> Rows:
    """The rows with the day of the year beside day and month, where they have both."""
    if not {"day", "month"} <= set(rows):
        return dict(rows)
    month = place(graph, rows["month"], MONTHS)
    middle = graph.constant(np.float64((len(MONTHS) - 1) / 2))
    known = graph.add("Where", _absent(graph, month), middle, number(graph, month))
    days = graph.add("Mul", known, graph.constant(np.float64(DAYS)))
    return {**rows, DATE: graph.add("Add", days, number(graph, rows["day"]))}


def _absent(graph: Graph, place: str) -> str:
    """Whether a word (N,) was not among those that are known."""
    return graph.add("Less", place, graph.constant(np.int64(0)))


def encoded(graph: Graph, rows: Mapping[str, str], columns: Columns) -> str:
    """Rows as numbers (N, D), column by column in the order of their names."""
    blocks = []
    for name, how in sorted(columns.items()):
        if "words" in how:
            places = place(graph, rows[name], how["words"])
            blocks.append(one_hot(graph, places, len(how["words"]), how.get("weight", 1.0)))
        elif "edges" in how:
            blocks.append(pieces(graph, number(graph, rows[name]), how["edges"]))
        elif "alphabet" in how:
            where = place(graph, rows[name], how["alphabet"])
            bent = interpolated(graph, number(graph, where), how["at"], how["score"])
            blocks.append(graph.columns(graph.add("Where", _absent(graph, where), graph.constant(np.float64(0)), bent)))
        else:
            bent = interpolated(graph, number(graph, rows[name]), how["at"], how["score"])
            blocks.append(graph.columns(bent))
    return graph.add("Concat", *blocks, axis=1)


def pieces(graph: Graph, value: str, edges: Sequence[float]) -> str:
    """How far values (N,) have come in each piece between the edges, 0-1, as (N, pieces)."""
    x = np.asarray(edges, dtype=np.float64)
    passed = graph.add("Sub", graph.columns(value), graph.constant(x[None, :-1]))
    share = graph.add("Div", passed, graph.constant(np.diff(x)[None]))
    return graph.add("Clip", share, graph.constant(np.float64(0)), graph.constant(np.float64(1)))


def one_hot(graph: Graph, place: str, words: int, weight: float = 1.0) -> str:
    """Places (N,) as (N, words): the weight at each place, and zeros where there is none."""
    hit = graph.add("Equal", graph.columns(place), graph.constant(np.arange(words, dtype=np.int64)[None]))
    return graph.add("Mul", number(graph, hit), graph.constant(np.float64(weight)))


def interpolated(graph: Graph, value: str, at: Sequence[float], score: Sequence[float]) -> str:
    """`numpy.interp` of values (N,): straight between the points, and constant beyond the first and the last."""
    x, y = np.asarray(at, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if x[0] == x[-1]:  # a column that was constant in training
        return graph.add("Add", graph.add("Mul", value, graph.constant(np.float64(0))), graph.constant(y[-1]))
    within = graph.add("Clip", value, graph.constant(x[0]), graph.constant(x[-1]))
    beyond = graph.add("GreaterOrEqual", graph.columns(within), graph.constant(x[None, :-1]))  # (N, points - 1)
    passed = graph.add("ReduceSum", graph.cast(beyond, np.int64), graph.constant(np.array([1])), keepdims=0)
    piece = graph.add("Sub", passed, graph.constant(np.int64(1)))
    slope, left, base = (graph.add("Gather", graph.constant(each), piece) for each in (np.diff(y) / np.diff(x), x, y))
    return graph.add("Add", graph.add("Mul", slope, graph.add("Sub", within, left)), base)


def numbered(graph: Graph, rows: Mapping[str, str], words: Mapping[str, list[str] | None]) -> Iterable[str]:
    """Rows as trees take them, a value (N, 1) an attribute by name: a number, or a word's place, -1 where unknown."""
    for name, known in sorted(words.items()):
        value = rows[name] if known is None else place(graph, rows[name], known)
        yield graph.columns(number(graph, value))
