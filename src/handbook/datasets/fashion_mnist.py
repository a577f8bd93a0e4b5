"""Fashion-MNIST: 70,000 grey pictures of 28 x 28, ten kinds of garment, as a shop shows them.

What it is: Zalando's article pictures, shrunk, inverted (black ground, bright cloth) and labelled by experts
of theirs; 60,000 to train on and 10,000 to be judged by, a tenth of each split in every class.
Where from: Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
Algorithms", 2017, https://arxiv.org/abs/1708.07747. Licence: MIT, copyright 2017 Zalando SE.
Not for: saying anything about people, bodies or sizes (there are none in it), other shops' pictures, or
photographs with a background. Shirts, T-shirts, pullovers and coats are hard to tell apart even for a person.
In the book: section 3.13 trains LeNet on it.

The sample draws each garment from a family of shapes with jitter, formulas over the grid, for a whole class at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handbook.data import image_suites, images
from handbook.data.debian import Package
from handbook.data.image_suites import Habits
from handbook.data.images import SIDE, Bytes, LabelledImages
from handbook.data.provenance import File

if TYPE_CHECKING:
    import pandas as pd

CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
           "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")  # fmt: skip
ROWS = {"train": 60_000, "test": 10_000}
SAMPLE_ROWS = {"train": 1_500, "test": 300}
LICENCE = "MIT, copyright 2017 Zalando SE"
SAMPLE_LICENCE = "none needed: drawn here"
SOURCE = "https://github.com/zalandoresearch/fashion-mnist"
UPSTREAM = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
# By file: its sha256, and the time in its gzip header, which Debian's package of these files leaves out.
PINNED = {
    "train-images-idx3-ubyte.gz": ("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", 0x59A7E9DE),
    "train-labels-idx1-ubyte.gz": ("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", 0x59A7E9DE),
    "t10k-images-idx3-ubyte.gz": ("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", 0x59A7E9F3),
    "t10k-labels-idx1-ubyte.gz": ("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", 0x59A7E9F3),
}
FOLDER = Path("/usr/share/datasets/fashion-mnist")
PACKAGE = Package("dataset-fashion-mnist", FOLDER, {name: time for name, (_, time) in PINNED.items()})
FILES = tuple(
    File(name, digest, tuple(f"{address}{name}" for address in UPSTREAM), None, *PACKAGE.places(name))
    for name, (digest, _) in PINNED.items()
)
GROUND, TONES = 0, ((0, 0), (230, 255))  # the brightest measured is 254 or 255; LeNet reads worse below 230
# Measured: a class is a tenth of a split; a picture's ink is 6.9 % to 95.2 %; no picture appears twice.
HABITS = Habits(share=(0.1, 0.1), ink=(0.05, 0.97), ink_of_class={1: (0.25, 0.37), 2: (0.46, 0.75)})


def sample(directory: Path, seed: int) -> None:
    """Draw 1,500 + 300 garments, as many of each class, and write them as the original's files."""
    rng = np.random.default_rng(seed)
    for prefix, n in (("train", SAMPLE_ROWS["train"]), ("t10k", SAMPLE_ROWS["test"])):
        pictures = np.concatenate([_expose(draw(Canvas.stretch(n // 10, rng)), rng) for draw in GARMENTS])
        order = rng.permutation(n)
        labels = np.repeat(np.arange(10, dtype=np.uint8), n // 10)
        images.write_idx(directory / f"{prefix}-images-idx3-ubyte.gz", pictures[order])
        images.write_idx(directory / f"{prefix}-labels-idx1-ubyte.gz", labels[order])


def expectations(sample: bool = False) -> list[Any]:
    """What must hold for the table of facts: the suite of Great Expectations."""
    return image_suites.expectations(SAMPLE_ROWS if sample else ROWS, CLASSES, HABITS)


def facts(directory: Path) -> pd.DataFrame:
    """The table that the suite looks at, a row a picture."""
    return images.facts(load(directory))


def load(directory: Path) -> LabelledImages:
    """The four files as arrays; a HandbookError says which of them is not as it should be."""
    return images.load_pairs(directory, CLASSES)


Array = Any  # float32, (n, 28, 28); or (n, 1, 1), a number a picture. Numpy's types are lost at every ufunc
Pair = tuple[Array, Array]


def _uniform(rng: np.random.Generator, n: int, low: float, high: float) -> Array:
    return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)


def _expose(tone: Array, rng: np.random.Generator) -> Bytes:
    """Tones as bytes, each picture's brightest at 255 as in the original, the cloth dark to pale."""
    light = np.clip(tone, 0, None) / tone.max(axis=(1, 2), keepdims=True)
    return np.asarray(255 * light ** _uniform(rng, len(tone), 0.35, 1.8), dtype=np.uint8)


@dataclass(frozen=True)
class Canvas:
    """The grids of n pictures: x to the right and y down, (n, 28, 28), from -1 to 1, each a little askew."""

    x: Array
    y: Array
    rng: np.random.Generator

    @classmethod
    def stretch(cls, n: int, rng: np.random.Generator) -> Canvas:
        """n canvases: each turned by up to 5 degrees, shifted by up to 1.4 pixels, 0.9 to 1.05 as large."""
        spans = ((-0.09, 0.09), (-0.1, 0.1), (-0.1, 0.1), (0.95, 1.12))
        turn, right, down, scale = (_uniform(rng, n, *span) for span in spans)
        y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j].astype(np.float32)
        return cls((x - turn * y) * scale - right, (y + turn * x) * scale - down, rng)

    def any(self, low: float, high: float) -> Array:
        """A number for each picture, (n, 1, 1), uniform from low to high."""
        return _uniform(self.rng, len(self.x), low, high)

    def some(self, share: float) -> Array:
        """One for a share of the pictures, zero for the others, (n, 1, 1)."""
        return (self.any(0, 1) < share).astype(np.float32)


# A shape is its depth: how far inside a point lies, negative outside. Shapes join by maximum, cut by minimum.


def _cover(*depths: Array) -> Array:
    """How much of each pixel lies inside all the shapes, 0 to 1; edges are a pixel wide."""
    return np.clip(0.5 + reduce(np.minimum, depths) * (SIDE / 2), 0, 1)


def _ellipse(x: Array, y: Array, wide: Array, high: Array) -> Array:
    return (1 - np.hypot(x / wide, y / high)) * np.minimum(wide, high)


def _band(at: Pair, start: Pair, end: Pair, half: Array, taper: float = 1.0) -> Array:
    """A straight band with square ends; its half width shrinks to `taper` of it: sleeves, straps."""
    (x, y), (x0, y0), (x1, y1) = at, start, end
    length = np.hypot(x1 - x0, y1 - y0)
    far = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length
    aside = np.abs((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / length
    return np.minimum(half * (1 - (1 - taper) * np.clip(far / length, 0, 1)) - aside, np.minimum(far, length - far))


def _along(t: Array, *knots: Pair) -> Array:
    """A smooth line through (position, value) knots, evaluated at t: outlines."""
    value = knots[0][1] + np.zeros_like(t)
    for (t0, v0), (t1, v1) in pairwise(knots):
        step = np.clip((t - t0) / (t1 - t0), 0, 1)
        value += (v1 - v0) * step * step * (3 - 2 * step)
    return value


def _cloth(c: Canvas, patterned: float = 1.0) -> Array:
    """Plain, striped, checked or mottled cloth with folds and a grain, about 0.7 bright."""
    across, along, mottled = c.some(0.2 * patterned), c.some(0.15 * patterned), c.some(0.12 * patterned)
    waves = across * np.sin(c.y * c.any(9, 30) + c.any(0, 6)) + along * np.sin(c.x * c.any(9, 26))
    spots = np.sin(c.x * c.any(8, 16) + 2 * np.sin(c.y * c.any(5, 9))) * np.sin(c.y * c.any(8, 16))
    folds = np.sin(c.x * c.any(1, 6) + c.y * c.any(-4, 4) + c.any(0, 6))
    grain = c.rng.standard_normal(c.x.shape, dtype=np.float32)
    tone = 0.7 + c.any(0.02, 0.2) * waves + mottled * c.any(0.1, 0.25) * spots
    return tone + c.any(0, 0.12) * folds + c.any(0.005, 0.04) * grain


def _top(c: Canvas, trunk: tuple[Array, Array, Array], arm: Array, cuff: Pair, neck: Pair) -> Array:
    """A garment with sleeves: half widths of chest, waist, hem, arm; the cuff as seen from the shoulder."""
    (chest, waist, hem), x, bottom = trunk, np.abs(c.x), c.any(0.86, 1.0)
    side = _along(c.y, (-0.8, chest * 0.98), (-0.3, chest), (0.2, waist), (bottom, hem)) - x
    shoulder = (chest - arm * 0.8, -0.8 + arm * 0.4)
    sleeve = _band((x, c.y), shoulder, (shoulder[0] + cuff[0], shoulder[1] + cuff[1]), arm, 0.62)
    outline = np.maximum(np.minimum(side, bottom - c.y), sleeve)
    slope = c.y + 0.97 - np.maximum(x - neck[0], 0) * 0.35
    seam = 1 - c.any(0, 0.5) * _cover(0.03 - np.abs(side), 0.3 - c.y)
    return seam * _cover(outline, slope, -_ellipse(c.x, c.y + 1, *neck))


def _straight(c: Canvas, chest: Array) -> tuple[Array, Array, Array]:
    return chest, chest * c.any(0.85, 1), chest * c.any(0.88, 1.1)


def _t_shirt(c: Canvas) -> Array:
    neck, length = (c.any(0.2, 0.36), c.any(0.1, 0.35)), c.any(0.1, 0.7)
    cuff = c.any(0.3, 0.6) * length, length + c.some(0.15) * 0.8
    collar = _cover(0.05 - np.abs(_ellipse(c.x, c.y + 1, neck[0] + 0.06, neck[1] + 0.06)))
    motif = _cover(_ellipse(c.x, c.y + c.any(0, 0.3), c.any(0.14, 0.32), c.any(0.12, 0.35)))
    tone = _cloth(c) + c.any(-0.15, 0.15) * collar + c.some(0.4) * c.any(-0.4, 0.3) * motif
    return tone * _top(c, _straight(c, c.any(0.42, 0.58)), c.any(0.14, 0.22), cuff, neck)


def _trouser(c: Canvas) -> Array:
    x, hip, hem = np.abs(c.x), c.any(0.28, 0.46), c.any(0.24, 0.48)
    gap, crotch = c.any(0.05, 0.16), c.any(-0.6, -0.3)
    outer = _along(c.y, (-0.95, hip * 0.85), (-0.6, hip), (0.2, (hip + hem) / 2), (1.0, hem))
    inner = _along(c.y, (crotch - 0.1, -0.1), (crotch + 0.2, gap * 0.6), (1.0, gap))
    crease = _cover(0.03 - np.abs(x - (outer + inner) / 2))
    tone = _cloth(c) + c.any(-0.25, 0.2) * _cover(-0.84 - c.y) + c.any(-0.1, 0.2) * crease
    return tone * _cover(outer - x, x - inner, 0.97 - np.abs(c.y))


def _pullover(c: Canvas) -> Array:
    cuff, neck = (c.any(0.22, 0.42), c.any(1.2, 1.7)), (c.any(0.16, 0.32), c.any(0.06, 0.26))
    ribs = _cover(c.y - c.any(0.7, 0.85)) * np.sin(c.x * 40)
    hood = _cover(_ellipse(c.x, c.y + 0.85, neck[0] + 0.14, c.any(0.15, 0.3)))
    zipper = _cover(0.035 - np.abs(c.x), c.any(-0.6, 0.6) - c.y)
    trim = 0.12 * ribs + c.some(0.3) * c.any(-0.25, 0.2) * hood - c.some(0.25) * c.any(0, 0.6) * zipper
    return (_cloth(c) + trim) * _top(c, _straight(c, c.any(0.4, 0.54)), c.any(0.12, 0.18), cuff, neck)


def _dress(c: Canvas) -> Array:
    chest, neck, waist = c.any(0.26, 0.46), (c.any(0.14, 0.24), c.any(0.1, 0.4)), c.any(-0.25, 0)
    trunk = chest, chest * c.any(0.75, 0.95), c.any(0.26, 0.65)
    cuff = c.any(0.06, 0.2), c.any(0.05, 0.35) + c.some(0.3) * 0.8
    pleats = _cover(c.y - waist) * np.sin(c.x / (0.4 + np.maximum(c.y - waist, 0)) * c.any(8, 18))
    belt = _cover(0.05 - np.abs(c.y - waist))
    tone = _cloth(c) + c.some(0.5) * 0.2 * pleats + c.some(0.5) * c.any(-0.4, 0.2) * belt
    return tone * _top(c, trunk, c.any(0.07, 0.13), cuff, neck)


def _coat(c: Canvas) -> Array:
    cuff, neck = (c.any(0.18, 0.38), c.any(1.2, 1.7)), (c.any(0.14, 0.28), c.any(0.05, 0.22))
    x = c.x - c.any(-0.05, 0.08)
    lapel = _cover(0.05 - np.abs(np.abs(x) + 0.5 * c.y + 0.17), -0.3 - c.y)
    pocket = _cover(0.14 - np.abs(np.abs(c.x) - 0.28), 0.04 - np.abs(c.y - c.any(0.2, 0.45)))
    seams = c.some(0.75) * c.any(0, 0.6) * _cover(0.035 - np.abs(x)) + c.some(0.6) * c.any(0, 0.4) * lapel
    tone = _cloth(c) - seams - c.some(0.4) * c.any(0.1, 0.4) * pocket
    return tone * _top(c, _straight(c, c.any(0.42, 0.58)), c.any(0.14, 0.2), cuff, neck)


def _sandal(c: Canvas) -> Array:
    rise, half = c.some(0.5) * c.any(0.3, 0.9), c.any(0.04, 0.09)
    ground = 0.4 + rise * 0.5
    heel, top = ground - rise, ground - rise - c.any(0.4, 0.65)
    bed = ground - _along(c.x, (-0.5, 0.05), (0.65, 0.05 + rise))
    sole = np.minimum(c.any(0.05, 0.1) - np.abs(c.y - bed), 0.95 - np.abs(c.x))
    block = np.minimum(np.minimum(c.y - bed, ground + 0.08 - c.y), 0.93 - c.x) - (rise == 0)
    hoop = np.abs(_ellipse(c.x + c.any(0.4, 0.6), c.y - bed, np.float32(0.32), c.any(0.25, 0.4)))
    block = np.minimum(block, c.x - c.any(0.3, 0.7) * c.some(0.7))
    shapes = [sole, block, np.minimum(half + 0.03 - hoop, bed - c.y)]
    ankle, middle = (c.any(0.2, 0.5), top), (c.any(-0.2, 0.1), ground - rise * 0.4)
    for start, end, lost in (middle, ankle, 0), ((0.82, heel), ankle, 0.4), ((0.84, heel), (0.84, top), 0.4):
        shapes.append(_band((c.x, c.y), start, end, half) - c.some(lost))
    return _cloth(c, 0.3) * _cover(reduce(np.maximum, [*shapes, _band((c.x, c.y), (0.9, top), ankle, half)]))


def _shirt(c: Canvas) -> Array:
    cuff, neck = (c.any(0.2, 0.4), c.any(1.2, 1.7) - c.some(0.4) * 0.85), (c.any(0.14, 0.28), c.any(0.1, 0.3))
    button = _cover(0.045 - np.hypot(c.x, (c.y * 3.4) % 1 / 3.4 - 0.15))
    collar = _cover(0.11 - np.abs(np.abs(c.x) - neck[0] * 0.8), 0.12 - np.abs(c.y + 0.86))
    placket = c.any(-0.1, 0.12) * _cover(0.06 - np.abs(c.x)) - c.any(0, 0.7) * button
    tone = _cloth(c) + c.some(0.75) * placket + c.some(0.75) * c.any(0, 0.35) * collar
    return tone * _top(c, _straight(c, c.any(0.4, 0.54)), c.any(0.11, 0.17), cuff, neck)


def _shoe(c: Canvas, ground: Array, sole: Array, *heights: Pair) -> Array:
    """What sneaker and boot share: leather from the ground to the heights, on a sole of its own tone."""
    upper = _cover(ground - c.y, c.y - ground + _along(c.x, *heights), 0.97 - np.abs(c.x))
    rim = _cover(0.03 - np.abs(c.y - ground + sole))
    return upper * (_cloth(c, 0.3) + c.any(-0.5, 0.4) * _cover(c.y - ground + sole) - c.any(0, 0.4) * rim)


def _sneaker(c: Canvas) -> Array:
    ground, high, tongue = c.any(0.35, 0.6), c.any(0.6, 1.25), c.any(-0.1, 0.25)
    toe, heel = (-0.8, high * c.any(0.4, 0.5)), (0.9, high * c.any(0.8, 1))
    heights = (-1, high * 0.2), toe, (-0.4, toe[1] + 0.1), (tongue, high), (0.5, high * 0.8), heel
    slope = c.y - ground + _along(c.x, toe, (tongue, high))
    laces = _cover(0.14 - np.abs(slope - 0.1), 0.28 - np.abs(c.x - tongue + 0.3)) * np.sin(c.x * 35)
    comb = np.abs((c.x - 0.25 + (c.y - ground) * c.any(-0.6, 0.6)) % c.any(0.15, 0.4) - 0.08)
    stripes = _cover(0.045 - comb, 0.3 - np.abs(c.x - 0.25), 0.15 - np.abs(c.y - ground + high * 0.45))
    details = c.any(0, 0.5) * laces + c.any(-0.7, 0.5) * stripes
    return (1 + details) * _shoe(c, ground, c.any(0.1, 0.2), *heights)


def _bag(c: Canvas) -> Array:
    wide, half, middle, thin = c.any(0.55, 0.97), c.any(0.35, 0.65), c.any(0.2, 0.35), c.any(0.025, 0.06)
    top, shut = middle - half, c.any(-0.1, 0.2)
    side = _along(c.y, (top, wide * c.any(0.8, 1)), (middle + half, wide)) - np.abs(c.x)
    hoop = np.abs(_ellipse(c.x, c.y - top, wide * c.any(0.3, 0.8), np.minimum(c.any(0.3, 1), top + 0.95)))
    handle = np.minimum(thin - hoop, top - c.y + 0.05) - c.some(0.2)
    flap = _cover(0.03 - np.abs(c.y - middle + np.abs(c.x) * c.any(-0.1, 0.5) - shut))
    clasp = _cover(0.08 - np.abs(c.x), 0.07 - np.abs(c.y - middle - shut))
    tone = _cloth(c, 0.6) - c.any(0, 0.5) * flap + c.some(0.6) * c.any(-0.5, 0.4) * clasp
    return tone * _cover(np.maximum(np.minimum(side, half - np.abs(c.y - middle)), handle))


def _ankle_boot(c: Canvas) -> Array:
    ground, high, front = c.any(0.65, 0.95), c.any(1.0, 1.7), c.any(-0.25, 0.1)
    toe, instep, cuff = (-0.8, c.any(0.35, 0.5)), (front - 0.25, c.any(0.55, 0.7)), high * c.any(0.9, 1.05)
    boot = _shoe(c, ground, c.any(0.08, 0.16), (-1, 0.15), toe, instep, (front, high), (0.95, cuff))
    arch = _cover(c.x - c.any(-0.3, 0), c.any(0.3, 0.6) - c.x, c.y - ground + c.any(-0.1, 0.35))
    patch = _cover(0.16 - np.abs(c.x - front - 0.45), c.any(0.2, 0.4) - np.abs(c.y - ground + high * 0.75))
    laces = _cover(0.1 - np.abs(c.x - front - 0.1), ground - 0.4 - c.y) * np.sin(c.y * 30)
    back = _along(c.y, (ground - high, 0.8), (ground - 0.4, 0.7), (ground, 0.9))
    details = c.some(0.5) * c.any(-0.5, 0.4) * patch + c.some(0.5) * c.any(0, 0.4) * laces
    return boot * (1 - arch) * _cover(back - c.x) * (1 + details)


GARMENTS = (_t_shirt, _trouser, _pullover, _dress, _coat, _sandal, _shirt, _sneaker, _bag, _ankle_boot)
