"""Chapter 4, padding, stride, channels and pooling: 4.4 to 4.6."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from handbook.claims.chapter4 import correlated, torch_weight
from handbook.claims.claim import Claim, check, right, wrong
from handbook.claims.trials import runs
from handbook.labs.convolution import layers
from handbook.labs.convolution.geometry import output_size, same_padding

Array = npt.NDArray[np.float64]
NINE, SIXTEEN = np.arange(9.0).reshape(3, 3), np.arange(16.0).reshape(4, 4)  # of figure 4.10 and of section 4.6.1


def floors_agree() -> bool:
    """Whether section 4.4.2's floor, its p of both sides together, is the size for a grid of layers."""
    return all(
        (n - k + 2 * p + s) // s == output_size(n, k, padding=p, stride=s)
        for n in range(5, 12) for k in range(1, 6) for p in range(3) for s in range(1, 4)
    )  # fmt: skip


def short_forms_agree() -> bool:
    """Whether p = k − 1 leaves (n + s − 1) / s rounded down, and n / s where it divides."""
    return all(
        (n - k + (k - 1) + s) // s == (n + s - 1) // s and (n % s or (n + s - 1) // s == n // s)
        for n in range(5, 13) for k in range(1, 6) for s in range(1, 5)
    )  # fmt: skip


def uses_of_corner_and_centre() -> tuple[float, float]:
    """How many windows of 3 x 3 see the corner and the centre of 7 x 7."""
    seen = layers.cross_correlate_backward(np.ones((1, 1, 5, 5)), np.zeros((1, 1, 7, 7)), np.ones((1, 1, 3, 3))).x[0, 0]
    return float(seen[0, 0]), float(seen[3, 3])


def two_channels(channel: int) -> float:
    """The share of a channel in the first value of figure 4.8."""
    return float(correlated(NINE + (1 - channel), np.arange(4.0).reshape(2, 2) + (1 - channel))[0, 0])


def products_run() -> bool:
    """The listing multiplies pictures and kernels of different sizes number by number."""
    return runs(lambda: np.zeros((1, 1, 2, 3, 3)) * np.zeros((1, 3, 2, 2, 2)))


def example_runs() -> bool:
    """The listing's tensors, (1, 2, 2, 4) and (2, 2, 2): a plane of the one by one of the other."""
    return runs(lambda: np.zeros((1, 2, 4)) * np.zeros((2, 2)))


def plane_convolves() -> bool:
    import torch

    return runs(lambda: torch.nn.functional.conv2d(torch.zeros(1, 3, 3), torch.zeros(2, 2)))


def joined_kernels() -> int:
    """How many kernels K, K + 1 and K + 2 make when joined along the first axis."""
    kernel = np.arange(1.0, 9.0).reshape(2, 2, 2)
    return len(np.concatenate([kernel, kernel + 1, kernel + 2], axis=0))


def one_by_one_mixes() -> bool:
    """Whether an output of a 1 x 1 convolution hears one channel only."""
    x, w = np.zeros((1, 3, 2, 2)), np.ones((2, 3, 1, 1))
    hears = [np.any(layers.cross_correlate(x + np.eye(3)[c][:, None, None], w)[0, 0]) for c in range(3)]
    return sum(map(bool, hears)) == 1


def one_by_one_is_dense() -> bool:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 4, 4)), rng.standard_normal((2, 3))
    return bool(np.allclose(layers.dense_per_pixel(x, w), layers.cross_correlate(x, w[:, :, None, None])))


def listed_shape_exists() -> bool:
    """The listing asks a tensor of three axes for its fourth."""
    return runs(lambda: np.size(np.zeros((3, 3, 3)), 3))


def pooled(kind: str) -> Array:
    x, layer = NINE[None, None], layers.max_pool if kind == "max" else layers.average_pool
    return np.asarray(layer(x, 2, stride=1)[0, 0])


def pooled_pattern_stays() -> bool:
    """A single 1 in 4 x 4, moved by one column: whether 2 x 2 pooling answers alike, wherever it starts."""
    same = []
    for row, column in np.ndindex(4, 3):
        x, moved = np.zeros((1, 1, 4, 4)), np.zeros((1, 1, 4, 4))
        x[0, 0, row, column] = moved[0, 0, row, column + 1] = 1
        same.append(np.array_equal(layers.max_pool(x, 2), layers.max_pool(moved, 2)))
    return all(same)


def pooling_weights() -> int:
    from torch import nn

    return sum(each.numel() for each in nn.MaxPool2d(2).parameters())


