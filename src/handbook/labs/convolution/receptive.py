"""How much of the picture one value sees (section 4.3.6; Araujo, Norris and Sim 2019).

A layer's window reaches d(k − 1) further, counted in its inputs; one input lies j pixels from the next, and j is the
product of the strides below:

    r₀ = 1,  j₀ = 1;    r = r + d(k − 1) j,  then  j = j s
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from handbook.labs.convolution.geometry import output_size, pair
from handbook.labs.convolution.layers import cross_correlate_backward


class Layer(NamedTuple):
    """A convolution or a pooling along one axis."""

    kernel: int
    stride: int = 1
    dilation: int = 1


LENET = (Layer(5), Layer(2, stride=2), Layer(5), Layer(2, stride=2))


def receptive_fields(layers: Sequence[Layer]) -> list[int]:
    """Pixels from the first to the last that a value sees, after each layer. Raises ValueError for stride 0."""
    for layer in layers:
        for name, value in layer._asdict().items():
            pair(value, name, 1)
    jumps = accumulate((layer.stride for layer in layers), int.__mul__, initial=1)
    steps = (layer.dilation * (layer.kernel - 1) * j for layer, j in zip(layers, jumps, strict=False))
    return list(accumulate(steps, initial=1))[1:]


def measured_field(layers: Sequence[Layer]) -> int:
    """The same by trial: send a gradient back from one value in the middle, and see how far it comes."""
    sizes = [3 * receptive_fields(layers)[-1] + 8]
    for k, s, d in layers:
        sizes.append(output_size(sizes[-1], k, stride=s, dilation=d))
    g = np.zeros((1, 1, 1, sizes[-1]))
    g[..., sizes[-1] // 2] = 1
    for (k, s, d), n in zip(reversed(layers), reversed(sizes[:-1]), strict=True):
        x, w = np.zeros((1, 1, 1, n)), np.ones((1, 1, 1, k))
        g = cross_correlate_backward(g, x, w, stride=(1, s), dilation=(1, d)).x
    touched = np.flatnonzero(g)
    return int(touched[-1] - touched[0] + 1)
