"""A graph makes of a row what `training.encodings` makes of it, to rounding: any words, any numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook.cases import mlp
from handbook.data import schema
from handbook.serving.export import encodings as graphs
from handbook.serving.export.agreement import feed
from handbook.serving.export.graph import Graph
from handbook.training import encodings
from tests.serving.export import toys
from tests.toys import CALLS


def rows_of(graph: Graph, rows: pd.DataFrame) -> Mapping[str, str]:
    kinds: dict[str, Any] = {"i": np.int64, "f": np.float64}
    return {str(name): graph.input(str(name), kinds.get(each.dtype.kind, object)) for name, each in rows.items()}


def strange(seed: int, n: int = 300) -> pd.DataFrame:
    """Calls with numbers beyond those that were learnt from, and a month that is none."""
    rng = np.random.default_rng(seed)
    months = rng.choice([*encodings.MONTHS, "thermidor"], n)
    return pd.DataFrame(
        {
            "age": rng.integers(-50, 150, n),
            "same": rng.integers(0, 20, n),
            "month": pd.array(months, dtype="str"),
            "day": rng.integers(1, 32, n),
        }
    )


@pytest.mark.parametrize("how", ["scales", "codes"])
def test_rows_are_encoded_as_training_encoded_them(how: str) -> None:
    learnt = encodings.dated(CALLS)
    words = schema.categories(learnt)
    columns = encodings.scales(learnt, {"age": 2.0}, 0.7) if how == "scales" else encodings.codes(learnt, words)
    rows = pd.concat([CALLS, strange(0)], ignore_index=True)
    graph = Graph()
    width = encodings.encoded(learnt, columns).shape[1]
    graph.output("x", graphs.encoded(graph, graphs.dated(graph, rows_of(graph, rows)), columns), np.float64, (width,))
    expected = encodings.encoded(encodings.dated(rows), columns)
    np.testing.assert_allclose(toys.ran(graph, feed(rows))[0], expected, rtol=0, atol=1e-12)


def test_numbers_are_cut_into_pieces_as_the_networks_page_cuts_them() -> None:
    learnt = encodings.dated(CALLS)
    columns = mlp.encoding(learnt, 9)
    rows = pd.concat([CALLS, strange(0)], ignore_index=True)
    graph = Graph()
    width = mlp.encoded(learnt, columns).shape[1]
    graph.output("x", graphs.encoded(graph, graphs.dated(graph, rows_of(graph, rows)), columns), np.float64, (width,))
    expected = mlp.encoded(encodings.dated(rows), columns)
    np.testing.assert_allclose(toys.ran(graph, feed(rows))[0], expected, rtol=0, atol=1e-7)


def test_values_between_beyond_and_at_the_points_are_numpys() -> None:
    rng = np.random.default_rng(0)
    for points in (1, 2, 3, 200):
        at, score = np.sort(rng.normal(size=points)), rng.normal(size=points)
        values = np.concatenate([rng.normal(size=200) * 3, at])
        graph = Graph()
        graph.output("y", graphs.interpolated(graph, graph.input("x", np.float64), at, score), np.float64)
        np.testing.assert_allclose(toys.ran(graph, {"x": values})[0], np.interp(values, at, score), atol=1e-12)


def test_a_word_is_its_place_and_an_unknown_one_minus_one() -> None:
    words: dict[str, list[str] | None] = {"month": ["dec", "jan", "may"], "day": None}
    rows = strange(1)[["month", "day"]]
    graph = Graph()
    values = graphs.numbered(graph, rows_of(graph, rows), words)
    graph.output("x", graph.add("Concat", *values, axis=1), np.float64, (2,))
    expected = np.nan_to_num(encodings.numbered(rows, words), nan=-1)
    np.testing.assert_array_equal(toys.ran(graph, feed(rows))[0], expected)
