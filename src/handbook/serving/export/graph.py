"""An ONNX graph as it is put together: inputs, constants, nodes and outputs, each value by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

OPSET, TREES, IR = 18, 3, 10  # of the operators, of those for trees and words, and of the file's format
NEWER_TREES = 5  # from here on trees may part words into two sets; the older operators for trees end with it
ML = "ai.onnx.ml"
MANY = "rows"  # the first dimension of everything: how many inputs are asked at once
Array = npt.NDArray[Any]


class Graph:
    """A graph that grows; what is added first runs first."""

    def __init__(self, trees: int = TREES) -> None:
        self.trees = trees
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.names = 0

    def input(self, name: str, kind: npt.DTypeLike, shape: tuple[int, ...] = ()) -> str:
        """What is asked: values (N, *shape) of that type, text where it is `object`."""
        self.inputs.append(_value(name, kind, shape))
        return name

    def output(self, name: str, value: str, kind: npt.DTypeLike, shape: tuple[int, ...] = ()) -> None:
        """What is answered: values (N, *shape) of that type, by this name."""
        from onnx import helper

        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(_value(name, kind, shape))

    def constant(self, value: Any) -> str:
        """An array that is part of the graph; of text where it is one of objects."""
        from onnx import helper, numpy_helper

        array, name = np.asarray(value), self._name("constant")
        if array.dtype.kind in "UO":
            words: Any = [str(word).encode() for word in array.reshape(-1)]
            self.constants.append(helper.make_tensor(name, _type(object), array.shape, words))
        else:
            self.constants.append(numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """The value of an operator on other values."""
        from onnx import helper

        name = self._name(operator)
        self.nodes.append(helper.make_node(operator, list(inputs), [name], domain=domain, **attributes))
        return name

    def cast(self, value: str, kind: npt.DTypeLike) -> str:
        return self.add("Cast", value, to=_type(kind))

    def columns(self, value: str) -> str:
        """Values (N,) as (N, 1)."""
        return self.add("Unsqueeze", value, self.constant(np.array([1])))

    def adopt(self, model: Any, values: Mapping[str, str]) -> list[str]:
        """Make another graph a part of this one, its inputs being these values; returns the names of its outputs."""
        from onnx import compose

        prefix = f"{self._name('part')}/"
        part = compose.add_prefix(model, prefix).graph
        given = {prefix + name: value for name, value in values.items()}
        for node in part.node:
            node.input[:] = [given.get(name, name) for name in node.input]
        self.nodes += list(part.node)
        self.constants += list(part.initializer)
        return [each.name for each in part.output]

    def model(self, title: str, facts: Mapping[str, str]) -> Any:
        """The whole as a file's content, checked, with what is to be known of it."""
        import onnx
        from onnx import helper

        graph = helper.make_graph(self.nodes, "handbook", self.inputs, self.outputs, self.constants, title)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, self.trees)]
        model = helper.make_model(
            graph, producer_name="handbook", opset_imports=opsets, ir_version=IR, doc_string=title
        )
        helper.set_model_props(model, dict(facts))
        onnx.checker.check_model(model)
        return model

    def _name(self, kind: str) -> str:
        self.names += 1
        return f"{kind}_{self.names}"


def _type(kind: npt.DTypeLike) -> int:
    """ONNX's number of a type."""
    from onnx import TensorProto, helper

    return int(TensorProto.STRING if kind is object else helper.np_dtype_to_tensor_dtype(np.dtype(kind)))


def _value(name: str, kind: npt.DTypeLike, shape: tuple[int, ...]) -> Any:
    from onnx import helper

    return helper.make_tensor_value_info(name, _type(kind), [MANY, *shape])
