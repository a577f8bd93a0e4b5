"""Units: equal to torch in value and gradient, finite where exp is not, and enough to train a network with."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch.nn import functional as F

from handbook.labs.units import activations, layers, network, recurrent

EXACT: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-10}
FAR = np.array([-1000.0, -710.0, -50.0, -1.0, -1e-300, 0.0, 1e-300, 1.0, 50.0, 710.0, 1000.0])
THEIRS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "linear": lambda x: 2 * x + 1,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "ReLU": F.relu,
    "leaky ReLU": F.leaky_relu,
}


def leaf(x: np.ndarray[Any, Any]) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float64, requires_grad=True)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("name", activations.UNITS)
def test_a_unit_agrees_with_torch_in_value_and_slope_even_at_a_thousand(name: str) -> None:
    x = np.concatenate((np.linspace(-5, 5, 1001), FAR))
    theirs = leaf(x)
    y = THEIRS[name](theirs)
    y.sum().backward()
    assert theirs.grad is not None
    unit = activations.UNITS[name]
    assert_allclose(unit.value(x), y.detach().numpy(), **EXACT)
    assert_allclose(unit.slope(x), theirs.grad.numpy(), **EXACT)


@pytest.mark.parametrize("name", activations.UNITS)
def test_no_unit_overflows_at_a_thousand(name: str) -> None:
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(activations.UNITS[name].value(FAR)).all()
        assert np.isfinite(activations.UNITS[name].slope(FAR)).all()


@given(st.floats(-1000, 1000))
def test_a_sigmoid_and_its_mirror_sum_to_one(x: float) -> None:
    assert activations.sigmoid(np.array(x)) + activations.sigmoid(np.array(-x)) == pytest.approx(1, abs=1e-15)


@given(st.lists(st.floats(-1000, 1000), min_size=2, max_size=9), st.floats(-1000, 1000))
def test_adding_a_constant_to_logits_changes_no_probability(logits: list[float], constant: float) -> None:
    shares = activations.softmax(np.array(logits))
    assert shares.sum() == pytest.approx(1)
    assert_allclose(activations.softmax(np.array(logits) + constant), shares, rtol=0, atol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_softmax_and_cross_entropy_agree_with_torch(scale: float, rng: np.random.Generator) -> None:
    x, labels, dy = scale * rng.uniform(-1, 1, (7, 5)), rng.integers(0, 5, 7), rng.normal(size=(7, 5))
    theirs = leaf(x)
    y = theirs.softmax(dim=1)
    (slope,) = torch.autograd.grad(y, theirs, torch.tensor(dy))
    ours = activations.softmax(x)
    assert_allclose(ours, y.detach().numpy(), **EXACT)
    assert_allclose(activations.softmax_backward(ours, dy), slope.numpy(), **EXACT)
    assert_allclose(activations.log_softmax(x), torch.tensor(x).log_softmax(dim=1).numpy(), **EXACT)
    loss = F.cross_entropy(theirs, torch.tensor(labels))
    (slope,) = torch.autograd.grad(loss, theirs)
    ours_loss, d_logits = activations.cross_entropy(x, labels)
    assert ours_loss == pytest.approx(loss.item(), abs=1e-10)
    assert_allclose(d_logits, slope.numpy(), **EXACT)


def test_a_dense_layer_with_sigmoid_agrees_with_torch(rng: np.random.Generator) -> None:
    x, W, b, dy = (rng.normal(size=shape) for shape in ((6, 10), (5, 10), (5,), (6, 5)))  # the book's 10 -> 5
    theirs = leaf(x), leaf(W), leaf(b)
    y = torch.sigmoid(F.linear(*theirs))
    slopes = torch.autograd.grad(y, theirs, torch.tensor(dy))
    a = layers.dense(x, W, b)
    assert_allclose(activations.sigmoid(a), y.detach().numpy(), **EXACT)
    for ours, slope in zip(layers.dense_backward(x, W, dy * activations.sigmoid_slope(a)), slopes, strict=True):
        assert_allclose(ours, slope.numpy(), **EXACT)


@settings(deadline=None, max_examples=40)
@given(
    channels=st.integers(1, 3),
    kernels=st.integers(1, 8),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
)
def test_a_convolution_agrees_with_torch_for_any_shape(
    channels: int, kernels: int, kernel: tuple[int, int], stride: int, padding: int
) -> None:
    rng = np.random.default_rng(0)
    x, K, b = (rng.normal(size=shape) for shape in ((2, channels, 10, 9), (kernels, channels, *kernel), (kernels,)))
    theirs = leaf(x), leaf(K), leaf(b)
    y = F.conv2d(*theirs, stride=stride, padding=padding)
    dy = rng.normal(size=y.shape)
    slopes = torch.autograd.grad(y, theirs, torch.tensor(dy))
    assert_allclose(layers.convolution(x, K, b, stride, padding), y.detach().numpy(), **EXACT)
    for ours, slope in zip(layers.convolution_backward(x, K, dy, stride, padding), slopes, strict=True):
        assert_allclose(ours, slope.numpy(), **EXACT)


@pytest.mark.parametrize("steps", [1, 10, 40])
@pytest.mark.parametrize("name", recurrent.CELLS)
def test_a_unit_with_memory_agrees_with_torch_through_time(name: str, steps: int, rng: np.random.Generator) -> None:
    cell = recurrent.CELLS[name]
    w = recurrent.draw(cell, 10, 5, rng)  # the book's 10 -> 5
    x, dh = rng.normal(size=(steps, 3, 10)), rng.normal(size=(steps, 3, 5))
    state = tuple(rng.normal(size=(3, 5)) for _ in range(cell.states))
    theirs = getattr(torch.nn, name)(10, 5).double()
    with torch.no_grad():
        for parameter, ours in zip(theirs.parameters(), w, strict=True):
            parameter.copy_(torch.tensor(ours))
    x_t, state_t = leaf(x), tuple(leaf(part[None]) for part in state)
    y, last = theirs(x_t, state_t if cell.states == 2 else state_t[0])
    slopes = torch.autograd.grad(y, (x_t, *state_t, *theirs.parameters()), torch.tensor(dh))

    h, ended, tape = recurrent.forward(cell, x, w, state)
    dx, d_state, dw = recurrent.backward(cell, dh, tape, w)
    assert_allclose(h, y.detach().numpy(), **EXACT)
    for ours, part in zip(ended, last if cell.states == 2 else (last,), strict=True):
        assert_allclose(ours, part[0].detach().numpy(), **EXACT)
    for ours, slope in zip((dx, *d_state, *dw), slopes, strict=True):
        assert_allclose(ours, slope.numpy().reshape(ours.shape), **EXACT)


@pytest.mark.parametrize("name", recurrent.CELLS)
def test_a_unit_with_memory_stays_finite_at_a_thousand(name: str, rng: np.random.Generator) -> None:
    cell = recurrent.CELLS[name]
    w = recurrent.draw(cell, 4, 5, rng)
    x = 1000 * rng.uniform(-1, 1, (10, 2, 4))
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        h, _, tape = recurrent.forward(cell, x, w)
        dx, _, dw = recurrent.backward(cell, np.ones_like(h), tape, w)
    assert np.abs(h).max() <= 1
    assert all(np.isfinite(part).all() for part in (dx, *dw))


@pytest.mark.parametrize("name", recurrent.CELLS)
def test_without_recurrent_weights_the_gates_see_the_present_alone(name: str, rng: np.random.Generator) -> None:
    """The book's LSTM: what its gates do at the tenth step does not depend on the nine before."""
    cell = recurrent.CELLS[name]
    w = recurrent.draw(cell, 10, 5, rng)
    x = rng.normal(size=(10, 1, 10))
    other = np.concatenate((-x[:9], x[9:]))
    gates = {"RNN": slice(2, 3), "LSTM": slice(3, 7), "GRU": slice(2, 4)}[name]

    def last(x: Any, w: recurrent.Weights) -> Any:
        return np.stack(recurrent.forward(cell, x, w)[2][-1][gates])

    deaf = w._replace(U=np.zeros_like(w.U))
    assert np.array_equal(last(x, deaf), last(other, deaf))
    assert np.abs(last(x, w) - last(other, w)).max() > 1e-3


