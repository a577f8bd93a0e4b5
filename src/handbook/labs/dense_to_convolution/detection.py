"""Detection by the peak: where the answer of a kernel is greatest, there the pattern lies (section 4.2.6, figure 4.2).

A kernel that is the pattern itself, k, answers ‖k‖² where it lies. Noise of deviation σ gives every place an answer of
deviation σ ‖k‖, so that the peak stands ‖k‖ / σ deviations above n − 1 others. Were they independent, it would win with

    p = ∫ φ(z − ‖k‖ / σ) Φ(z)^(n−1) dz

which is what is measured on an empty ground. Among other garments it is not noise that misleads but likeness: a kernel
that is nowhere negative answers most where most is bright. Without its mean it asks for a shape instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.data.images import LabelledImages
from handbook.data.subsets import plan_for

Array = npt.NDArray[Any]
SCENE, CELL, PATCH, CROWD = 64, 32, 12, 500  # pixels a side; how many others to put there
ALL, PART = 300, 40  # scenes; and of a drawn sample
NOISES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)  # deviations, of pixels of 0 to 1
NEAR = 1  # pixels each way that a place may be off
SOUGHT = "Bag"  # what the pattern is on; the other garments are of other kinds


@dataclass(frozen=True)
class Search:
    """Scenes (S, 64, 64) and where the pattern's corner lies in each (S, 2); the pattern (12, 12)."""

    scenes: Array
    places: Array
    pattern: Array


@dataclass(frozen=True)
class Garments:
    """The garment that is sought, and others, as bytes: what was found with the same bytes is found once."""

    sought: bytes
    others: bytes
    scenes: int  # in which to look for it

    @classmethod
    def of(cls, data: LabelledImages) -> Garments:
        own = data.test_labels == data.classes.index(SOUGHT)
        scenes = plan_for(len(data.train_images), ALL, PART)
        return cls(data.test_images[own][0].tobytes(), data.test_images[~own][:CROWD].tobytes(), scenes)


@cache
def searches(garments: Garments, seed: int) -> dict[str, Search]:
    """The same garment hidden on an empty ground, and among three others."""
    rng = np.random.default_rng(seed)
    garment = np.frombuffer(garments.sought, np.uint8).reshape(28, 28) / 255
    others = np.frombuffer(garments.others, np.uint8).reshape(-1, 28, 28)
    top, left = distinct(garment)
    pattern = garment[top : top + PATCH, left : left + PATCH]
    cells = rng.integers(0, 4, garments.scenes)
    offsets = rng.integers(0, CELL - 28 + 1, (garments.scenes, 4, 2))
    empty, crowded = np.zeros((2, garments.scenes, SCENE, SCENE))
    corners = np.array([[0, 0], [0, CELL], [CELL, 0], [CELL, CELL]]) + offsets  # (S, 4, 2)
    for scene in range(garments.scenes):
        for cell, (i, j) in enumerate(corners[scene]):
            window = np.s_[scene, i : i + 28, j : j + 28]
            if cell == cells[scene]:
                empty[window] = crowded[window] = garment
            else:
                crowded[window] = others[rng.integers(len(others))] / 255
    places = corners[np.arange(garments.scenes), cells] + (top, left)
    return {"on an empty ground": Search(empty, places, pattern), "among others": Search(crowded, places, pattern)}


def distinct(picture: Array) -> tuple[int, int]:
    """The corner of the window of a picture (R, C) that is least like the windows around it (Moravec 1980).

    One that lies on an edge is like its neighbours along the edge, and its peak a ridge.
    """
    step = NEAR + 1
    around = np.pad(picture, step)
    moved = [
        around[step + down : len(around) - step + down, step + right : around.shape[1] - step + right]
        for down, right in product((-step, 0, step), repeat=2) if down or right
    ]  # fmt: skip
    squares = np.stack([np.square(picture - each) for each in moved])
    every = np.lib.stride_tricks.sliding_window_view(squares, (PATCH, PATCH), axis=(1, 2)).sum(axis=(3, 4))
    i, j = np.unravel_index(every.min(axis=0).argmax(), every.shape[1:])
    return int(i), int(j)


def answers(scenes: Array, kernel: Array) -> Array:
    """Cross-correlations (S, 53, 53) of scenes (S, 64, 64) by one kernel, by way of the Fourier transform."""
    from scipy.signal import fftconvolve

    return np.asarray(fftconvolve(scenes, kernel[None, ::-1, ::-1], mode="valid", axes=(1, 2)))


def peaks(maps: Array) -> Array:
    """Where each map (S, R, C) is greatest, (S, 2)."""
    flat = maps.reshape(len(maps), -1).argmax(axis=1)
    return np.stack(np.unravel_index(flat, maps.shape[1:]), axis=1)


def hits(search: Search, kernel: Array, noise: float, rng: np.random.Generator) -> int:
    """In how many scenes the peak is where the pattern lies, to a pixel, under so much noise."""
    maps = answers(search.scenes + rng.normal(0, noise, search.scenes.shape), kernel)
    return int((np.abs(peaks(maps) - search.places).max(axis=1) <= NEAR).sum())


@cache
def by_noise(garments: Garments, seed: int) -> dict[str, list[int]]:
    """Hits by noise, for the two grounds by the kernel without its mean, and by the pattern as it is among others."""
    empty, crowded = searches(garments, seed).values()
    tried = {
        "kernel without its mean, on an empty ground": (empty, empty.pattern - empty.pattern.mean()),
        "kernel without its mean, among other garments": (crowded, crowded.pattern - crowded.pattern.mean()),
        "kernel as it is, among other garments": (crowded, crowded.pattern),
    }
    return {
        name: [hits(search, kernel, noise, np.random.default_rng([seed, place])) for place, noise in enumerate(NOISES)]
        for name, (search, kernel) in tried.items()
    }


def expected(size: float, noise: float, places: int) -> float:
    """p above, for a kernel of norm `size` and so many places, were the answers at the others independent."""
    from scipy.stats import norm

    if noise == 0:
        return 1.0
    z = np.linspace(-12, 12, 4801) + size / noise
    return float(np.trapezoid(norm.pdf(z - size / noise) * norm.cdf(z) ** (places - 1), z))
