"""From a dense layer to a convolution, one constraint at a time (section 4.2, equations 4.1 to 4.8).

    dense                H[i, j] = U[i, j] + Σ_k Σ_l W[i, j, k, l] X[k, l]                                  (4.1)
    the same by offset   H[i, j] = U[i, j] + Σ_a Σ_b V[i, j, a, b] X[i + a, j + b]                          (4.2)
    shared weights       V[i, j, a, b] = v[a, b] and U[i, j] = u, whatever the place                        (4.3)
    locality             v[a, b] = 0 for |a| > Δ or |b| > Δ                                                 (4.4)
    channels             H[d, i, j] = Σ_c Σ_a Σ_b v[d, c, a, b] X[c, i + a, j + b]                          (4.8)

X is zero outside the picture. As a matrix of pixels by pixels, W of 4.3 has equal numbers along its diagonals (doubly
block Toeplitz); on a picture whose rims are joined, a torus, it is doubly block circulant, and the Fourier transform
turns it into a product (4.5 to 4.7). What 4.3 asks for is that the layer commutes with every shift S, W S = S W; the
matrices for which that holds are the circulant ones and no others, so that the mean of S⁻¹ W S over all shifts is the
convolution nearest to any dense W.

The book counts 4Δ² weights in 4.4. Offsets from −Δ to Δ are 2Δ + 1 each way, zero among them: (2Δ + 1)².
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def dense(x: Array, W: Array, U: Array | float = 0.0) -> Array:
    """Equation 4.1: pictures (..., R, C), weights (R, C, R, C), biases (R, C) -> (..., R, C)."""
    return np.asarray(np.einsum("ijkl,...kl->...ij", W, x, optimize=True) + U)


def by_offset(W: Array) -> Array:
    """Weights (R, C, R, C) under the names of equation 4.2, (R, C, 2R − 1, 2C − 1), the middle being a = b = 0."""
    rows, columns = W.shape[:2]
    i, j, k, l = np.ogrid[:rows, :columns, :rows, :columns]  # noqa: E741 (the equation's letters)
    V = np.zeros((rows, columns, 2 * rows - 1, 2 * columns - 1))
    V[i, j, k - i + rows - 1, l - j + columns - 1] = W
    return V


def over_offsets(x: Array, V: Array, U: Array | float = 0.0) -> Array:
    """Equation 4.2: a picture (R, C) by weights named by offset, (R, C, 2R − 1, 2C − 1)."""
    rows, columns = x.shape
    around = np.pad(x, ((rows - 1, rows - 1), (columns - 1, columns - 1)))
    windows = np.lib.stride_tricks.sliding_window_view(around, (2 * rows - 1, 2 * columns - 1))  # (R, C, 2R-1, 2C-1)
    return np.asarray(np.einsum("ijab,ijab->ij", V, windows) + U)


def shared(v: Array, rows: int, columns: int) -> Array:
    """The weights (R, C, R, C) of equation 4.3 for a kernel of all offsets, (2R − 1, 2C − 1): doubly block Toeplitz."""
    if v.shape != (2 * rows - 1, 2 * columns - 1):
        raise ValueError(f"expected a kernel of all offsets, {(2 * rows - 1, 2 * columns - 1)}, found {v.shape}")
    i, j, k, l = np.ogrid[:rows, :columns, :rows, :columns]  # noqa: E741
    return np.asarray(v[k - i + rows - 1, l - j + columns - 1])


def local(w: Array, rows: int, columns: int) -> Array:
    """The weights (R, C, R, C) of equation 4.4 for a kernel (2Δ + 1, 2Δ + 1): zero but in bands."""
    down, across = (side // 2 for side in w.shape)
    if w.shape[0] % 2 == 0 or w.shape[1] % 2 == 0 or down >= rows or across >= columns:
        raise ValueError(f"expected a kernel of odd sides within {2 * rows - 1} x {2 * columns - 1}, found {w.shape}")
    v = np.zeros((2 * rows - 1, 2 * columns - 1))
    v[rows - 1 - down : rows + down, columns - 1 - across : columns + across] = w
    return shared(v, rows, columns)


def with_channels(w: Array, rows: int, columns: int) -> Array:
    """The weights (D, R, C, I, R, C) of equation 4.8 for kernels (D, I, 2Δ + 1, 2Δ + 1)."""
    banded = np.stack([[local(kernel, rows, columns) for kernel in into] for into in w])  # (D, I, R, C, R, C)
    return banded.transpose(0, 2, 3, 1, 4, 5)


def circulant(v: Array) -> Array:
    """The weights (R, C, R, C) on a torus for a kernel (R, C) of offsets, which are counted round."""
    rows, columns = v.shape
    i, j, k, l = np.ogrid[:rows, :columns, :rows, :columns]  # noqa: E741
    return np.asarray(v[(k - i) % rows, (l - j) % columns])


def nearest_convolution(W: Array) -> Array:
    """The kernel (R, C) on a torus whose weights are nearest to dense ones: the mean of S⁻¹ W S over all shifts."""
    rows, columns = W.shape[:2]
    i, j, a, b = np.ogrid[:rows, :columns, :rows, :columns]
    return np.asarray(W[i, j, (i + a) % rows, (j + b) % columns].mean(axis=(0, 1)))


def fails_to_commute(W: Array, down: int, across: int) -> float:
    """‖W S − S W‖ / ‖W‖ for a shift S on the torus: 0 where a shifted picture has a shifted answer."""
    shifted_in = np.roll(W, (-down, -across), axis=(2, 3))
    shifted_out = np.roll(W, (down, across), axis=(0, 1))
    return float(np.linalg.norm(shifted_in - shifted_out) / np.linalg.norm(W))


def weights(side: int, reach: int, inputs: int = 1, outputs: int = 1) -> dict[str, int]:
    """How many weights a layer from side x side pixels to as many has, a constraint at a time."""
    kernel = (2 * reach + 1) ** 2
    return {
        "dense": side**4,
        "shared by all places": (2 * side - 1) ** 2,
        "and local": kernel,
        "with channels": kernel * inputs * outputs,
    }


def learned_dense(x: Array, y: Array) -> Array:
    """The weights (R, C, R, C) with the least squared error on pictures (N, R, C) and answers (N, R, C), then least."""
    n, rows, columns = x.shape
    found = np.linalg.lstsq(x.reshape(n, -1), y.reshape(n, -1), rcond=None)[0]
    return np.asarray(found.T.reshape(rows, columns, rows, columns))


def learned_kernel(x: Array, y: Array, reach: int) -> Array:
    """The kernel (2Δ + 1, 2Δ + 1) on a torus with the least squared error on the same."""
    offsets = range(-reach, reach + 1)
    seen = np.stack([np.roll(x, (-a, -b), axis=(1, 2)).ravel() for a in offsets for b in offsets], axis=1)
    found = np.linalg.lstsq(seen, y.ravel(), rcond=None)[0]
    return np.asarray(found.reshape(2 * reach + 1, 2 * reach + 1))


def on_torus(w: Array, rows: int, columns: int) -> Array:
    """A kernel (2Δ + 1, 2Δ + 1) as one of offsets counted round, (R, C)."""
    down, across = (side // 2 for side in w.shape)
    v = np.zeros((rows, columns))
    v[: w.shape[0], : w.shape[1]] = w
    return np.roll(v, (-down, -across), axis=(0, 1))


def from_examples(x: Array, sizes: tuple[int, ...], noise: float, seed: int) -> dict[str, Array]:
    """Error on new pictures of a dense layer and of a kernel that learn one kernel from few examples, by how many.

    Pictures (N, R, C), the second half of them new; answers carry noise of that share of their deviation. The error is
    the root of the mean square, as a share of the deviation too.
    """
    rng = np.random.default_rng(seed)
    rows, columns = x.shape[1:]
    teacher = circulant(on_torus(rng.normal(0, 1, (3, 3)), rows, columns))
    old, new = np.array_split(x, 2)
    truth, wanted = dense(old, teacher), dense(new, teacher)
    spread = truth.std()
    given = truth + rng.normal(0, noise * spread, truth.shape)
    students: dict[str, Callable[[int], Array]] = {
        "dense": lambda n: learned_dense(old[:n], given[:n]),
        "3 x 3 kernel": lambda n: circulant(on_torus(learned_kernel(old[:n], given[:n], 1), rows, columns)),
    }
    return {
        name: np.array([np.sqrt(np.square(dense(new, learn(n)) - wanted).mean()) / spread for n in sizes])
        for name, learn in students.items()
    }
