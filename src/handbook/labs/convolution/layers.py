"""Convolution and pooling, forward and backward (sections 4.3.1, 4.4, 4.5 and 4.6).

Deep learning's convolution is a cross-correlation. Over C channels of a picture x, with O kernels w and biases b,

    y[o, i, j] = b[o] + Σ_c Σ_u Σ_v x[c, i s + u d, j s + v d] w[o, c, u, v]

True convolution turns the kernel round, u → k − 1 − u, which makes it commute; a kernel that is learned does not care.
Backward, with g = ∂L/∂y, each window hands g w to its pixels, and the kernel gathers g times the window.

The loop says this window by window. The fast form lays every window out as a row without copying (strides), and the sum
over c, u, v becomes one matrix product (im2col: Chellapilla, Puri and Simard 2006).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from handbook.labs.convolution.geometry import Padding, Size, Windows

Array = npt.NDArray[Any]


class Gradients(NamedTuple):
    """∂L/∂x, ∂L/∂w and ∂L/∂b, each of the shape of what it belongs to."""

    x: Array
    w: Array
    b: Array


def cross_correlate_by_loops(
    x: Array, w: Array, b: Array | None = None, *, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> Array:
    """Pictures (N, C, H, W) and kernels (O, C, kh, kw) to (N, O, rows, columns), window by window."""
    windows = fitting(x, w, stride, padding, dilation)
    padded, (dh, dw), (sh, sw), (eh, ew) = _pad(x, windows), windows.dilation, windows.stride, windows.covered
    bias = np.zeros(len(w)) if b is None else _fitting_bias(b, w)
    y = np.zeros((len(x), len(w), *windows.output(*x.shape[2:])))
    for n, o, i, j in np.ndindex(*y.shape):
        window = padded[n, :, i * sh : i * sh + eh : dh, j * sw : j * sw + ew : dw]  # (C, kh, kw)
        y[n, o, i, j] = (window * w[o]).sum() + bias[o]
    return y


def cross_correlate_backward_by_loops(
    g: Array, x: Array, w: Array, *, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> Gradients:
    """Gradients from g (N, O, rows, columns), window by window."""
    windows = fitting(x, w, stride, padding, dilation)
    padded, (dh, dw), (sh, sw), (eh, ew) = _pad(x, windows), windows.dilation, windows.stride, windows.covered
    _fits(g, (len(x), len(w), *windows.output(*x.shape[2:])))
    dx, dk, db = np.zeros(padded.shape), np.zeros(w.shape), np.zeros(len(w))
    for n, o, i, j in np.ndindex(*g.shape):
        place = (n, slice(None), slice(i * sh, i * sh + eh, dh), slice(j * sw, j * sw + ew, dw))
        dx[place] += g[n, o, i, j] * w[o]
        dk[o] += g[n, o, i, j] * padded[place]
        db[o] += g[n, o, i, j]
    return Gradients(_crop(dx, windows), dk, db)


def cross_correlate(
    x: Array, w: Array, b: Array | None = None, *, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> Array:
    """The same at once: every window a column of a matrix, every kernel a row."""
    windows = fitting(x, w, stride, padding, dilation)
    y = w.reshape(len(w), -1) @ _columns(x, windows)  # (O, C kh kw) @ (N, C kh kw, places) -> (N, O, places)
    if b is not None:
        y += _fitting_bias(b, w)[:, None]
    return np.asarray(y.reshape(len(x), len(w), *windows.output(*x.shape[2:])))


def cross_correlate_backward(
    g: Array, x: Array, w: Array, *, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> Gradients:
    """Its gradients at once, from g (N, O, rows, columns)."""
    windows = fitting(x, w, stride, padding, dilation)
    rows, columns = windows.output(*x.shape[2:])
    _fits(g, (len(x), len(w), rows, columns))
    flat = g.reshape(*g.shape[:2], -1)  # (N, O, places)
    dk = (flat @ _columns(x, windows).transpose(0, 2, 1)).sum(axis=0).reshape(w.shape)
    shares = w.reshape(len(w), -1).T @ flat  # (N, C kh kw, places): what each window owes to each of its pixels
    shares = shares.reshape(len(x), w.shape[1], *windows.kernel, rows, columns)
    return Gradients(_hand_back(shares, x.shape, windows), dk, g.sum(axis=(0, 2, 3)))


def convolve(x: Array, w: Array, b: Array | None = None, **windows: Any) -> Array:
    """True convolution: cross-correlation with each kernel turned by half a turn."""
    return cross_correlate(x, w[..., ::-1, ::-1], b, **windows)


def convolve_backward(g: Array, x: Array, w: Array, **windows: Any) -> Gradients:
    """Gradients of the true convolution; the kernel's is turned back."""
    turned = cross_correlate_backward(g, x, w[..., ::-1, ::-1], **windows)
    return turned._replace(w=turned.w[..., ::-1, ::-1])


def dense_per_pixel(x: Array, w: Array, b: Array | None = None) -> Array:
    """What a 1 × 1 convolution is: one dense layer (O, C) over the channels, applied at every pixel."""
    if x.ndim != 4 or w.ndim != 2 or x.shape[1] != w.shape[1]:
        raise ValueError(f"expected pictures (N, C, H, W) and weights (O, C), found {x.shape} and {w.shape}")
    y = np.einsum("oc,nchw->nohw", w, x)
    return np.asarray(y if b is None else y + _fitting_bias(b, w)[:, None, None])


def max_pool(x: Array, kernel: Size, *, stride: Size | None = None, padding: Size = 0) -> Array:
    """The greatest value of each window, (N, C, H, W) -> (N, C, rows, columns); the stride is the kernel by default."""
    return np.asarray(_spread(x, pooling(kernel, stride, padding), -np.inf).max(axis=(4, 5)))


