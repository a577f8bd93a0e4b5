"""Models as `predict` would choose them, and how to ask a graph on its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from handbook.project import Project
from handbook.serving.choice import Chosen
from handbook.serving.export import agreement
from handbook.serving.export.graph import Graph
from tests.conftest import ROOT, brief


def chosen(name: str, model: Any, example: Any = None, **entry: Any) -> Chosen:
    return Chosen(brief(Project(ROOT).case(name), 1), model, f"{name} version 1", example, None, entry)


def with_params(name: str, **changes: Any) -> Any:
    """A case of params.yaml with other parameters."""
    case = brief(Project(ROOT).case(name), 1)
    return dataclasses.replace(case, params=dataclasses.replace(case.params, **changes))


def ran(graph: Graph, values: Mapping[str, Any]) -> list[np.ndarray]:
    """What a graph answers to values by their names."""
    found: list[np.ndarray] = agreement.session(graph.model("toy", {}).SerializeToString()).run(None, dict(values))
    return found
