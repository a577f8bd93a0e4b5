"""labs/units, second half: errors that explode, leaks that are learnt, weights that are averaged."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from handbook.labs.units import averaging, exploding, network, prelu


@pytest.mark.parametrize("radius", exploding.RADII)
def test_through_linear_units_an_error_grows_by_the_radius_a_step(radius: float) -> None:
    grown = exploding.linear_factor(radius, 50, np.random.default_rng(0))
    assert grown == pytest.approx(radius**50, rel=1e-9)


def test_quiet_tanh_units_are_nearly_linear_and_loud_ones_stop_the_explosion() -> None:
    quiet, loud = (exploding.tanh_factors(1.2, inputs, draws=3)[-1] for inputs in (1e-5, 1.0))
    assert quiet == pytest.approx(1.2**49, rel=0.2)
    assert loud < 1e-2 * quiet
    assert exploding.tanh_factors(0.8, 1e-5, draws=3)[-1] == pytest.approx(0.8**49, rel=0.2)


@pytest.mark.parametrize("most", [0.5, 100.0])
def test_clipping_equals_torch_and_keeps_the_direction(most: float) -> None:
    rng = np.random.default_rng(0)
    gradients = [rng.standard_normal((3, 4)), rng.standard_normal(5)]
    theirs = [torch.nn.Parameter(torch.tensor(g)) for g in gradients]
    for parameter, g in zip(theirs, gradients, strict=True):
        parameter.grad = torch.tensor(g)
    length = torch.nn.utils.clip_grad_norm_(theirs, most)
    ours, found = exploding.clip(gradients, most)
    assert found == pytest.approx(float(length))
    for one, parameter in zip(ours, theirs, strict=True):
        assert parameter.grad is not None
        assert_allclose(one, parameter.grad.numpy(), rtol=1e-5)  # torch adds 1e-6 to the length
    assert np.sqrt(sum((g * g).sum() for g in ours)) <= most * (1 + 1e-12) or found <= most
    with pytest.raises(ValueError, match="above 0"):
        exploding.clip(gradients, 0)


def test_the_slope_of_the_cliff_is_that_of_small_steps_and_only_clipped_descent_comes_down() -> None:
    for w in (0.9, 1.0, 1.05):
        small = (exploding.cliff(w + 1e-7)[0] - exploding.cliff(w - 1e-7)[0]) / 2e-7
        assert exploding.cliff(w)[1] == pytest.approx(small, rel=1e-4, abs=1e-6)
    assert abs(exploding.descend()[-1]) > 10
    assert exploding.descend(most=exploding.CLIP)[-1] == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("a", [0.0, 0.01, 0.25, 1.0])
def test_prelu_agrees_with_torch_in_value_and_both_slopes(a: float) -> None:
    rng = np.random.default_rng(0)
    x, dy = np.r_[rng.standard_normal(50), 0.0], rng.standard_normal(51)
    theirs = torch.tensor(x, requires_grad=True), torch.tensor([a], dtype=torch.float64, requires_grad=True)
    y = F.prelu(*theirs)
    dx, da = torch.autograd.grad(y, theirs, torch.tensor(dy))
    ours = prelu.prelu_backward(x, a, dy)
    assert_allclose(prelu.prelu(x, a), y.detach().numpy(), atol=1e-12)
    assert_allclose(ours[0], dx.numpy(), atol=1e-12)
    assert ours[1] == pytest.approx(float(da))


def test_a_network_with_a_learnt_leak_takes_the_path_that_torch_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prelu, "STEPS", 40)
    x, labels = network.spirals(20, np.random.default_rng(0))
    ours = prelu.train(x, labels, prelu.FIRST, learnt=True, seed=3)
    start = network.start(prelu.WIDTH, np.random.default_rng(3))
    theirs = [torch.tensor(each, requires_grad=True) for each in (*start, np.array([prelu.FIRST]))]
    for loss in ours.losses:
        W1, b1, W2, b2, a = theirs
        lost = F.cross_entropy(F.linear(F.prelu(F.linear(torch.tensor(x), W1, b1), a), W2, b2), torch.tensor(labels))
        assert loss == pytest.approx(lost.item(), abs=1e-9)
        slopes = torch.autograd.grad(lost, theirs)
        theirs = [(each - prelu.RATE * g).detach().requires_grad_() for each, g in zip(theirs, slopes, strict=True)]
    assert ours.a == pytest.approx(theirs[-1].item())
    assert ours.a != prelu.FIRST


def test_a_running_mean_of_weights_equals_torchs() -> None:
    rng, mean = np.random.default_rng(0), averaging.Mean()
    model = torch.nn.Linear(2, 3).double()
    theirs = AveragedModel(model)
    for _ in range(7):
        net = network.start(4, rng)
        with torch.no_grad():
            model.weight.copy_(torch.tensor(net.W1[:3]))
        mean.add(net)
        theirs.update_parameters(model)
    assert mean.net is not None
    assert_allclose(mean.net.W1[:3], theirs.module.weight.detach().numpy(), atol=1e-12)


def test_in_a_bowl_the_points_scatter_as_the_rate_says_and_their_mean_lies_far_nearer() -> None:
    found = [averaging.bowl(seed=seed) for seed in range(30)]
    spread, centre = np.mean(found, axis=0)
    assert spread == pytest.approx(0.2 / (2 - 0.2), rel=0.05)
    assert centre < spread / 50
