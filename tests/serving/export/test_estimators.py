"""Every algorithm that the comparing pages may choose answers as a graph as it does in scikit-learn, or is refused."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.naive_bayes import CategoricalNB

from handbook import datasets
from handbook.cases import classifiers, regressors
from handbook.data.tables import Table
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.serving.export import agreement, cases, estimators
from handbook.serving.export.graph import Graph
from handbook.training import selection
from handbook.training.models import Fitted
from tests.conftest import ROOT
from tests.serving.export import toys

PAGES: dict[str, Any] = {"classifiers_iris": classifiers, "regressors_diabetes": regressors}
FEW = {"n_estimators": 5}
pytestmark = pytest.mark.filterwarnings("ignore")  # scikit-learn's and ONNX's of each other


@functools.cache
def params(name: str) -> Any:
    return dataclasses.replace(Project(ROOT).case(name).params, **FEW)


def fitted(name: str, algorithm: str, data: Table) -> Fitted:
    """A page's model, had that algorithm been the best."""
    page = PAGES[name]
    estimator = selection.pipeline(data, page.algorithms(params(name))[algorithm].estimator)
    estimator.fit(data.features, data.target)
    facts = {"columns": dict.fromkeys(data.features)} | ({"classes": list(data.classes)} if data.classes else {})
    return Fitted(estimator, params(name), facts)


@pytest.mark.parametrize(
    ("name", "algorithm"), [(name, each) for name, page in PAGES.items() for each in page.algorithms(params(name))]
)
def test_each_algorithm_answers_as_it_does_in_scikit_learn(
    name: str, algorithm: str, samples: Callable[[str], Path]
) -> None:
    dataset = Project(ROOT).case(name).dataset
    data = datasets.page(dataset).load(samples(dataset))
    rng = np.random.default_rng(0)
    rows = data.features.sample(200, replace=True, random_state=0) * rng.uniform(0.9, 1.1, (200, 1))
    rows = rows.astype(data.features.dtypes)  # whole numbers stay whole
    chosen = toys.chosen(name, fitted(name, algorithm, data), data.features.head(4))
    content = cases.graph_of(chosen).model("toy", {}).SerializeToString()
    expected = PAGES[name].predict(chosen.model, rows)
    assert not agreement.difference(expected, agreement.answers(agreement.session(content), rows)), algorithm


def test_words_are_scaled_as_the_encoder_has_them_and_an_unknown_one_is_none(samples: Callable[[str], Path]) -> None:
    table = pd.DataFrame({"n": [1.0, 2, 4], "w": pd.array(["a", "b", "a"], dtype="str"), "k": [3, 3, 3]})
    model = selection.pipeline(
        Table(table, np.zeros(3), ()), classifiers.algorithms(params("classifiers_iris"))["tree"].estimator
    )
    encoder = model[0].fit(table)
    new = pd.DataFrame({"n": [0.5, 9], "w": pd.array(["b", "z"], dtype="str"), "k": [3, 4]})
    graph = Graph()
    rows = {"n": graph.input("n", np.float64), "w": graph.input("w", object), "k": graph.input("k", np.int64)}
    graph.output("x", estimators.scaled(graph, rows, encoder), np.float64, (4,))
    np.testing.assert_allclose(toys.ran(graph, agreement.feed(new))[0], encoder.transform(new), atol=1e-15)


def test_what_has_no_graph_is_refused_in_a_sentence() -> None:
    estimator = CategoricalNB().fit(np.array([[0], [1]]), [0, 1])
    graph = Graph()
    estimator.__class__ = type("Unheard", (CategoricalNB,), {})
    with pytest.raises(HandbookError, match="skl2onnx has no graph for a Unheard: "):
        estimators.probabilities(graph, graph.input("x", np.float64, (1,)), estimator)