CLAIMS: tuple[Claim, ...] = (
    right("4.4", "output of 3 × 3 under 2 × 2", "2 2", lambda: (output_size(3, 2), output_size(3, 2)),
          "no padding, stride 1"),
    right("4.4.1", "figure 4.5: pixels of the corners are used less than those of the centre", "yes",
          lambda: uses_of_corner_and_centre()[0] < uses_of_corner_and_centre()[1], "once, against nine times by 3 × 3"),
    right("4.4.1", "figure 4.6: 3 × 3 with a padding of 1 is", "5 5", lambda: np.pad(NINE, 1).shape,
          "one row each side"),
    right("4.4.1", "and its output under 2 × 2", "4 4", lambda: (output_size(3, 2, padding=1),) * 2, "5 − 2 + 1"),
    wrong("4.4.1", "8 under kernel 3, padding 1, stride 2, by the printed ceiling", "5",
          check("convolution", "rows of 8 at kernel 3, padding 1, stride 2"),
          "a ceiling counts a last window that hangs over the edge; section 4.4.2 has the floor"),
    wrong("4.4.1", "p rows above and below make 8 rows higher by p: for 1", "9",
          lambda: np.pad(np.zeros((8, 8)), 1).shape[0], "by 2p, as its own formula has it"),
    wrong("4.4.1", "a padding of k − 1 keeps the size, in this section's formula: 8 under kernel 3", "8",
          lambda: output_size(8, 3, padding=2), "there p counts each side; both sides together must have k − 1"),
    right("4.4.2", "the same in this section's formula, p of both sides together", "8", lambda: 8 - 3 + (3 - 1) + 1,
          "one row each side"),
    wrong("4.4.1", "3 rows of padding are laid as 1 above and 1 below, and keep 8 under kernel 4", "8",
          lambda: output_size(8, 4, padding=1), "that is 2 rows: an even kernel cannot be padded alike on both sides"),
    right("4.4.1", "odd kernels keep the size with the same padding on both sides: 1, 3, 5 and 7", "0 1 2 3",
          lambda: [same_padding(k) for k in (1, 3, 5, 7)], "half of the kernel, rounded down"),
    right("4.4.1", "8 × 8 under kernel 3 and padding 1", "8 8", lambda: (output_size(8, 3, padding=1),) * 2,
          "the size is kept"),
    right("4.4.2", "the floor of the output size", "yes", floors_agree,
          "for a grid of sizes, kernels, paddings, strides"),
    right("4.4.2", "its two short forms", "yes", short_forms_agree,
          "for a padding of k − 1, and where the stride divides"),
    wrong("4.4.2", "8 × 8 under kernel 3 and stride 2, without padding", "(1, 1, 4, 4)",
          lambda: layers.cross_correlate(np.zeros((1, 1, 8, 8)), np.zeros((1, 1, 3, 3)), stride=2).shape,
          "without padding three windows fit; a padding of 1 would halve it"),
    right("4.4.2", "figure 4.7: rows between windows one above the other, and columns between neighbours", "3 2",
          lambda: (np.unique(np.diff(range(0, 9, 3))).item(), np.unique(np.diff(range(0, 9, 2))).item()),
          "its strides"),
    right("4.5.1", "figure 4.8: the first channel's share", "37", lambda: two_channels(0), "1 + 4 + 12 + 20"),
    right("4.5.1", "the second channel's", "19", lambda: two_channels(1), "as in figure 4.3"),
    right("4.5.1", "and their sum", "56", check("convolution", "two channels, first value"), "37 + 19"),
    wrong("4.5.1", "the function for several channels runs", "yes", products_run,
          "it multiplies 3 × 3 pictures by 2 × 2 kernels number by number, without a window"),
    wrong("4.5.1", "the example computes the 56 by hand and by the function", "yes", example_runs,
          "its tensors are not those of the figure, do not fit each other, and the function has another name"),
    right("4.5.2", "kernels of 3 outputs, 2 inputs, 2 × 2", "(3, 2, 2, 2)", lambda: torch_weight(2, 3, 2),
          "outputs, inputs, height, width"),
    wrong("4.5.2", "the function for several outputs runs", "yes", plane_convolves,
          "torch wants kernels of four axes, and gets planes"),
    wrong("4.5.2", "K, K + 1 and K + 2 joined are a kernel of so many outputs", "3", joined_kernels,
          "joined along the axis of inputs they are six planes; they must be stacked along a new one"),
    right("4.5.3", "figure 4.9: weights of a 1 × 1 convolution from 3 to 2 channels", "6",
          lambda: math.prod(torch_weight(3, 2, 1)), "inputs times outputs, and a bias for each output"),
    wrong("4.5.3", "it transforms each channel independently", "yes", one_by_one_mixes,
          "each output is a mixture of all channels, as the same section says under information fusion"),
    right("4.5.3", "it is a dense layer at every pixel", "yes", one_by_one_is_dense, "to rounding"),
    wrong("4.5.3", "weights of the listing's dense layer, which is to be that convolution", "6",
          lambda: (3 * 3) * 2, "it flattens channels and places together: nine inputs, and no pixel for itself"),
    wrong("4.5.3", "the listing runs", "yes", listed_shape_exists,
          "its tensor has three axes, and it asks for the fourth"),
    right("4.6", "figure 4.10: greatest of 0, 1, 3 and 4", "4", lambda: pooled("max")[0, 0], "the first window"),
    right("4.6.1", "greatest of 0, 1, 4 and 5", "5", lambda: layers.max_pool(SIXTEEN[None, None], 2)[0, 0, 0, 0],
          "the first window of 0..15"),
    right("4.6.1", "pooling has weights to learn", "0", pooling_weights, "none"),
    right("4.6.1", "max pooling of 0..8", "4 5; 7 8", lambda: pooled("max"), "windows of 2 × 2, one apart"),
    right("4.6.1", "average pooling of 0..8", "2 3; 5 6", lambda: pooled("average"), "the same windows"),
    wrong("4.6.1", "the listed function pools 4 × 4 into", "2 2", lambda: (output_size(4, 2),) * 2,
          "it moves by one pixel, and not by the window as the formula above it"),
    wrong("4.6.1", "the answer is the same for a pattern that moved by one pixel", "yes", pooled_pattern_stays,
          "only if it stays within its window: half of all moves leave it"),
)  # fmt: skip
