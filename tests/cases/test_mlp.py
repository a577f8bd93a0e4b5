"""The ensemble's own laws: what its members share, what is theirs, and how numbers are cut."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from handbook.cases import mlp
from handbook.project import Project
from tests.conftest import ROOT


def network(**changes: Any) -> mlp.Model:
    torch.manual_seed(0)
    params = dataclasses.replace(Project(ROOT).case("mlp").params, dropout=0.0, **changes)
    return mlp.Model(params, inputs=7).eval()


def test_a_member_is_the_perceptron_that_its_own_matrices_make() -> None:
    model = network(hidden=(6, 5), members=4)
    with torch.no_grad():
        for each in model.parameters():
            each.copy_(torch.randn_like(each))
        rows = torch.randn(9, 7)
        for k, odds in enumerate(model(rows)):
            h = rows
            for layer in model.layers:
                assert isinstance(layer, mlp.Shared)
                scaled = (h * layer.before[k, :, 0]) @ layer.weight * layer.after[k, 0] + layer.bias[k, 0]
                h = scaled.relu()
            alone = h @ model.head[k, :, 0] + model.head_bias[k, 0, 0]
            torch.testing.assert_close(odds, alone, rtol=1e-4, atol=1e-4)


def test_members_differ_from_the_start_and_share_their_matrices() -> None:
    model = network(members=4)
    spread = model(torch.rand(50, 7)).detach().std(dim=0)
    assert float(spread.min()) > 0
    shared = [each for name, each in model.named_parameters() if name.endswith("weight")]
    assert {each.ndim for each in shared} == {2}  # no axis of members


def test_a_members_loss_moves_no_other_members_vectors() -> None:
    model = network(members=3)
    torch.nn.functional.binary_cross_entropy_with_logits(model(torch.rand(20, 7))[1], torch.ones(20)).backward()
    for name, each in model.named_parameters():
        if not name.endswith("weight"):
            assert each.grad is not None
            assert not each.grad[[0, 2]].any(), name


def test_only_matrices_decay() -> None:
    model = network(hidden=(6, 5))
    optimiser, _ = model.recipe(10)
    decayed, kept = optimiser.param_groups
    assert decayed["weight_decay"] > 0 == kept["weight_decay"]
    assert [tuple(each.shape[-2:]) for each in decayed["params"]] == [(7, 6), (6, 5), (5, 1)]
    assert len(decayed["params"]) + len(kept["params"]) == len(list(model.parameters()))


def test_pieces_add_up_to_the_number_between_the_edges() -> None:
    numbers = np.random.default_rng(0).normal(size=500)
    rows = pd.DataFrame({"x": numbers})
    columns = mlp.encoding(rows, 16)
    edges = np.array(columns["x"]["edges"])
    cut = mlp.encoded(rows, columns)
    assert cut.shape == (500, 16)
    np.testing.assert_allclose(edges[0] + cut @ np.diff(edges), numbers, atol=1e-5)
    assert (np.diff(cut, axis=1) <= 0).all()  # a piece is begun only when those before are full
    beyond = mlp.encoded(pd.DataFrame({"x": [-1e9, 1e9]}), columns)
    assert beyond[0].max() == 0
    assert beyond[1].min() == 1


def test_a_constant_column_and_an_unknown_word_are_zeros() -> None:
    rows = pd.DataFrame({"same": [3, 3], "word": ["a", "b"]}).astype({"word": "str"})
    columns = mlp.encoding(rows, 8)
    found = mlp.encoded(pd.DataFrame({"same": [3, 3], "word": ["b", "c"]}), columns)
    assert found.tolist() == [[0, 0, 1], [0, 0, 0]]


def test_the_answer_is_the_mean_of_the_members_and_the_report_says_what_one_alone_is_worth(fitted: Any) -> None:
    case, data, model = fitted("mlp")
    rows = data.features.head(40)
    each = mlp.member_probabilities(model, rows)
    assert each.shape == (case.params.members, 40)
    np.testing.assert_allclose(mlp.probabilities(model, rows), each.mean(axis=0))
    report = case.page.evaluate(model, case.split(data))
    assert report.metrics["member_roc_auc"] == pytest.approx(report.metrics["roc_auc"], abs=0.1)
    assert report.metrics["member_roc_auc"] <= report.metrics["roc_auc"] + 0.005


@pytest.mark.parametrize("change", [{"members": 0}, {"pieces": 0}, {"hidden": (0,)}, {"dropout": 1.0}])
def test_numbers_that_make_no_network_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        dataclasses.replace(Project(ROOT).case("mlp").params, **change)
