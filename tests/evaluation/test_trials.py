"""The laws of small trainings: the same seed gives the same numbers, and intervals hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from handbook.evaluation.trials import fit, one_thread, share


def fitted(seed: int) -> tuple[nn.Linear, np.ndarray]:
    """A line through rows that lie on one: y = 3 x1 - 2 x2 + 1."""
    x = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    y = x @ torch.tensor([3.0, -2.0]) + 1
    torch.manual_seed(0)
    line = nn.Linear(2, 1)
    losses = fit(
        line, lambda rows: (line(x[rows])[:, 0] - y[rows]).square().mean(), 64, steps=200, batch=16, rate=0.1, seed=seed
    )
    return line, losses


def test_training_finds_what_can_be_found_and_the_same_twice() -> None:
    line, losses = fitted(1)
    assert torch.allclose(line.weight, torch.tensor([[3.0, -2.0]]), atol=0.01)
    assert losses[-1] < 1e-4 < losses[0]
    assert np.array_equal(losses, fitted(1)[1])
    assert not np.array_equal(losses, fitted(2)[1])


def test_every_row_is_seen_once_before_one_is_seen_again() -> None:
    seen: list[int] = []
    dot = nn.Linear(1, 1)

    def loss(rows: torch.Tensor) -> torch.Tensor:
        seen.extend(rows.tolist())
        return dot(torch.ones(1, 1)).square().mean()

    fit(dot, loss, 10, steps=7, batch=4, rate=0.1, seed=0)
    assert sorted(seen[:10]) == sorted(seen[10:20]) == list(range(10))
    assert len(seen) == 28


def test_one_thread_is_one_thread_and_what_was_set_before_comes_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_the_interval_of_a_share_lies_within_0_and_1_and_narrows() -> None:
    assert share(0, 20)[1] == pytest.approx(0, abs=1e-12)
    assert share(20, 20)[2] == pytest.approx(1)
    (half, low, high), (again, lower, higher) = share(50, 100), share(5, 10)
    assert half == again == 0.5
    assert lower < low < 0.5 < high < higher
