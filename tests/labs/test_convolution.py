"""The laws of the lab `convolution`: torch agrees in value and gradient, and the formulas hold wherever tried."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from handbook import datasets
from handbook.data.images import LabelledImages
from handbook.labs import convolution
from handbook.labs.convolution import edges, garments, geometry, layers
from handbook.labs.convolution.receptive import LENET, Layer, measured_field, receptive_fields

CLOSE = {"rtol": 0, "atol": 1e-10}
GRID = [
    pytest.param(
        shape,
        {"stride": stride, "padding": padding, "dilation": dilation},
        id=f"{shape}-{stride}-{padding}-{dilation}",
    )
    for shape, stride, padding, dilation in product(
        [(2, 1, 9, 8, 3, 3, 3), (1, 3, 7, 10, 4, 2, 3), (3, 2, 8, 8, 2, 1, 1), (2, 2, 11, 9, 1, 4, 2)],
        [1, 2, (3, 4)],
        [0, 1, (2, 0)],
        [1, 2, (1, 3)],
    )
]  # fmt: skip
WORKED = np.arange(9.0).reshape(1, 1, 3, 3)


def drawn(shape: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures, kernels and biases for N, C, H, W, O, kh, kw."""
    n, c, height, width, o, kh, kw = shape
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, c, height, width)), rng.normal(size=(o, c, kh, kw)), rng.normal(size=o)


def by_torch(
    layer: Callable[..., torch.Tensor], g_of: Callable[..., np.ndarray], *arrays: np.ndarray
) -> list[np.ndarray]:
    """Torch's value, the g that is sent back through it, and the gradient of every array."""
    tensors = [torch.tensor(np.ascontiguousarray(array), requires_grad=True) for array in arrays]
    y = layer(*tensors)
    g = g_of(tuple(y.shape))
    y.backward(torch.tensor(g))
    return [y.detach().numpy(), g, *(tensor.grad.numpy() for tensor in tensors)]


@pytest.fixture(scope="session")
def garment_data(samples: Callable[[str], Path]) -> LabelledImages:
    return datasets.page("fashion_mnist").load(samples("fashion_mnist"))


def random_g(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape)


@pytest.mark.parametrize(("shape", "windows"), GRID)
@pytest.mark.parametrize("form", ["loops", "at_once"])
def test_cross_correlation_agrees_with_torch_in_value_and_gradient(form: str, shape: Any, windows: Any) -> None:
    x, w, b = drawn(shape)
    y, g, dx, dw, db = by_torch(lambda x, w, b: F.conv2d(x, w, b, **windows), random_g, x, w, b)
    forward, backward = {
        "loops": (layers.cross_correlate_by_loops, layers.cross_correlate_backward_by_loops),
        "at_once": (layers.cross_correlate, layers.cross_correlate_backward),
    }[form]
    np.testing.assert_allclose(forward(x, w, b, **windows), y, **CLOSE)
    for ours, theirs in zip(backward(g, x, w, **windows), (dx, dw, db), strict=True):
        np.testing.assert_allclose(ours, theirs, **CLOSE)


@pytest.mark.parametrize(("kernel", "dilation"), [((3, 5), 1), (3, 2), ((1, 7), (4, 1)), (2, 2)])
def test_same_padding_keeps_the_size_and_agrees_with_torch(kernel: Any, dilation: Any) -> None:
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    x, w, b = drawn((2, 3, 9, 11, 2, kh, kw))
    y = layers.cross_correlate(x, w, b, padding="same", dilation=dilation)
    assert y.shape[2:] == x.shape[2:]
    theirs = F.conv2d(*map(torch.tensor, (x, w, b)), padding="same", dilation=dilation)
    np.testing.assert_allclose(y, theirs.numpy(), **CLOSE)


@pytest.mark.parametrize(("shape", "windows"), GRID[::5])
def test_true_convolution_agrees_with_torch_on_the_turned_kernel(shape: Any, windows: Any) -> None:
    x, w, b = drawn(shape)
    y, g, dx, dw, db = by_torch(lambda x, w, b: F.conv2d(x, w.flip(2, 3), b, **windows), random_g, x, w, b)
    np.testing.assert_allclose(layers.convolve(x, w, b, **windows), y, **CLOSE)
    for ours, theirs in zip(layers.convolve_backward(g, x, w, **windows), (dx, dw, db), strict=True):
        np.testing.assert_allclose(ours, theirs, **CLOSE)


