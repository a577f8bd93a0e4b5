"""Convolution from the loop up (chapter 4).

A kernel slides over a picture and says at each place how much of its own pattern it finds there. It is the same kernel
everywhere: a pattern is found wherever it lies, with as many weights as the kernel has numbers. In reading order:

`geometry`: where windows lie, and how many fit, by kernel, padding, stride and dilation (4.4). `layers`: convolution
and pooling, forward and backward, as a loop that says what is meant and in a fast form (4.3.1, 4.4, 4.5, 4.6).
`receptive`: how much of the picture one value sees (4.3.6). `edges`: two numbers that find edges, and how to learn them
(4.3.3, 4.3.4). `garments`: a small network of these layers that learns kernels of its own. `drawing`: the pictures.

Right in the book, and tests here: 0..8 by 0..3 starts with 19; with a second channel one higher, with 56; 8 x 8 with
padding 1 stays 8 x 8; the 2 x 2 poolings of 0..8 are 4 5 7 8 and 2 3 5 6. Wrong, and put right here: in 4.4.1 the
formula of the output size has a ceiling where a floor belongs, as in 4.4.2 (8 x 8 under kernel 3, padding 1, stride 2
is 4 x 4, not 5 x 5); 8 x 8 under kernel 3, stride 2 and no padding is 3 x 3, not 4 x 4; the six printed rows of the
edge matrix are 0 1 0 0 −1 0, one column short of 0 1 0 0 0 −1 0; the layer beside it ignores the kernel; the listing
that learns the kernel, and the calls for several channels, do not run.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from handbook.data.images import LabelledImages
from handbook.labs.convolution import edges, garments, layers
from handbook.labs.convolution.receptive import LENET, measured_field, receptive_fields

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATASET = "fashion_mnist"
SEED = 0


def figures(data: LabelledImages) -> dict[str, Figure]:
    """The lab's pictures, each with its finding as title."""
    from handbook.labs.convolution import drawing

    shown, net, on_the_band, on_the_boot = studied(garments.Shown.of(data))
    return {
        "windows": drawing.windows(),
        "edges": drawing.found_edges(edges.band(), shown.boot),
        "kernel_converging": drawing.converging(on_the_band, on_the_boot),
        "receptive_field": drawing.receptive_field(shown.boot),
        "feature_maps": drawing.feature_maps(net, shown),
        "pooling": drawing.pooling(shown.boot),
    }


class Studied(NamedTuple):
    """The pictures, the network that learned from them, and how the edge kernel is learned, on band and boot."""

    shown: garments.Garments
    net: garments.Network
    on_the_band: layers.Array
    on_the_boot: layers.Array


@cache
def studied(given: garments.Shown) -> Studied:
    """Learned once for the same bytes, because figures and checks both want it."""
    shown = given.pictures()
    return Studied(
        shown,
        garments.trained(shown, np.random.default_rng(SEED)),
        edges.learn(edges.band(), np.random.default_rng(SEED)),
        edges.learn(shown.boot, np.random.default_rng(SEED), edges.STEPS_ON_A_GARMENT),
    )


def checks(data: LabelledImages) -> dict[str, float | bool]:
    """The chapter's facts, measured."""
    shown, net, on_the_band, on_the_boot = studied(garments.Shown.of(data))
    return {
        **_worked(),
        "kernel learned on the band, steps to 0.01": edges.steps_to(on_the_band),
        "kernel learned on the boot, steps to 0.01": edges.steps_to(on_the_boot),
        "kernel learned on the band within 0.01": edges.within(on_the_band),
        "kernel learned on the boot within 0.01": edges.within(on_the_boot),
        "smallest curvature on the band": edges.curvatures(edges.band())[0],
        "smallest curvature on the boot": edges.curvatures(shown.boot)[0],
        "receptive field of LeNet, formula": receptive_fields(LENET)[-1],
        "receptive field of LeNet, measured": measured_field(LENET),
        "small network, test accuracy": garments.accuracy(net, shown.test_x, shown.test_labels),
        "small network, kernels that find something in the boot": int(
            (garments.feature_maps(net, shown.boot_x[None, None])[0].max(axis=(0, 2, 3)) > 0).sum()
        ),
        "small network, accuracy before training": garments.accuracy(
            garments.Network.start(np.random.default_rng(SEED)), shown.test_x, shown.test_labels
        ),
    }


def _worked() -> dict[str, float | bool]:
    """The book's own small examples."""
    x, w = np.arange(9.0).reshape(1, 1, 3, 3), np.arange(4.0).reshape(1, 1, 2, 2)
    two = layers.cross_correlate(np.concatenate([x, x + 1], axis=1), np.concatenate([w, w + 1], axis=1))
    padded = layers.cross_correlate(np.zeros((1, 1, 8, 8)), np.zeros((1, 1, 3, 3)), padding=1, stride=2)
    bare = layers.cross_correlate(np.zeros((1, 1, 8, 8)), np.zeros((1, 1, 3, 3)), stride=2)
    row = [0, 1, 0, 0, 0, -1, 0]
    return {
        "worked example, first value": float(layers.cross_correlate(x, w)[0, 0, 0, 0]),
        "two channels, first value": float(two[0, 0, 0, 0]),
        "max pooling, last value": float(layers.max_pool(x, 2, stride=1)[0, 0, 1, 1]),
        "average pooling, last value": float(layers.average_pool(x, 2, stride=1)[0, 0, 1, 1]),
        "rows of 8 at kernel 3, padding 1, stride 2": padded.shape[2],
        "rows of 8 at kernel 3, no padding, stride 2": bare.shape[2],
        "rows of the edge matrix that are 0 1 0 0 0 -1 0": int((edges.across(edges.band()) == row).all(axis=1).sum()),
        "turning the kernel changes nothing for a symmetric one": np.array_equal(
            layers.convolve(x, w + w[..., ::-1, ::-1]), layers.cross_correlate(x, w + w[..., ::-1, ::-1])
        ),
    }
