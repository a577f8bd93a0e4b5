"""Small labelled pictures: the IDX files of the MNIST family, and a table of their facts.

Source of the format: LeCun, Cortes and Burges, "The MNIST database", section FILE FORMATS.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data.split import Rows, drawn, first_seen
from handbook.data.unpacking import UNSOUND
from handbook.errors import HandbookError

if TYPE_CHECKING:
    import pandas as pd


Bytes = npt.NDArray[np.uint8]
SIDE = 28
UNSIGNED_BYTE = 0x08
LARGEST = 1 << 30  # bytes that a file may promise, twenty times the largest of the MNIST family


@dataclass(frozen=True)
class Pictures:
    """Pictures (N, 28, 28) uint8, 0 black to 255 white, labels (N,) uint8, and the names of the classes."""

    images: Bytes
    labels: Bytes
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def answers(self) -> Bytes:
        """The labels."""
        return self.labels

    def take(self, rows: Rows) -> Pictures:
        """The pictures at these positions, in this order."""
        return Pictures(self.images[rows], self.labels[rows], self.classes)

    def join(self, other: Pictures) -> Pictures:
        """These pictures, then the other ones."""
        images, labels = np.concatenate([self.images, other.images]), np.concatenate([self.labels, other.labels])
        return Pictures(images, labels, self.classes)

    def halve(self, share: float, seed: int) -> tuple[Pictures, Pictures]:
        """The pictures without a share of them, and that share, drawn by the seed."""
        kept, taken = drawn(len(self), share, seed)
        return self.take(kept), self.take(taken)

    def unknown(self, batch: Pictures) -> Rows:
        """The positions of a batch's pictures that are neither here nor earlier in the batch."""
        return first_seen(*((each.tobytes() for each in part.images) for part in (self, batch)))


@dataclass(frozen=True)
class LabelledImages:
    """Pictures (N, 28, 28) uint8, 0 black to 255 white, and labels (N,) uint8, to train on and to test on."""

    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes
    classes: tuple[str, ...]

    @property
    def train(self) -> Pictures:
        """What is published to train on."""
        return Pictures(self.train_images, self.train_labels, self.classes)

    @property
    def test(self) -> Pictures:
        """What is published to test on."""
        return Pictures(self.test_images, self.test_labels, self.classes)


def read_idx(path: Path) -> Bytes:
    """The array of unsigned bytes in a gzipped IDX file; a HandbookError says what is wrong with the file."""
    if path.is_dir():
        raise HandbookError(f"{path} is a directory; expected a gzipped IDX file. Move it away, then: make data")
    if not path.exists():
        raise HandbookError(f"{path} is missing. Fetch it: make data")
    if path.stat().st_size == 0:
        raise HandbookError(f"{path} is empty; expected a gzipped IDX file. Fetch it again: make data")
    try:
        with path.open("rb") as packed:
            return _parse_idx(gzip.GzipFile(fileobj=packed), path)
    except EOFError as error:
        raise HandbookError(f"{path} ends in the middle of its gzip stream: it was cut short") from error
    except UNSOUND as error:
        raise HandbookError(f"{path} is not a sound gzip file: {error}") from error


def _parse_idx(stream: gzip.GzipFile, path: Path) -> Bytes:
    """The array, of which no more is unpacked than its header promises, and one byte."""
    shape = _shape(stream, path)
    promised = math.prod(shape)
    size = " x ".join(f"{side:,}" for side in shape)
    if promised > LARGEST:
        raise HandbookError(f"{path}: its header promises {size} = {promised:,} bytes, more than {LARGEST:,}")
    raw = stream.read(promised + 1)
    if len(raw) > promised:
        raise HandbookError(
            f"{path} is longer than its header says: its header promises {size} = {promised:,} bytes, found more"
        )
    if len(raw) < promised:
        raise HandbookError(f"{path} is cut short: its header promises {size} = {promised:,} bytes, found {len(raw):,}")
    return np.frombuffer(raw, np.uint8).reshape(shape)