def test_true_convolution_agrees_with_scipy_and_commutes() -> None:
    from scipy.signal import convolve2d

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(6, 8)), rng.normal(size=(3, 2))
    full = layers.convolve(a[None, None], b[None, None], padding=(2, 1))[0, 0]
    np.testing.assert_allclose(full, convolve2d(a, b), **CLOSE)
    np.testing.assert_allclose(full, layers.convolve(b[None, None], a[None, None], padding=(5, 7))[0, 0], **CLOSE)


def test_cross_correlation_does_not_commute_and_equals_true_convolution_for_symmetric_kernels() -> None:
    x, w, _ = drawn((1, 1, 5, 5, 1, 3, 3))
    full = layers.cross_correlate(x, w, padding=2)
    np.testing.assert_allclose(full, layers.cross_correlate(w, x, padding=4)[..., ::-1, ::-1], **CLOSE)
    assert not np.allclose(full, layers.cross_correlate(w, x, padding=4))
    symmetric = w + w[..., ::-1, ::-1]
    np.testing.assert_allclose(layers.cross_correlate(x, symmetric), layers.convolve(x, symmetric), **CLOSE)


def test_a_1_by_1_convolution_is_a_dense_layer_at_every_pixel() -> None:
    x, w, b = drawn((2, 3, 5, 6, 4, 1, 1))
    dense = layers.dense_per_pixel(x, w[:, :, 0, 0], b)
    np.testing.assert_allclose(dense, layers.cross_correlate(x, w, b), **CLOSE)
    np.testing.assert_allclose(dense, F.conv2d(*map(torch.tensor, (x, w, b))).numpy(), **CLOSE)
    rows = F.linear(torch.tensor(x).permute(0, 2, 3, 1), torch.tensor(w[:, :, 0, 0]), torch.tensor(b))
    np.testing.assert_allclose(dense, rows.permute(0, 3, 1, 2).numpy(), **CLOSE)


POOLS = [
    pytest.param(kernel, stride, padding, id=f"{kernel}-{stride}-{padding}")
    for kernel, stride, padding in product([2, 3, (2, 4)], [None, 1, (3, 2)], [0, 1, (0, 1)])
]


@pytest.mark.parametrize(("kernel", "stride", "padding"), POOLS)
@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
def test_max_pooling_agrees_with_torch_in_value_and_gradient(
    kernel: Any, stride: Any, padding: Any, ties: bool
) -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(-2, 1, (2, 3, 9, 10)).astype(float) if ties else rng.normal(size=(2, 3, 9, 10))
    y, g, dx = by_torch(lambda x: F.max_pool2d(x, kernel, stride, padding), random_g, x)
    np.testing.assert_allclose(layers.max_pool(x, kernel, stride=stride, padding=padding), y, **CLOSE)
    ours = layers.max_pool_backward(g, x, kernel, stride=stride, padding=padding)
    np.testing.assert_allclose(ours, dx, **CLOSE)


@pytest.mark.parametrize(("kernel", "stride", "padding"), POOLS)
def test_average_pooling_agrees_with_torch_in_value_and_gradient(kernel: Any, stride: Any, padding: Any) -> None:
    x = np.random.default_rng(2).normal(size=(2, 3, 9, 10))
    y, g, dx = by_torch(lambda x: F.avg_pool2d(x, kernel, stride, padding), random_g, x)
    np.testing.assert_allclose(layers.average_pool(x, kernel, stride=stride, padding=padding), y, **CLOSE)
    ours = layers.average_pool_backward(g, x, kernel, stride=stride, padding=padding)
    np.testing.assert_allclose(ours, dx, **CLOSE)


def test_worked_3_by_3_with_2_by_2_starts_with_19() -> None:
    kernel = np.arange(4.0).reshape(1, 1, 2, 2)
    assert layers.cross_correlate(WORKED, kernel).tolist() == [[[[19, 25], [37, 43]]]]


