"""A graph says by name what it takes and gives, whatever it is put together from."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from handbook.serving.export.graph import Graph
from tests.serving.export import toys


def doubled() -> Graph:
    graph = Graph()
    graph.output("twice", graph.add("Mul", graph.input("x", np.float64), graph.constant(np.float64(2))), np.float64)
    return graph


def test_a_graph_answers_any_number_of_rows_and_keeps_what_is_known_of_it() -> None:
    for rows in (1, 7):
        np.testing.assert_array_equal(toys.ran(doubled(), {"x": np.arange(float(rows))})[0], 2 * np.arange(float(rows)))
    model = doubled().model("a toy", {"case": "toy"})
    assert {each.key: each.value for each in model.metadata_props} == {"case": "toy"}
    assert model.SerializeToString() == doubled().model("a toy", {"case": "toy"}).SerializeToString()


def test_another_graph_becomes_a_part_however_its_values_are_called() -> None:
    graph = Graph()
    x = graph.input("x", np.float64)
    (once,) = graph.adopt(doubled().model("part", {}), {"x": x})
    (again,) = graph.adopt(doubled().model("part", {}), {"x": once})
    graph.output("four", again, np.float64)
    np.testing.assert_array_equal(toys.ran(graph, {"x": np.array([1.5])})[0], [6.0])


def test_words_go_through_a_graph_as_they_are() -> None:
    graph = Graph()
    place = graph.input("place", np.int64)
    graph.output("word", graph.add("Gather", graph.constant(["é", "b c"]), place), object)
    assert toys.ran(graph, {"place": np.array([1, 0])})[0].tolist() == ["b c", "é"]


def test_what_is_no_graph_is_found_before_it_is_written() -> None:
    graph = Graph()
    graph.output("y", "no such value", np.float64)
    with pytest.raises(onnx.checker.ValidationError):
        graph.model("toy", {})
