"""The RBF network of section 7.3 on bank marketing: the same split, rows, centres and sigma, two ways.

*as printed* fills the matrix of activations G in two nested Python loops, a row and a centre at a time, with the
printed exponent d^2 / (2 sigma)^2, and gets its weights by inverting G'G; it is our own listing of that recipe. *ours*
is `handbook.cases.rbf_network` on the same centres: activations and least squares by batches. Both are timed from the
standardised rows to the weights, k-means left out. They take turns, five rounds after one to warm up. *as printed* runs
over every eighth of the 30,291 training rows in the race, and its time is multiplied by eight, since loops are linear
in the rows; predictions for the 14,920 test rows are compared after both learnt from all rows. *from lstsq* is the
greatest difference from NumPy's least squares on the whole of G.

The second table is ours on generated rows of 16 attributes, each line in a process of its own: the peak is what the
resident memory grew by during the solve, beside what all of G would take.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from handbook import datasets
from handbook.cases import rbf_network
from handbook.data import partition, schema
from handbook.project import Project
from handbook.training import encodings

Array = npt.NDArray[np.float64]
EVERY, ROUNDS = 8, 5


def printed(rows: Array, centres: Array, sigma: float) -> Array:
    """Activations (N, M), one at a time."""
    design = np.empty((len(rows), len(centres)))
    for i in range(len(rows)):
        for j in range(len(centres)):
            design[i, j] = np.exp(-(np.linalg.norm(rows[i] - centres[j]) ** 2) / (2 * sigma) ** 2)
    return design


def by_inverse(phi: Array, labels: Array) -> Array:
    return np.asarray(np.linalg.inv(phi.T @ phi) @ phi.T @ labels)


def solved(rows: Tensor, labels: Tensor, centres: Tensor, sigma: float, batch: int = 2048) -> Tensor:
    """Weights (M, 1) as the page gets them."""

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for part, wanted in zip(torch.split(rows, batch), torch.split(labels, batch), strict=True):
            yield rbf_network.activations(part, centres, sigma * 2**0.5, intercept=False), wanted

    return rbf_network.least_squares(batches, rows.new_zeros(len(centres)))[0]


def run() -> list[str]:
    """The table, then how close the predictions are."""
    project = Project.here()
    params = project.case("rbf_book").params
    data = datasets.page("bank_marketing").load(project.data("bank_marketing"))
    split = partition.rows(data, params)
    columns = encodings.codes(data.features, schema.categories(data.features))
    rows, test = (encodings.encoded(each.features, columns) for each in (split.train, split.test))
    labels = split.train.target.astype(np.float64)
    tensor, wanted = torch.from_numpy(rows), torch.from_numpy(labels)[:, None]
    lines = [
        "| centres | as printed, s | ours, s | times faster, median | lowest – highest "
        "| ours from printed | ours from lstsq | printed from lstsq |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for number in (8, 100):
        centres = rbf_network.kmeans(tensor, number, torch.Generator().manual_seed(params.seed))
        sigma, at = rbf_network.spread(centres, 0), centres.numpy()
        theirs, ours = race(
            lambda at=at, sigma=sigma: by_inverse(printed(rows[::EVERY], at, sigma), labels[::EVERY]),  # type: ignore[misc]
            lambda c=centres, sigma=sigma: solved(tensor, wanted, c, sigma),  # type: ignore[misc]
        )
        ratios = [EVERY * slow / fast for slow, fast in zip(theirs, ours, strict=True)]
        g, judged = printed(rows, at, sigma), printed(test, at, sigma)
        a = judged @ by_inverse(g, labels)
        phi = rbf_network.activations(torch.from_numpy(test), centres, sigma * 2**0.5, False)
        b = (phi @ solved(tensor, wanted, centres, sigma)).numpy()[:, 0]
        c = judged @ np.linalg.lstsq(g, labels, rcond=None)[0]
        apart = " | ".join(f"{np.abs(x - y).max():.0e}" for x, y in ((b, a), (b, c), (a, c)))
        lines.append(
            f"| {number} | {EVERY * statistics.median(theirs):.2f} | {statistics.median(ours):.4f} "
            f"| **{statistics.median(ratios):.0f}** | {min(ratios):.0f} – {max(ratios):.0f} | {apart} |"
        )
    return [*lines, "", *growth()]


def race(*contenders: Callable[[], Any]) -> list[list[float]]:
    """Seconds of each in each round; they take turns, so that a slow minute hits all."""
    times: list[list[float]] = [[] for _ in contenders]
    for _ in range(ROUNDS + 1):
        for place, contender in zip(times, contenders, strict=True):
            start = time.perf_counter()
            contender()
            place.append(time.perf_counter() - start)
    return [each[1:] for each in times]


GROWTH = """
import resource, sys, time
import torch
from benchmarks.rbf import solved

torch.manual_seed(0)
rows = torch.randn(int(sys.argv[1]), 16, dtype=torch.float64)
labels = (rows[:, :1] > 1).double()
solved(rows[:8192], labels[:8192], rows[:500], 3.0)  # what the libraries need for themselves
before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
solved(rows, labels, rows[:500], 3.0)
print(time.perf_counter() - start, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3)
"""


def growth() -> list[str]:
    """Time and memory with 500 centres, as the rows grow."""
    lines = ["| rows, 500 centres | seconds | growth of memory, MB | all of G, MB |", "|---:|---:|---:|---:|"]
    for number in (30_000, 300_000, 1_000_000):
        command = [sys.executable, "-c", GROWTH, str(number)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds, grown = (float(each) for each in done.stdout.split())
        lines.append(f"| {number:,} | {seconds:.1f} | {grown:.0f} | {number * 500 * 8 / 1e6:.0f} |")
    return lines