def _shape(stream: gzip.GzipFile, path: Path) -> tuple[int, ...]:
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] != UNSIGNED_BYTE:
        found = start[:3].hex(" ") or "nothing"
        raise HandbookError(
            f"{path} does not start like an IDX file of unsigned bytes: expected 00 00 08, found {found}"
        )
    sides = stream.read(4 * start[3])
    if len(sides) < 4 * start[3]:
        raise HandbookError(f"{path} ends inside its header: expected {4 + 4 * start[3]} bytes, found {4 + len(sides)}")
    return struct.unpack(f">{start[3]}I", sides)


def is_cut_short(path: Path) -> bool:
    """Whether a gzipped IDX file ends before all has come that its header promises; raises OSError.

    No more is unpacked than that, and what is wrong in another way is for `read_idx` to say.
    """
    with path.open("rb") as packed:
        stream = gzip.GzipFile(fileobj=packed)
        try:
            left = min(math.prod(_shape(stream, path)), LARGEST) + 1  # the last one reads the checksum
            while left > 0 and (chunk := stream.read(min(left, 1 << 20))):
                left -= len(chunk)
        except (EOFError, zlib.error):
            return True
        except HandbookError:
            return False
    return False


def write_idx(path: Path, array: Bytes) -> None:
    """Write an array as a gzipped IDX file; the same array gives the same bytes."""
    header = bytes([0, 0, UNSIGNED_BYTE, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes(), compresslevel=6, mtime=0))


def load_pairs(directory: Path, classes: tuple[str, ...]) -> LabelledImages:
    """The four files of the MNIST family under a directory, checked against each other."""
    train = _pair(directory, "train", classes)
    test = _pair(directory, "t10k", classes)
    return LabelledImages(*train, *test, classes=classes)


def _pair(directory: Path, prefix: str, classes: tuple[str, ...]) -> tuple[Bytes, Bytes]:
    pictures, answers = (directory / f"{prefix}-{part}-ubyte.gz" for part in ("images-idx3", "labels-idx1"))
    images, labels = read_idx(pictures), read_idx(answers)
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        found = " x ".join(map(str, images.shape[1:])) or "no picture"
        raise HandbookError(f"{pictures}: expected pictures of {SIDE} x {SIDE}, found {found}")
    if labels.ndim != 1 or len(labels) != len(images):
        raise HandbookError(f"{answers}: expected a label for each of {len(images):,} pictures, found {labels.size:,}")
    if len(labels) and labels.max() >= len(classes):
        raise HandbookError(f"{answers}: expected labels 0 to {len(classes) - 1}, found {labels.max()}")
    return images, labels


def facts(data: LabelledImages) -> pd.DataFrame:
    """A row a picture: split, label, intensities (0-255), share of inked pixels, a digest of the bytes."""
    import pandas as pd

    tables = []
    for split, images, labels in (
        ("train", data.train_images, data.train_labels),
        ("test", data.test_images, data.test_labels),
    ):
        flat = images.reshape(len(images), -1)
        columns: dict[str, Any] = {
            "split": split,
            "label": labels.astype(np.int64),
            "rows": images.shape[1],
            "columns": images.shape[2],
            "darkest": flat.min(axis=1).astype(np.int64),
            "brightest": flat.max(axis=1).astype(np.int64),
            "mean": flat.mean(axis=1),
            "ink": (flat > 0).mean(axis=1),
            "digest": [hashlib.blake2b(picture.tobytes(), digest_size=8).hexdigest() for picture in flat],
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def as_bytes(pictures: npt.NDArray[Any]) -> Bytes:
    """Pictures (N, ...) of any numeric type as bytes; ValueError where that would change an intensity."""
    if pictures.dtype.kind not in "uif":
        raise ValueError(f"expected intensities of 0 to 255 as numbers, found {pictures.dtype}")
    if pictures.size and not 0 <= pictures.min() <= pictures.max() <= 255:  # which is so for NaN as well
        raise ValueError(f"expected intensities 0 to 255, found {pictures.min():g} to {pictures.max():g}")
    fractions = pictures[pictures % 1 != 0]
    if fractions.size:
        advice = "Multiply by 255, and round" if pictures.max() <= 1 else "Round them"
        raise ValueError(f"expected whole intensities of 0 to 255, found {fractions[0]:g}. {advice}")
    return pictures.astype(np.uint8)
