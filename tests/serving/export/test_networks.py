"""Networks answer as graphs as they do in torch: their temperature inside, any number of pictures at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from handbook.errors import HandbookError
from handbook.evaluation import recognition
from handbook.serving.export import networks
from handbook.serving.export.graph import Graph
from tests.serving.export import toys


def network(name: str) -> tuple[Any, Any]:
    """An untrained network of a page, calibrated by some temperature."""
    torch.manual_seed(0)
    case = toys.with_params(name)
    model = case.page.Model(
        case.params, classes=[f"c{k}" for k in range(10)], centre=72.9, spread=90.0, temperature=0.6
    )
    for each in model.buffers():  # of batch normalisation: as if something had been learnt
        if each.dtype == torch.float32:
            nn.init.uniform_(each, 0.5, 1.5)
    return case, model.eval()


@pytest.mark.parametrize("name", ["lenet", "cnn"])
@pytest.mark.parametrize("count", [1, 33])
def test_pictures_have_the_probabilities_that_they_have_in_torch(name: str, count: int) -> None:
    _, model = network(name)
    pictures = np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    graph = Graph()
    value = networks.probabilities(graph, graph.input("pictures", np.uint8, (28, 28)), model, (28, 28))
    graph.output("p", value, np.float64, (10,))
    expected = recognition.probabilities(model, pictures)
    np.testing.assert_allclose(toys.ran(graph, {"pictures": pictures})[0], expected, atol=1e-6)


def test_an_ensemble_answers_for_every_member_as_it_does_in_torch() -> None:
    torch.manual_seed(0)
    case = toys.with_params("mlp", hidden=(6, 5), members=3)
    model = case.page.Model(case.params, inputs=4).eval()
    rows = np.random.default_rng(0).normal(size=(20, 4))
    graph = Graph()
    found = networks.members(graph, graph.input("x", np.float64, (4,)), model)
    graph.output("y", graph.add("Transpose", found, perm=[1, 0, 2]), np.float32, (3, 1))
    expected = model(torch.from_numpy(rows).float()).detach().numpy()
    np.testing.assert_allclose(toys.ran(graph, {"x": rows})[0][..., 0].T, expected, atol=1e-6)


def test_a_network_that_torch_cannot_trace_is_refused_in_a_sentence() -> None:
    class Strange(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.special.bessel_j0(x.float().mean(dim=(1, 2)))[:, None]

    strange: Any = Strange()
    strange.facts = {}
    with pytest.raises(HandbookError, match="torch has no graph for this network: "):
        networks.probabilities(Graph(), "pictures", strange, (28, 28))
