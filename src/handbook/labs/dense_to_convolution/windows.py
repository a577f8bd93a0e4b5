"""What lies beyond the rim: padding modes, how often a pixel is used, and a stack of kernels (sections 4.4 and 4.5).

    zeros        0 0 | a b c d | 0 0        reflect     c b | a b c d | c b
    replicate    a a | a b c d | d d        circular    c d | a b c d | a b

A window that hangs over the rim must be given something to see. Which of the four is nearest to what truly lies there
is measured by cutting the middle out of a garment: then the truth beyond the cut is known.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}  # torch's names: NumPy's
CUT, BLUR = 7, 5  # pixels cut off on each side of a garment; side of the mean that is taken
STACK = {
    "left to right": ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),  # Sobel's
    "top to bottom": ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    "spots": ((0, -1, 0), (-1, 4, -1), (0, -1, 0)),  # the Laplacian, as a difference
    "blur": ((1 / 9,) * 3,) * 3,
    "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    "relief": ((-2, -1, 0), (-1, 1, 1), (0, 1, 2)),
}


def correlate(x: Array, w: Array, mode: str = "", stride: tuple[int, int] = (1, 1)) -> Array:
    """Pictures (..., R, C) by a kernel (k, l), for odd sides of the same size under a padding mode; "" pads nothing."""
    if mode:
        if mode not in MODES:
            raise ValueError(f"no padding mode {mode!r}; choose from {', '.join(MODES)}")
        sides: list[tuple[int, int]] = [(0, 0)] * (x.ndim - 2) + [(side // 2, side // 2) for side in w.shape]
        x = np.pad(x, sides, mode=MODES[mode])  # type: ignore[call-overload]
    every = np.lib.stride_tricks.sliding_window_view(x, w.shape, axis=(-2, -1))
    return np.asarray(np.einsum("...ijab,ab->...ij", every[..., :: stride[0], :: stride[1], :, :], w))


def stack(picture: Array) -> Array:
    """What each kernel of the stack finds in a picture (R, C), as one layer: (kernels, R, C)."""
    return np.stack([correlate(picture, np.array(kernel, dtype=float), "zeros") for kernel in STACK.values()])


def uses(side: int, kernel: int) -> Array:
    """How many windows see each pixel of (side, side), without padding: one the corner, kernel² the middle."""
    line = np.convolve(np.ones(side - kernel + 1), np.ones(kernel))
    return np.outer(line, line)


class RimErrors(NamedTuple):
    """Of each padding mode, by pixels from the rim (modes, distances); and of each picture at the rim itself."""

    by_distance: Array
    by_picture: Array  # (modes, N)


def rim_errors(pictures: Array) -> RimErrors:
    """How far a blur of the middle of garments (N, 28, 28) of 0 to 1 is from that of the whole, by padding mode."""
    w = np.full((BLUR, BLUR), 1 / BLUR**2)
    inside = np.s_[:, CUT:-CUT, CUT:-CUT]
    truth = correlate(pictures, w, "zeros")[inside]  # the cut is wider than a window reaches: no padding in it
    side = truth.shape[1]
    line = np.minimum(np.arange(side), side - 1 - np.arange(side))
    distance = np.minimum(line[:, None], line[None])  # (side, side): pixels from the nearest rim
    errors = np.stack([np.abs(correlate(pictures[inside], w, mode) - truth) for mode in MODES])
    rings = [errors[..., distance == d] for d in range(BLUR // 2 + 1)]
    return RimErrors(np.stack([ring.mean(axis=(1, 2)) for ring in rings], axis=1), rings[0].mean(axis=2))
