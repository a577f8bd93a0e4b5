"""MNIST: 70,000 handwritten digits, grey, 28 x 28; the digits that LeNet was made for.

What it is: digits written by employees of the US census bureau and by pupils, drawn from NIST's special
databases 1 and 3, fitted into 20 x 20 and centred by mass in 28 x 28; 60,000 to train on and 10,000, by other
writers, to be judged by.
Where from: LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition",
Proceedings of the IEEE, 1998, and the page of LeCun, Cortes and Burges. Licence: their page states none; the
data are commonly listed as CC BY-SA 3.0.
Not for: reading real letters, forms or cheques (every digit is cut out, upright and alone), the hands of
people elsewhere who make their 1, 7 or 9 differently, or telling one writer from another.
In the book: section 6.7 trains a GAN to draw such digits; a classifier trained here judges what it draws.

The sample is real handwriting too: the 1,797 digits of 8 x 8 that scikit-learn carries (Alpaydin and Kaynak,
"Optical Recognition of Handwritten Digits", UCI, 1998, CC BY 4.0), grown and centred in MNIST's way.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data import image_suites, images
from handbook.data.image_suites import Habits
from handbook.data.images import SIDE, Bytes, LabelledImages
from handbook.data.provenance import File

if TYPE_CHECKING:
    import pandas as pd

CLASSES = tuple("0123456789")
ROWS = {"train": 60_000, "test": 10_000}
SAMPLE_ROWS = {"train": 1_497, "test": 300}
LICENCE = "none stated by its authors; commonly listed as CC BY-SA 3.0"
SAMPLE_LICENCE = "CC BY 4.0 (UCI, Optical Recognition of Handwritten Digits)"
SOURCE = "http://yann.lecun.com/exdb/mnist/"
UPSTREAM = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    SOURCE,
)
FILES = tuple(
    File(name, sha256, tuple(address + name for address in UPSTREAM))
    for name, sha256 in (
        ("train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        ("train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        ("t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        ("t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    )
)
INK_FLOOR = 0.2  # of the full ink: below it lies the halo that growing draws around a stroke of the sample
GROUND, TONES = 0, ((0, 0), (200, 255))  # the brightest measured is 254 or 255; read as well from 200 on
# Measured: a class is 8.92 % to 11.35 % of a split; a picture's ink 4.3 % to 44.8 %; none appears twice.
HABITS = Habits(share=(0.089, 0.115), ink=(0.03, 0.5), ink_of_class={0: (0.22, 0.27), 1: (0.09, 0.13)})
SAMPLE_HABITS = replace(HABITS, ink_of_class={})  # grown from 8 x 8, every digit's strokes are about as broad


def sample(directory: Path, seed: int) -> None:
    """Write scikit-learn's 1,797 digits as MNIST's files; 30 of each held out, none in both splits."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    labels = digits.target.astype(np.uint8)
    order = np.random.default_rng(seed).permutation(len(labels))
    judged = np.concatenate([order[labels[order] == digit][:30] for digit in range(10)])
    held_out = np.isin(order, judged)
    for prefix, chosen in (("train", order[~held_out]), ("t10k", order[held_out])):
        images.write_idx(directory / f"{prefix}-images-idx3-ubyte.gz", _grow(digits.images[chosen]))
        images.write_idx(directory / f"{prefix}-labels-idx1-ubyte.gz", labels[chosen])


def expectations(sample: bool = False) -> list[Any]:
    """What must hold for the table of facts: the suite of Great Expectations."""
    return image_suites.expectations(SAMPLE_ROWS if sample else ROWS, CLASSES, SAMPLE_HABITS if sample else HABITS)


def facts(directory: Path) -> pd.DataFrame:
    """The table that the suite looks at, a row a picture."""
    return images.facts(load(directory))


def load(directory: Path) -> LabelledImages:
    """The four files as arrays; a HandbookError says which of them is not as it should be."""
    return images.load_pairs(directory, CLASSES)


def _grow(digits: npt.NDArray[np.float64]) -> Bytes:
    """Digits (N, 8, 8), 0 to 16, grown to 20 x 20, their centre of mass in the middle of (N, 28, 28)."""
    rows, columns = (_weights(digits.sum(axis=axis)) for axis in (2, 1))  # (N, 28, 8) each
    grown = np.einsum("nri,nij,ncj->nrc", rows, digits, columns, optimize=True)
    ink = np.clip(grown / grown.max(axis=(1, 2), keepdims=True) - INK_FLOOR, 0, None) / (1 - INK_FLOOR)
    return np.asarray((255 * ink).round(), dtype=np.uint8)


def _weights(profile: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What 28 pixels take from 8, (N, 28, 8): cubic interpolation (Keys 1981) along profiles (N, 8)."""
    cells = np.arange(8)
    centre = profile @ cells / profile.sum(axis=1)
    place = (np.arange(SIDE) - (SIDE - 1) / 2) * (8 / 20) + centre[:, None]
    t = np.abs(place[:, :, None] - cells)
    near, far = (1.5 * t - 2.5) * t * t + 1, ((-0.5 * t + 2.5) * t - 4) * t + 2
    return np.where(t < 1, near, np.where(t < 2, far, 0.0))
