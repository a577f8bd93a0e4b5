"""Estimators of scikit-learn as graphs: behind their scaling, in double precision as far as the operators have it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from handbook.errors import HandbookError
from handbook.serving.export import trees
from handbook.serving.export.encodings import Rows, number, one_hot, place
from handbook.serving.export.graph import ML, OPSET, TREES, Graph

IN_SINGLE = ("sklearn.tree", "sklearn.ensemble")  # these round rows to 32 bits themselves, before any threshold


def scaled(graph: Graph, rows: Rows, encoder: Any) -> str:
    """Rows as numbers (N, D), as `data.schema.encoder` learnt them: standardised numbers, one-hot words."""
    blocks = []
    for kind, fitted, columns in encoder.transformers_:
        for k, name in enumerate(columns if kind in ("numbers", "words") else ()):
            if kind == "words":
                words = [str(word) for word in fitted.categories_[k]]
                blocks.append(one_hot(graph, place(graph, rows[name], words), len(words)))
            else:
                middle, spread = (graph.constant(np.float64(each[k])) for each in (fitted.mean_, fitted.scale_))
                off = graph.add("Sub", number(graph, rows[name]), middle)
                blocks.append(graph.columns(graph.add("Div", off, spread)))
    return graph.add("Concat", *blocks, axis=1)


def is_boosted(estimator: Any) -> bool:
    """Whether it is boosting over bins, which this package writes itself."""
    return type(estimator).__name__.startswith("HistGradientBoosting")


def innermost(estimator: Any) -> Any:
    """What learnt, behind encoder and scaling of the target."""
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    return getattr(last, "regressor_", last)


def probabilities(graph: Graph, rows: str, estimator: Any) -> str:
    """Class probabilities (N, K) of encoded rows (N, D)."""
    if is_boosted(estimator):
        total = trees.raw(graph, rows, estimator)
        return both(graph, graph.add("Sigmoid", total)) if estimator.n_trees_per_iteration_ == 1 else (
            graph.add("Softmax", total, axis=1)
        )  # fmt: skip
    return number(graph, _converted(graph, rows, estimator, {"zipmap": False})[1])


def both(graph: Graph, second: str) -> str:
    """The probabilities (N, 2) of two classes by that of the second (N, 1)."""
    first = graph.add("Sub", graph.constant(np.float64(1)), second)
    return graph.add("Concat", first, second, axis=1)


def values(graph: Graph, rows: str, estimator: Any) -> str:
    """Predicted values (N,) of encoded rows (N, D), in the target's unit."""
    inner = getattr(estimator, "regressor_", estimator)
    if is_boosted(inner):
        found = trees.raw(graph, rows, inner)
    elif type(inner).__name__ == "SVR":
        found = _by_support_vectors(graph, rows, inner)
    else:
        found = _converted(graph, rows, inner, {})[0]
    flat = graph.add("Reshape", number(graph, found), graph.constant(np.array([-1])))
    if inner is estimator:
        return flat
    scale = estimator.transformer_
    wide = graph.add("Mul", flat, graph.constant(np.float64(scale.scale_[0])))
    return graph.add("Add", wide, graph.constant(np.float64(scale.mean_[0])))


def _by_support_vectors(graph: Graph, rows: str, estimator: Any) -> str:
    """sum_s a_s K(s, x) + b of rows (N, D), (N, 1): ONNX's own operator has 32 bits, which are too few for the sum."""
    vectors = np.asarray(estimator.support_vectors_, dtype=np.float64)
    products = graph.add("MatMul", rows, graph.constant(vectors.T))  # (N, vectors)
    if estimator.kernel == "rbf":
        own = graph.add("ReduceSum", graph.add("Mul", rows, rows), graph.constant(np.array([1])), keepdims=1)
        sums = graph.add("Add", own, graph.constant((vectors**2).sum(axis=1)[None]))
        squares = graph.add("Sub", sums, graph.add("Mul", products, graph.constant(np.float64(2))))
        products = graph.add("Exp", graph.add("Mul", squares, graph.constant(np.float64(-estimator._gamma))))
    elif estimator.kernel != "linear":
        raise HandbookError(f"no graph is known for support vectors with the kernel {estimator.kernel!r}")
    weighed = graph.add("MatMul", products, graph.constant(np.asarray(estimator.dual_coef_, np.float64).T))
    return graph.add("Add", weighed, graph.constant(np.asarray(estimator.intercept_, np.float64)))


def _converted(graph: Graph, rows: str, estimator: Any, options: dict[str, Any]) -> list[str]:
    """skl2onnx's graph of an estimator, made part of ours; HandbookError where it has none."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    single = type(estimator).__module__.startswith(IN_SINGLE)
    kind = FloatTensorType if single else DoubleTensorType
    learnt = estimator[0] if hasattr(estimator, "steps") else estimator
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what scikit-learn and ONNX call deprecated in each other
        try:
            converted = convert_sklearn(
                estimator, initial_types=[("rows", kind([None, learnt.n_features_in_]))],
                target_opset={"": OPSET, ML: TREES}, options={id(estimator): options} if options else None,
            )  # fmt: skip
        except Exception as error:  # it has some thirty kinds of its own, and says much in each
            said = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise HandbookError(f"skl2onnx has no graph for a {type(estimator).__name__}: {said}") from None
    return graph.adopt(converted, {"rows": graph.cast(rows, np.float32) if single else rows})