def test_a_network_of_these_units_takes_the_path_that_torch_takes(rng: np.random.Generator) -> None:
    x, labels = network.spirals(100, rng)
    first = network.start(32, rng)
    ours, losses = network.train(first, x, labels, steps=500, rate=1.0)
    theirs = [leaf(part) for part in first]
    for loss in losses:
        W1, b1, W2, b2 = theirs
        lost = F.cross_entropy(F.linear(torch.tanh(F.linear(torch.tensor(x), W1, b1)), W2, b2), torch.tensor(labels))
        assert loss == pytest.approx(lost.item(), abs=1e-10)
        slopes = torch.autograd.grad(lost, theirs)
        theirs = [leaf((part - slope).detach().numpy()) for part, slope in zip(theirs, slopes, strict=True)]
    for part, their in zip(ours, theirs, strict=True):
        assert_allclose(part, their.detach().numpy(), rtol=1e-8, atol=1e-8)  # 500 steps of rounding
    assert losses[-1] < 0.05 * losses[0]
    assert network.accuracy(ours, x, labels) > 0.99


def ones(*shape: int) -> np.ndarray[Any, Any]:
    return np.ones(shape)


def weights(name: str) -> recurrent.Weights:
    return recurrent.draw(recurrent.CELLS[name], 3, 2, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: layers.dense(ones(2, 3), ones(5, 4), ones(5)), "take 4 inputs, found 3"),
        (lambda: layers.convolution(ones(1, 2, 5, 5), ones(1, 3, 2, 2), ones(1)), "take 3 channels, found 2"),
        (lambda: layers.convolution(ones(1, 1, 2, 2), ones(1, 1, 3, 3), ones(1)), "does not fit in (2, 2)"),
        (lambda: layers.convolution(ones(1, 1, 2, 2), ones(1, 1, 1, 1), ones(1), 0), "stride must be 1 or more"),
        (lambda: recurrent.forward(recurrent.CELLS["RNN"], ones(4, 3), weights("RNN")), "(T, B, 3), found (4, 3)"),
        (lambda: recurrent.forward(recurrent.CELLS["LSTM"], ones(4, 1, 3), weights("GRU")), "(4 H, H), found (6, 2)"),
    ],
)
def test_shapes_that_do_not_fit_are_named(wrong: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        wrong()
