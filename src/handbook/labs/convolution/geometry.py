"""Where the windows of a layer lie: kernel, padding, stride, dilation (section 4.4).

Along one axis a window of k values, d apart, covers d(k − 1) + 1 pixels. Over n pixels with p added on each side, in
steps of s, there is room for

    floor((n + 2p − d(k − 1) − 1) / s) + 1

windows. In section 4.4.1 the book prints a ceiling, which counts a last window that hangs over the edge; in 4.4.2, with
p for the padding of both sides together, it prints the floor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Size = int | tuple[int, int]  # rows and columns alike, or rows, then columns
Padding = Size | Literal["same"]


def output_size(n: int, k: int, *, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """How many windows fit along one axis of n pixels. Raises ValueError where not even one does."""
    s, p, d = stride, padding, dilation
    covered = d * (k - 1) + 1
    if covered > n + 2 * p:
        raise ValueError(
            f"a kernel of {k} with dilation {d} covers {covered} pixels and the padded input has {n + 2 * p}: "
            f"no window fits. Take a smaller kernel or dilation, or padding of {-(-(covered - n) // 2)} or more"
        )
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def same_padding(k: int, *, dilation: int = 1) -> int:
    """The padding that keeps the size at stride 1. Raises ValueError where it would have to differ left and right."""
    covered = dilation * (k - 1) + 1
    if covered % 2 == 0:
        raise ValueError(
            f'"same" padding needs an odd kernel, found {k} with dilation {dilation}, which covers {covered} pixels: '
            f"half of {covered - 1} cannot be added on each side. Take a kernel of {k - 1} or {k + 1}, or give a number"
        )
    return covered // 2


@dataclass(frozen=True)
class Windows:
    """The windows of a layer, rows before columns, in pixels. Raises ValueError for what cannot be laid."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]

    @classmethod
    def of(cls, kernel: Size, stride: Size = 1, padding: Padding = 0, dilation: Size = 1) -> Windows:
        """From one number for both axes, a pair, or "same" padding."""
        k, d = pair(kernel, "kernel", 1), pair(dilation, "dilation", 1)
        s = pair(stride, "stride", 1)
        if padding != "same":
            return cls(k, s, pair(padding, "padding", 0), d)
        if s != (1, 1):
            raise ValueError(f'"same" padding keeps the size at stride 1 only, found stride {s}: give a number instead')
        return cls(k, s, (same_padding(k[0], dilation=d[0]), same_padding(k[1], dilation=d[1])), d)

    @property
    def covered(self) -> tuple[int, int]:
        """Pixels from the first to the last of a window, both counted."""
        (kh, kw), (dh, dw) = self.kernel, self.dilation
        return dh * (kh - 1) + 1, dw * (kw - 1) + 1

    def output(self, height: int, width: int) -> tuple[int, int]:
        """How many windows there are, rows and columns, over an input of this size."""
        rows, columns = (
            output_size(n, k, stride=s, padding=p, dilation=d)
            for n, k, s, p, d in zip(
                (height, width), self.kernel, self.stride, self.padding, self.dilation, strict=True
            )
        )
        return rows, columns


def pair(value: object, name: str, least: int) -> tuple[int, int]:
    """A number for both axes, or a pair of them, each whole and not below the least that makes sense."""
    both = value if isinstance(value, tuple) else (value, value)
    if len(both) != 2 or not all(isinstance(v, int | np.integer) and v >= least for v in both):
        raise ValueError(f"{name} must be a whole number from {least} up, or a pair of them, found {value!r}")
    return int(both[0]), int(both[1])
