"""The laws of the lab `dense_to_convolution`: each constraint is what its equation says, and torch agrees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d
from torch.nn import functional as F

from handbook import datasets
from handbook.data.images import LabelledImages
from handbook.labs import dense_to_convolution as lab
from handbook.labs.dense_to_convolution import chain, detection, equivariance, learners, windows

ROWS, COLUMNS = 5, 6


@pytest.fixture(scope="module")
def garments(samples: Callable[[str], Path]) -> LabelledImages:
    loaded: LabelledImages = datasets.page("fashion_mnist").load(samples("fashion_mnist"))
    return loaded


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_counting_pixels_from_the_hidden_one_changes_no_sum(rng: np.random.Generator) -> None:
    W, x, U = rng.normal(size=(ROWS, COLUMNS) * 2), rng.normal(size=(ROWS, COLUMNS)), rng.normal(size=(ROWS, COLUMNS))
    np.testing.assert_allclose(chain.over_offsets(x, chain.by_offset(W), U), chain.dense(x, W, U), atol=1e-12)
    assert np.count_nonzero(chain.by_offset(W)) == W.size


def test_shared_weights_are_a_cross_correlation_with_a_kernel_of_all_offsets(rng: np.random.Generator) -> None:
    v, x = rng.normal(size=(2 * ROWS - 1, 2 * COLUMNS - 1)), rng.normal(size=(ROWS, COLUMNS))
    W = chain.shared(v, ROWS, COLUMNS)
    around = np.pad(x, ((ROWS - 1,) * 2, (COLUMNS - 1,) * 2))
    np.testing.assert_allclose(chain.dense(x, W), correlate2d(around, v, mode="valid"), atol=1e-12)
    assert len(np.unique(W)) == v.size == (2 * ROWS - 1) * (2 * COLUMNS - 1)
    with pytest.raises(ValueError, match="kernel of all offsets"):
        chain.shared(v[1:], ROWS, COLUMNS)


def test_local_shared_weights_are_torchs_convolution(rng: np.random.Generator) -> None:
    w, x = rng.normal(size=(3, 5)), rng.normal(size=(4, ROWS, COLUMNS))
    theirs = F.conv2d(torch.tensor(x)[:, None], torch.tensor(w)[None, None], padding=(1, 2))[:, 0].numpy()
    np.testing.assert_allclose(chain.dense(x, chain.local(w, ROWS, COLUMNS)), theirs, atol=1e-12)
    with pytest.raises(ValueError, match="odd sides"):
        chain.local(w[:2], ROWS, COLUMNS)


def test_channels_add_up_as_in_torchs_convolution(rng: np.random.Generator) -> None:
    w, x = rng.normal(size=(4, 3, 3, 3)), rng.normal(size=(3, ROWS, COLUMNS))
    ours = np.einsum("dijckl,ckl->dij", chain.with_channels(w, ROWS, COLUMNS), x)
    theirs = F.conv2d(torch.tensor(x)[None], torch.tensor(w), padding=1)[0].numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
    assert w.size == chain.weights(ROWS, 1, 3, 4)["with channels"]


def test_the_fourier_transform_makes_a_product_of_a_convolution_on_a_torus(rng: np.random.Generator) -> None:
    v, x = rng.normal(size=(ROWS, COLUMNS)), rng.normal(size=(ROWS, COLUMNS))
    product = np.fft.ifft2(np.fft.fft2(x) * np.conj(np.fft.fft2(v))).real  # the conjugate: it is a cross-correlation
    np.testing.assert_allclose(chain.dense(x, chain.circulant(v)), product, atol=1e-12)
    eigenvalues = np.linalg.eigvals(chain.circulant(v).reshape(ROWS * COLUMNS, -1))
    apart = np.abs(eigenvalues[:, None] - np.fft.fft2(v).ravel())
    assert max(apart.min(axis=0).max(), apart.min(axis=1).max()) < 1e-10


def test_the_weights_that_commute_with_every_shift_are_the_circulant_ones(rng: np.random.Generator) -> None:
    W = rng.normal(size=(4, 5, 4, 5))
    nearest = chain.circulant(chain.nearest_convolution(W))
    for down, across in np.ndindex(4, 5):
        assert chain.fails_to_commute(nearest, down, across) < 1e-12
        assert (chain.fails_to_commute(W, down, across) > 1) == bool(down or across)
    np.testing.assert_allclose(chain.circulant(chain.nearest_convolution(nearest)), nearest, atol=1e-12)
    other = chain.circulant(rng.normal(size=(4, 5)))
    assert abs(((W - nearest) * other).sum()) < 1e-9  # what is left has no part that commutes
    assert np.linalg.norm(W - nearest) < np.linalg.norm(W - other)


def test_a_kernel_is_learnt_exactly_from_one_picture_and_a_dense_layer_from_as_many_as_pixels(
    rng: np.random.Generator,
) -> None:
    x = rng.normal(size=(60, 4, 5))
    found = chain.from_examples(x, (1, 10, 20, 30), 0.0, 0)
    assert found["3 x 3 kernel"].max() < 1e-10
    assert found["dense"][:2].min() > 0.1
    assert found["dense"][2:].max() < 1e-8  # twenty pixels, twenty pictures


@pytest.mark.parametrize("mode", windows.MODES)
def test_padding_modes_are_torchs(mode: str, rng: np.random.Generator) -> None:
    x, w = rng.normal(size=(2, 6, 7)), rng.normal(size=(5, 3))
    layer = torch.nn.Conv2d(1, 1, (5, 3), padding=(2, 1), padding_mode=mode, bias=False, dtype=torch.float64)
    layer.weight.data = torch.tensor(w)[None, None]
    theirs = layer(torch.tensor(x)[:, None])[:, 0].detach().numpy()
    np.testing.assert_allclose(windows.correlate(x, w, mode), theirs, atol=1e-12)


def test_a_padding_mode_that_is_not_there_is_named(rng: np.random.Generator) -> None:
    with pytest.raises(ValueError, match="no padding mode 'mirror'; choose from zeros, reflect"):
        windows.correlate(np.zeros((3, 3)), np.ones((1, 1)), "mirror")


def test_figures_4_6_and_4_7_have_their_numbers() -> None:
    padded, w = np.pad(np.arange(9.0).reshape(3, 3), 1), np.arange(4.0).reshape(2, 2)
    assert windows.correlate(padded, w).tolist() == [[0, 3, 8, 4], [9, 19, 25, 10], [21, 37, 43, 16], [6, 7, 8, 0]]
    assert windows.correlate(padded, w, stride=(3, 2)).tolist() == [[0, 8], [6, 8]]


@pytest.mark.parametrize(("kernel", "corner", "middle"), [(1, 1, 1), (2, 1, 4), (3, 1, 9)])
def test_pixels_are_used_as_often_as_windows_see_them(kernel: int, corner: int, middle: int) -> None:
    found = windows.uses(7, kernel)
    assert (found[0, 0], found[3, 3], found.sum()) == (corner, middle, (7 - kernel + 1) ** 2 * kernel**2)


def test_the_error_of_a_padding_lies_at_the_rim_and_is_none_where_it_guesses_right() -> None:
    grey = windows.rim_errors(np.full((3, 28, 28), 0.5))
    assert grey.by_distance[0, 0] > 0.05  # zeros are wrong about grey cloth
    assert np.abs(grey.by_distance[1:]).max() < 1e-12  # the other three go on with it
    assert np.abs(grey.by_distance[:, -1]).max() < 1e-12  # out of reach of the rim


def test_a_convolution_on_a_torus_moves_with_the_picture_and_a_stride_with_its_multiples(
    rng: np.random.Generator,
) -> None:
    found = equivariance.errors(rng.uniform(size=(3, 28, 28)), rng)
    assert found["convolution, circular padding"].max() < 1e-12
    assert found["convolution, zeros beyond the rim"][1:].min() > 1e-3
    strided, pooled = found["convolution, circular, stride 2"], found["convolution, circular, max pooling 4"]
    assert max(strided[::2].max(), pooled[::4].max()) < 1e-12
    assert min(strided[1::2].min(), np.delete(pooled, [0, 4, 8]).min()) > 1e-3
    assert found["dense, random weights"][1:].min() > 0.5


def test_a_bright_pixel_stays_in_its_pool_for_one_place_less_the_shift_in_side() -> None:
    for side in (2, 4, 7):
        for shift in range(side + 1):
            assert equivariance.kept(side, shift, 28 + shift) == pytest.approx((side - shift) / side)


def test_the_greatest_answer_is_at_the_pattern(
    garments: LabelledImages,
) -> None:
    empty, crowded = detection.searches(replace(detection.Garments.of(garments), scenes=100), lab.SEED).values()
    for scene, (i, j) in zip(crowded.scenes[:20], crowded.places, strict=False):
        window = scene[i : i + detection.PATCH, j : j + detection.PATCH]
        np.testing.assert_array_equal(window, crowded.pattern)
    kernel = empty.pattern - empty.pattern.mean()
    assert detection.hits(empty, kernel, 0.0, np.random.default_rng(0)) == 100


def test_a_pattern_that_is_like_no_other_place_is_found_as_often_as_the_formula_says(rng: np.random.Generator) -> None:
    pattern, scenes, places = rng.normal(size=(12, 12)), np.zeros((200, 64, 64)), rng.integers(0, 53, (200, 2))
    for scene, (i, j) in zip(scenes, places, strict=True):
        scene[i : i + 12, j : j + 12] = pattern
    search = detection.Search(scenes, places, pattern)
    for size in (2.5, 3.5, 5.0):
        found = detection.hits(search, pattern, float(np.linalg.norm(pattern)) / size, rng) / 200
        assert found == pytest.approx(detection.expected(size, 1.0, 53 * 53), abs=0.1)


def test_the_pattern_to_look_for_is_a_corner_and_not_an_edge() -> None:
    picture = np.zeros((28, 28))
    picture[8:, 10:] = 1
    i, j = detection.distinct(picture)
    assert i < 8 < i + detection.PATCH
    assert j < 10 < j + detection.PATCH


def test_the_formula_of_detection_is_a_guess_without_a_pattern_and_certain_without_noise() -> None:
    assert detection.expected(0.0, 1.0, 50) == pytest.approx(1 / 50, rel=1e-6)
    assert detection.expected(1.0, 0.0, 50) == 1.0
    draws = np.random.default_rng(0).normal(size=(20000, 10))
    draws[:, 0] += 1.5
    assert detection.expected(1.5, 1.0, 10) == pytest.approx((draws.argmax(axis=1) == 0).mean(), abs=0.01)


@pytest.mark.parametrize(
    ("kind", "count"), [("dense", 451_584), ("local", 14_400), ("convolution", 100), ("convolution and pooling", 400)]
)
def test_the_networks_differ_in_one_layer_and_in_nothing_behind_it(kind: str, count: int) -> None:
    net = learners.network(kind, 0)
    assert learners.weights(kind) == count
    assert net(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    assert list(net.children())[-1].weight.shape == (10, learners.HIDDEN)


def test_a_locally_connected_layer_with_the_same_weights_everywhere_is_the_convolution() -> None:
    local, kernel = learners.locally_connected(), torch.nn.Conv2d(1, 4, 5, stride=2)
    local.weight.data = kernel.weight.data.view(4, 1, 25).expand(4, 144, 25).clone()
    local.bias.data = kernel.bias.data.view(4, 1).expand(4, 144).clone()
    x = torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(local(x), kernel(x).flatten(1), atol=1e-5)


def test_distortions_move_rotate_and_scale_and_leave_alone_what_is_not_to_change() -> None:
    x = torch.zeros(50, 1, 28, 28)
    x[:, :, 10:18, 12:16] = 1
    assert learners.distorted(x, None) is x
    moved = learners.distorted(x, torch.Generator().manual_seed(0), shift=3)
    assert torch.allclose(moved.sum(dim=(1, 2, 3)), torch.full((50,), 32.0), atol=1e-2)  # by whole pixels: none is lost
    corners = {tuple(int(each.min()) for each in torch.nonzero(picture[0] > 0.5).T) for picture in moved}
    assert {i for i, _ in corners} == set(range(7, 14))
    assert {j for _, j in corners} == set(range(9, 16))
    scaled = learners.distorted(x, torch.Generator().manual_seed(0), scale=0.25).sum(dim=(1, 2, 3)) / 32
    assert 0.5 < scaled.min() < 0.7  # areas: 0.75² to 1.25²
    assert 1.4 < scaled.max() < 1.6
    turned = learners.distorted(x, torch.Generator().manual_seed(0), turn=30.0)
    assert torch.allclose(turned.sum(dim=(1, 2, 3)), torch.full((50,), 32.0), rtol=0.08)
    assert float((turned - x).abs().amax(dim=(1, 2, 3)).max()) > 0.5


def test_the_book_counts_one_offset_too_few_each_way() -> None:
    assert chain.weights(1000, 2)["dense"] == 10**12
    assert chain.weights(1000, 2)["shared by all places"] == 3_996_001
    assert chain.weights(1000, 2)["and local"] == 25 != 4 * 2**2


def test_every_network_learns_from_the_drawn_sample(garments: LabelledImages) -> None:
    facts = lab.checks(garments)
    learnt = [value for name, value in facts.items() if name.endswith("200 garments: accuracy")]
    assert len(learnt) == 4
    assert min(learnt) > 0.5  # a tenth by guessing
