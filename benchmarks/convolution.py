"""A 3 x 3 convolution of 32 grey pictures of 28 x 28 with 8 kernels and biases, no padding, stride 1, in float64.

That is a batch (32, 1, 28, 28) to (32, 8, 26, 26): 173,056 windows of 9 numbers. *fast* is the lab's form by strides
and one matrix product a picture (`handbook.labs.convolution.layers.cross_correlate`); *loop* is the lab's explicit loop
in Python, a window at a time with NumPy inside the window; *scalar loop* is the same without NumPy, a product at a time
over lists; *torch* is `conv2d` on the same float64 numbers. One thread each. Backward has a table of its own: the
gradients of pictures, kernels and biases; *torch* by autograd, its forward not counted. They take turns, five rounds
after one to warm up; *fast* and *torch* are run 20 times a turn and their time divided. The last line says how far the
values of the contenders are from torch's.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

from handbook.labs.convolution import layers
from handbook.labs.convolution.layers import Array

ROUNDS, TIMES = 5, 20
Contenders = dict[str, tuple[Callable[[], object], int]]  # what is run, and how often a turn


def scalar_loop(x: Array, w: Array, b: Array) -> list[list[list[list[float]]]]:
    """One channel, no padding, stride 1, without NumPy: lists in, lists out."""
    pictures, kernels, biases = x[:, 0].tolist(), w[:, 0].tolist(), b.tolist()
    rows, columns = x.shape[2] - w.shape[2] + 1, x.shape[3] - w.shape[3] + 1
    places = [(u, v) for u in range(w.shape[2]) for v in range(w.shape[3])]
    return [
        [
            [
                [bias + sum(picture[i + u][j + v] * kernel[u][v] for u, v in places) for j in range(columns)]
                for i in range(rows)
            ]
            for kernel, bias in zip(kernels, biases, strict=True)
        ]
        for picture in pictures
    ]


def run() -> list[str]:
    """The two tables, a line a contender, and the largest difference."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(32, 1, 28, 28)), rng.normal(size=(8, 1, 3, 3)), rng.normal(size=8)
    g = rng.normal(size=(32, 8, 26, 26))
    tx, tw, tb = (torch.tensor(each, requires_grad=True) for each in (x, w, b))
    y, back = F.conv2d(tx, tw, tb), torch.tensor(g)

    def torch_forward() -> torch.Tensor:
        with torch.no_grad():
            return F.conv2d(tx, tw, tb)

    def torch_backward() -> tuple[torch.Tensor, ...]:
        return torch.autograd.grad(y, (tx, tw, tb), back, retain_graph=True)

    forward: Contenders = {
        "fast": (lambda: layers.cross_correlate(x, w, b), TIMES),
        "loop": (lambda: layers.cross_correlate_by_loops(x, w, b), 1),
        "scalar loop": (lambda: scalar_loop(x, w, b), 1),
        "torch": (torch_forward, TIMES),
    }
    backward: Contenders = {
        "fast": (lambda: layers.cross_correlate_backward(g, x, w), TIMES),
        "loop": (lambda: layers.cross_correlate_backward_by_loops(g, x, w), 1),
        "torch": (torch_backward, TIMES),
    }
    apart = max(float(np.abs(np.asarray(each()) - y.detach().numpy()).max()) for each, _ in forward.values())
    return [
        *table("forward", race(forward)),
        "",
        *table("backward", race(backward)),
        "",
        f"Values differ by {apart:.0e} at most.",
    ]


def race(contenders: Contenders) -> dict[str, list[float]]:
    """Seconds of each contender in each round; they take turns, so that a slow minute hits all."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS + 1):
        for name, (contender, times) in contenders.items():
            start = time.perf_counter()
            for _ in range(times):
                contender()
            seconds[name].append((time.perf_counter() - start) / times)
    return {name: each[1:] for name, each in seconds.items()}


def table(what: str, times: dict[str, list[float]]) -> list[str]:
    lines = [f"| {what} | median ms | × fast, median | lowest – highest |", "|---|---:|---:|---:|"]
    for name, seconds in times.items():
        ratios = [mine / theirs for mine, theirs in zip(seconds, times["fast"], strict=True)]
        spread = f"{min(ratios):.2f} – {max(ratios):.2f}"
        lines.append(
            f"| {name} | {1e3 * statistics.median(seconds):.2f} | **{statistics.median(ratios):.2f}** | {spread} |"
        )
    return lines