def test_worked_two_channels_start_with_56() -> None:
    x = np.concatenate([WORKED, WORKED + 1], axis=1)
    w = np.arange(4.0).reshape(1, 1, 2, 2) + np.array([0, 1])[:, None, None]
    assert layers.cross_correlate(x, w).tolist() == [[[[56, 72], [104, 120]]]]


def test_worked_poolings() -> None:
    assert layers.max_pool(WORKED, 2, stride=1).tolist() == [[[[4, 5], [7, 8]]]]
    assert layers.average_pool(WORKED, 2, stride=1).tolist() == [[[[2, 3], [5, 6]]]]


@pytest.mark.parametrize(
    ("kernel", "windows", "size"),
    [(3, {"padding": 1}, (8, 8)), (3, {"padding": 1, "stride": 2}, (4, 4)), (3, {"stride": 2}, (3, 3)),
     ((3, 5), {"padding": (0, 1), "stride": (3, 4)}, (2, 2))],  # the last is not the book's, whose figure has 3 and 2
)  # fmt: skip
def test_paddings_and_strides_on_8_by_8(kernel: Any, windows: Any, size: tuple[int, int]) -> None:
    assert geometry.Windows.of(kernel, **windows).output(8, 8) == size


@given(
    n=st.integers(1, 40), k=st.integers(1, 9), s=st.integers(1, 6), p=st.integers(0, 6), d=st.integers(1, 4)
)  # fmt: skip
@settings(max_examples=400, deadline=None)
def test_the_floor_counts_the_windows_that_fit_and_the_ceiling_one_too_many(
    n: int, k: int, s: int, p: int, d: int
) -> None:
    assume(d * (k - 1) < n + 2 * p)
    fitting = [start for start in range(0, n + 2 * p, s) if start + d * (k - 1) < n + 2 * p]
    size = geometry.output_size(n, k, stride=s, padding=p, dilation=d)
    assert size == len(fitting)
    assert size == F.conv1d(torch.zeros(1, 1, n), torch.zeros(1, 1, k), None, s, p, d).shape[2]
    room = n + 2 * p - d * (k - 1) - 1
    assert (-(-room // s) + 1 == size) == (room % s == 0)


@given(st.lists(st.builds(Layer, st.integers(1, 5), st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_the_receptive_field_is_how_far_a_gradient_comes(stack: list[Layer]) -> None:
    assert measured_field(stack) == receptive_fields(stack)[-1]


@given(st.lists(st.builds(Layer, st.integers(1, 7), st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=6))
def test_the_receptive_field_is_the_least_input_that_gives_one_value(stack: list[Layer]) -> None:
    n = receptive_fields(stack)[-1]
    for k, s, d in stack:
        n = geometry.output_size(n, k, stride=s, dilation=d)
    assert n == 1


def test_lenet_sees_16_pixels() -> None:
    assert receptive_fields(LENET) == [5, 6, 14, 16]


def test_the_edges_of_the_black_band_are_one_and_minus_one_in_every_row() -> None:
    found = edges.across(edges.band())
    assert found.tolist() == [[0, 1, 0, 0, 0, -1, 0]] * 6
    assert edges.across(edges.band().T).tolist() == [[0] * 5] * 8  # the kernel is blind to edges that lie


def test_sgd_recovers_the_edge_kernel_within_a_hundredth() -> None:
    for seed in range(5):
        path = edges.learn(edges.band(), np.random.default_rng(seed))
        assert np.abs(path[-1] - edges.KERNEL).max() < 1e-2
        assert np.abs(path[0] - edges.KERNEL).max() > 0.1


def test_sgd_recovers_the_edge_kernel_from_a_garment(garment_data: LabelledImages) -> None:
    boot = garments.Shown.of(garment_data).pictures().boot
    path = edges.learn(boot, np.random.default_rng(0), steps=edges.STEPS_ON_A_GARMENT)
    assert np.abs(path[-1] - edges.KERNEL).max() < 1e-2


def test_the_edges_of_a_garment_are_its_differences(garment_data: LabelledImages) -> None:
    boot = garments.Shown.of(garment_data).pictures().boot
    np.testing.assert_allclose(edges.across(boot), -np.diff(boot, axis=1), **CLOSE)
    np.testing.assert_allclose(edges.down(boot), -np.diff(boot, axis=0), **CLOSE)


def test_the_small_network_has_the_gradients_of_torch() -> None:
    rng = np.random.default_rng(0)
    net = garments.Network.start(rng)
    x, labels = rng.normal(size=(5, 1, 28, 28)), np.arange(5)
    loss, ours = garments.loss_and_gradients(net, x, labels)

    def theirs(w: torch.Tensor, b: torch.Tensor, v: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        hidden = F.max_pool2d(F.relu(F.conv2d(torch.tensor(x), w, b)), 2).flatten(1)
        return F.cross_entropy(hidden @ v.T + c, torch.tensor(labels))

    value, _, *gradients = by_torch(theirs, lambda _: np.array(1.0), *net)
    np.testing.assert_allclose(loss, value, **CLOSE)
    for mine, reference in zip(ours, gradients, strict=True):
        np.testing.assert_allclose(mine, reference, **CLOSE)


PICTURE, KERNEL = np.zeros((1, 2, 5, 5)), np.zeros((3, 2, 3, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.cross_correlate(PICTURE, KERNEL[:, :1]), "the pictures have 2 channels and the kernels 1"),
        (lambda: layers.cross_correlate(PICTURE[0], KERNEL), r"expected pictures \(N, C, H, W\)"),
        (lambda: layers.cross_correlate(PICTURE, KERNEL, stride=0), "stride must be a whole number from 1 up"),
        (lambda: layers.cross_correlate(PICTURE, KERNEL, dilation=0), "dilation must be a whole number from 1 up"),
        (lambda: layers.cross_correlate(PICTURE, KERNEL, padding=(1, -1)), "padding must be a whole number from 0 up"),
        (lambda: layers.cross_correlate(PICTURE, KERNEL, dilation=3), "covers 7 pixels .* has 5.* padding of 1 "),
        (lambda: layers.cross_correlate_by_loops(PICTURE, np.zeros((1, 2, 6, 1))), "no window fits"),
        (lambda: layers.cross_correlate(PICTURE, np.zeros((1, 2, 2, 2)), padding="same"), '"same" .* found 2 .*1 or 3'),
        (lambda: layers.cross_correlate(PICTURE, KERNEL, padding="same", stride=2), "stride 1 only, found stride"),
        (lambda: layers.cross_correlate_backward(PICTURE, PICTURE, KERNEL), r"shape of the output, \(1, 3, 3, 3\)"),
        (lambda: layers.max_pool(PICTURE, 2, stride=0), "stride must be"),
        (lambda: layers.max_pool(PICTURE, 6), "no window fits"),
        (lambda: layers.average_pool(PICTURE, 2, padding=2), "more than half of the pooling window"),
        (lambda: layers.max_pool(PICTURE[0], 2), r"expected pictures \(N, C, H, W\)"),
        (lambda: layers.max_pool_backward(PICTURE, PICTURE, 2), r"shape of the output, \(1, 2, 2, 2\)"),
        (lambda: layers.average_pool_backward(PICTURE, PICTURE, 2), r"shape of the output, \(1, 2, 2, 2\)"),
        (lambda: layers.cross_correlate(PICTURE, KERNEL, np.zeros(1)), r"for each of 3 kernels, .* found \(1,\)"),
        (lambda: layers.cross_correlate_by_loops(PICTURE, KERNEL, np.zeros(4)), "a bias for each of 3 kernels"),
        (lambda: layers.dense_per_pixel(PICTURE, np.zeros((3, 4))), r"weights \(O, C\), found .* \(3, 4\)"),
        (lambda: receptive_fields([Layer(3, stride=0)]), "stride must be"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_value(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_the_facts_of_the_lab_are_as_the_page_says(garment_data: LabelledImages) -> None:
    facts = convolution.checks(garment_data)
    assert facts["worked example, first value"] == 19
    assert facts["two channels, first value"] == 56
    assert facts["receptive field of LeNet, formula"] == facts["receptive field of LeNet, measured"] == 16
    assert facts["kernel learned on the band within 0.01"]
    assert facts["kernel learned on the boot within 0.01"]
    assert facts["small network, test accuracy"] > 0.7