def max_pool_backward(g: Array, x: Array, kernel: Size, *, stride: Size | None = None, padding: Size = 0) -> Array:
    """∂L/∂x: each window's gradient goes to its greatest pixel, the first of them in reading order."""
    windows = pooling(kernel, stride, padding)
    spread = _spread(x, windows, -np.inf)
    _fits(g, spread.shape[:4])
    winner = spread.reshape(*g.shape, -1).argmax(axis=-1)  # (N, C, rows, columns)
    shares = np.stack([np.where(winner == place, g, 0) for place in range(int(np.prod(windows.kernel)))], axis=2)
    return _hand_back(shares.reshape(*g.shape[:2], *windows.kernel, *g.shape[2:]), x.shape, windows)


def average_pool(x: Array, kernel: Size, *, stride: Size | None = None, padding: Size = 0) -> Array:
    """The mean of each window, padding counted as zero; the stride is the kernel by default."""
    return np.asarray(_spread(x, pooling(kernel, stride, padding)).mean(axis=(4, 5)))


def average_pool_backward(g: Array, x: Array, kernel: Size, *, stride: Size | None = None, padding: Size = 0) -> Array:
    """∂L/∂x: each window's gradient is shared out equally."""
    windows = pooling(kernel, stride, padding)
    _fits(g, (*x.shape[:2], *windows.output(*x.shape[2:])))
    share = g[:, :, None, None] / np.prod(windows.kernel)
    return _hand_back(np.broadcast_to(share, (*g.shape[:2], *windows.kernel, *g.shape[2:])), x.shape, windows)


def fitting(x: Array, w: Array, stride: Size, padding: Padding, dilation: Size) -> Windows:
    """The windows of kernels w over pictures x. Raises ValueError if the shapes do not fit each other."""
    if x.ndim != 4 or w.ndim != 4:
        raise ValueError(f"expected pictures (N, C, H, W) and kernels (O, C, kh, kw), found {x.shape} and {w.shape}")
    if x.shape[1] != w.shape[1]:
        raise ValueError(
            f"the pictures have {x.shape[1]} channels and the kernels {w.shape[1]} (shapes {x.shape} and {w.shape}): "
            "give each kernel a slice for every channel"
        )
    windows = Windows.of((w.shape[2], w.shape[3]), stride, padding, dilation)
    windows.output(*x.shape[2:])  # says whether the kernel is larger than the padded input
    return windows


def pooling(kernel: Size, stride: Size | None, padding: Size) -> Windows:
    """The windows of a pooling. Raises ValueError where one could lie in the padding alone."""
    windows = Windows.of(kernel, kernel if stride is None else stride, padding)
    if any(2 * p > k for p, k in zip(windows.padding, windows.kernel, strict=True)):
        raise ValueError(
            f"padding {windows.padding} is more than half of the pooling window {windows.kernel}: "
            "some windows would hold nothing but padding. Take less padding or a larger window"
        )
    return windows


def _fitting_bias(b: Array, w: Array) -> Array:
    if b.shape != (len(w),):
        raise ValueError(f"expected a bias for each of {len(w)} kernels, shape ({len(w)},), found {b.shape}")
    return b


def _fits(g: Array, shape: tuple[int, ...]) -> None:
    if g.shape != shape:
        raise ValueError(f"the gradient must have the shape of the output, {shape}, found {g.shape}")


def _pad(x: Array, windows: Windows, filling: float = 0.0) -> Array:
    ph, pw = windows.padding
    return np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=filling) if ph or pw else x


def _crop(padded: Array, windows: Windows) -> Array:
    (ph, pw), (height, width) = windows.padding, padded.shape[2:]
    return padded[:, :, ph : height - ph, pw : width - pw]


def _spread(x: Array, windows: Windows, filling: float = 0.0) -> Array:
    """Every window of every channel, (N, C, rows, columns, kh, kw): a view, no pixel is copied but for the padding."""
    if x.ndim != 4:
        raise ValueError(f"expected pictures (N, C, H, W), found an array of shape {x.shape}")
    windows.output(*x.shape[2:])
    (sh, sw), (dh, dw) = windows.stride, windows.dilation
    every = np.lib.stride_tricks.sliding_window_view(_pad(x, windows, filling), windows.covered, axis=(2, 3))
    return every[:, :, ::sh, ::sw, ::dh, ::dw]


def _columns(x: Array, windows: Windows) -> Array:
    """Every window as a column, (N, C kh kw, places)."""
    spread = _spread(x, windows)
    size, places = x.shape[1] * int(np.prod(windows.kernel)), int(np.prod(spread.shape[2:4]))
    return spread.transpose(0, 1, 4, 5, 2, 3).reshape(len(x), size, places)


def _hand_back(shares: Array, shape: tuple[int, ...], windows: Windows) -> Array:
    """Add up at each pixel (N, C, H, W) what every window hands back to it, (N, C, kh, kw, rows, columns)."""
    (sh, sw), (dh, dw), (ph, pw) = windows.stride, windows.dilation, windows.padding
    rows, columns = shares.shape[4:]
    padded = np.zeros((*shape[:2], shape[2] + 2 * ph, shape[3] + 2 * pw))
    for u, v in np.ndindex(*windows.kernel):  # the pixels at one place of all windows are distinct: no two adds collide
        down, right = u * dh, v * dw
        padded[:, :, down : down + sh * rows : sh, right : right + sw * columns : sw] += shares[:, :, u, v]
    return _crop(padded, windows)
