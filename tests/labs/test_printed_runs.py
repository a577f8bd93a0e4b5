"""labs/optimisers: the runs behind figures 3.22 to 3.26."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from handbook.labs.optimisers import printed_runs, rules


def test_momentum_and_rmsprop_walk_as_torch_does_from_the_starts_of_their_figures() -> None:
    engines = {
        "3.22": (5.0, lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)),
        "3.24": (1.0, lambda p: torch.optim.Adagrad(p, 0.1, eps=1e-8)),
        "3.25": (1.0, lambda p: torch.optim.RMSprop(p, 0.1, alpha=0.9)),
    }
    for number, (start, make) in engines.items():
        run = printed_runs.on_the_parabola()[number]
        theta = torch.tensor([start], dtype=torch.float64, requires_grad=True)
        engine = make([theta])
        for point in run.points[1:]:
            engine.zero_grad()
            (theta**2).sum().backward()  # type: ignore[no-untyped-call]
            engine.step()
            assert theta.item() == pytest.approx(point, abs=1e-9), number


def test_momentum_swings_and_rmsprop_arrives_is_thrown_out_and_never_rests() -> None:
    runs = printed_runs.on_the_parabola()
    assert len(runs["3.22"].points) == 21
    assert len(runs["3.23"].points) == 11
    assert runs["3.22"].crossings >= 2
    nearest = runs["3.25"].losses.argmin()
    assert runs["3.25"].losses[nearest] < 1e-30
    assert printed_runs.thrown(runs["3.25"]) > 0.1
    path = rules.walk(rules.RMSprop(0.1), printed_runs.slope, np.ones(1), 1000)[-2:, 0]
    np.testing.assert_allclose(np.sort(path), [-0.05, 0.05], atol=1e-3)  # half the rate away, on both sides in turn
    assert abs(runs["3.22"].points[-1]) > 5 * 0.8**5  # where plain descent is after five steps
    assert runs["3.24"].losses[-1] < runs["3.24"].losses[0] / 2


def test_adam_under_one_gradient_for_ever_moves_by_the_rate_whatever_the_gradient() -> None:
    for g in (1e-4, -3.0, 50.0):
        path = rules.walk(rules.Adam(printed_runs.RATE), lambda x, g=g: np.array([g]), np.zeros(1), 100)[:, 0]
        np.testing.assert_allclose(np.diff(path), -0.1 * np.sign(g), rtol=2e-4)


def test_the_losses_of_the_example_are_those_of_adam_on_both_parameters() -> None:
    rng = np.random.default_rng(0)
    w, b, to_w, to_b = rng.standard_normal((4, 3))
    losses = printed_runs.adam_losses(3, 100)
    assert losses.shape == (3, 201)
    for k in range(3):
        ends = [
            rules.walk(rules.Adam(0.1), lambda x, g=g[k]: np.array([g]), np.array([at[k]]), 100)[-1, 0]
            for at, g in ((w, to_w), (b, to_b))
        ]
        assert losses[k, -1] == pytest.approx(
            float(np.mean((ends[0] * printed_runs.X + ends[1] - printed_runs.Y) ** 2)), rel=1e-3
        )
