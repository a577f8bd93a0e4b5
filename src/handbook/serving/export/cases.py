"""Which graph a case's model becomes: from inputs as a user has them to the columns that `predict` answers with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from handbook.errors import HandbookError
from handbook.serving.choice import Chosen, columns_of, form_of, kind_of
from handbook.serving.export import encodings, estimators
from handbook.serving.export.encodings import Rows
from handbook.serving.export.graph import NEWER_TREES, TREES, Graph
from handbook.training.models import Fitted

KINDS = {str: object, int: np.int64, float: np.float64}
IN_DOUBLE, IN_SINGLE = 1e-12, 2e-7  # that a probability may be off by rounding, in 64 bits and in 32
UNFIT = {
    "prompts": "it writes a text letter by letter, each drawn by chance after those before, and a graph draws nothing",
    "latents": "it draws pictures from seeds by torch's own random numbers, and a graph has none of these",
}


def graph_of(chosen: Chosen) -> Graph:
    """The graph of a model; HandbookError that says why there is none."""
    kind = kind_of(chosen)
    if kind in UNFIT:
        raise unfit(chosen, UNFIT[kind])
    try:
        return _of_pictures(chosen) if kind == "pictures" else _of_rows(chosen)
    except HandbookError as error:
        if str(error).startswith(chosen.title):
            raise
        raise unfit(chosen, str(error)) from None


def unfit(chosen: Chosen, why: str) -> HandbookError:
    """The refusal of a model that cannot be a graph."""
    return HandbookError(
        f"{chosen.title} cannot be exported: {why}.\nIt answers by: handbook predict {chosen.case.name}   or over "
        f"HTTP: handbook serve {chosen.case.name}"
    )


def _of_pictures(chosen: Chosen) -> Graph:
    from handbook.serving.export import networks

    facts, shape = chosen.model.facts, form_of(chosen).shape
    if not {"classes", "dex"} & set(facts):
        raise HandbookError(f"its page names no classes (`classes` or `dex`); it knows {', '.join(sorted(facts))}")
    graph = Graph()
    pictures = graph.input("pictures", np.uint8, shape)
    _classified(graph, networks.probabilities(graph, pictures, chosen.model, shape), facts)
    return graph


def _of_rows(chosen: Chosen) -> Graph:
    model, facts = chosen.model, chosen.model.facts
    learnt = estimators.innermost(model.estimator) if isinstance(model, Fitted) else None
    boosted = "words" in facts or (learnt is not None and estimators.is_boosted(learnt))
    graph = Graph(NEWER_TREES if boosted else TREES)
    rows: Rows = {name: graph.input(name, KINDS[column.kind]) for name, column in columns_of(chosen).items()}
    writers: list[tuple[bool, Callable[[Graph, Rows, Any], None]]] = [
        ("words" in facts, _boosted),
        ("encoding" in facts and hasattr(model, "layers"), _perceptrons),
        ("encoding" in facts and type(learnt).__name__ == "RBFNetwork", _radial),
        (isinstance(model, Fitted) and hasattr(model.estimator, "steps"), _compared),
    ]
    write = next((writer for fits, writer in writers if fits), None)
    if write is None:
        page = chosen.case.page.__name__.rpartition(".")[2]
        raise HandbookError(f"no graph is known for models of the page {page}")
    write(graph, rows, model)
    return graph


def _boosted(graph: Graph, rows: Rows, model: Fitted) -> None:
    """The mean of the members' probabilities."""
    numbers = graph.add(
        "Concat", *encodings.numbered(graph, encodings.dated(graph, rows), model.facts["words"]), axis=1
    )
    members = [estimators.probabilities(graph, numbers, each) for each in model.estimator]
    share = graph.constant(np.float64(1 / len(members)))
    _called(graph, graph.add("Mul", graph.add("Sum", *members), share), model.facts)


def _perceptrons(graph: Graph, rows: Rows, model: Any) -> None:
    """The mean of the members' probabilities."""
    from handbook.serving.export import networks

    numbers = encodings.encoded(graph, encodings.dated(graph, rows), model.facts["encoding"])
    odds = encodings.number(graph, networks.members(graph, numbers, model))
    second = graph.add("ReduceMean", graph.add("Sigmoid", odds), graph.constant(np.array([0])), keepdims=0)
    _called(graph, estimators.both(graph, second), model.facts, IN_SINGLE)


def _radial(graph: Graph, rows: Rows, model: Fitted) -> None:
    """y = w_0 + sum_j w_j exp(-|x - c_j|^2 / (2 sigma^2)), a log-odds or a share, as the network was fitted."""
    estimator = model.estimator
    numbers = encodings.encoded(graph, encodings.dated(graph, rows), model.facts["encoding"])
    centres = np.asarray(estimator.centres_, dtype=np.float64)
    weights = np.asarray(estimator.weights_, dtype=np.float64)  # (M + 1, 1), or (M, 1) without an intercept
    own = graph.add("ReduceSum", graph.add("Mul", numbers, numbers), graph.constant(np.array([1])), keepdims=1)
    sums = graph.add("Add", own, graph.constant((centres**2).sum(axis=1)[None]))
    squares = graph.add("Sub", sums, graph.add("MatMul", numbers, graph.constant(2 * centres.T)))
    near = graph.add("Mul", graph.add("Max", squares, graph.constant(np.float64(0))),
                     graph.constant(np.float64(-0.5 / estimator.sigma_**2)))  # fmt: skip
    output = graph.add("MatMul", graph.add("Exp", near), graph.constant(weights[: len(centres)]))
    if estimator.intercept:
        output = graph.add("Add", output, graph.constant(weights[-1:]))
    zero, one = (graph.constant(np.float64(each)) for each in (0, 1))
    second = graph.add("Sigmoid", output) if estimator.logistic else graph.add("Clip", output, zero, one)
    _called(graph, estimators.both(graph, second), model.facts)


def _compared(graph: Graph, rows: Rows, model: Fitted) -> None:
    encoder, estimator = model.estimator[0], model.estimator[-1]
    numbers = estimators.scaled(graph, rows, encoder)
    if "classes" in model.facts:
        _classified(graph, estimators.probabilities(graph, numbers, estimator), model.facts)
    else:
        graph.output("value", estimators.values(graph, numbers, estimator), np.float64)


def _classified(graph: Graph, probabilities: str, facts: dict[str, Any]) -> None:
    """The likeliest of the classes, and how likely it is; all probabilities (N, K) beside it."""
    label = graph.add("ArgMax", probabilities, axis=1, keepdims=0)
    if "dex" in facts:
        graph.output("dex", graph.add("Gather", graph.constant(np.asarray(facts["dex"], np.int64)), label), np.int64)
    else:
        graph.output("label", label, np.int64)
        graph.output("name", graph.add("Gather", graph.constant(facts["classes"]), label), object)
    highest = graph.add("ReduceMax", probabilities, graph.constant(np.array([1])), keepdims=0)
    graph.output("probability", highest, np.float64)
    graph.output("probabilities", probabilities, np.float64, (len(facts.get("dex") or facts["classes"]),))


def _called(graph: Graph, probabilities: str, facts: dict[str, Any], rounding: float = IN_DOUBLE) -> None:
    """Which of two classes, by the threshold that was chosen by cost, and the probability of the second.

    The threshold is the probability of some row, so rounding alone would decide of that row, and of those like it.
    """
    second = graph.add("Gather", probabilities, graph.constant(np.int64(1)), axis=1)
    reached = graph.add("GreaterOrEqual", second, graph.constant(np.float64(facts["threshold"] - rounding)))
    label = graph.cast(reached, np.int64)
    graph.output("label", label, np.int64)
    graph.output("name", graph.add("Gather", graph.constant(facts["classes"]), label), object)
    graph.output("probability", second, np.float64)
    graph.output("probabilities", probabilities, np.float64, (2,))
