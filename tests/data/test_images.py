"""Laws of the IDX files: what is written is read back, and what is wrong with a file is said."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handbook.data import images
from handbook.data.images import Bytes
from handbook.errors import HandbookError

CLASSES = tuple("0123456789")
Spoiling = Callable[[Path], object]
IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


def pictures(n: int, columns: int = 28) -> Bytes:
    return np.random.default_rng(n).integers(0, 256, (n, 28, columns), dtype=np.uint8)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Twenty sound pictures to train on and ten to be judged by."""
    for prefix, n in (("train", 20), ("t10k", 10)):
        images.write_idx(tmp_path / f"{prefix}-images-idx3-ubyte.gz", pictures(n))
        images.write_idx(tmp_path / f"{prefix}-labels-idx1-ubyte.gz", np.arange(n, dtype=np.uint8) % 10)
    return tmp_path


@pytest.mark.parametrize("shape", [(0,), (7,), (0, 28, 28), (3, 28, 28), (2, 3, 4, 5)])
def test_what_is_written_is_read_back(tmp_path: Path, shape: tuple[int, ...]) -> None:
    content = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    images.write_idx(tmp_path / "array.gz", content)
    read = images.read_idx(tmp_path / "array.gz")
    assert read.shape == shape
    assert (read == content).all()


def test_the_same_array_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.gz", "two.gz"):
        images.write_idx(tmp_path / name, pictures(3))
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


def test_the_header_is_as_the_format_says(tmp_path: Path) -> None:
    images.write_idx(tmp_path / "array.gz", pictures(3))
    raw = gzip.decompress((tmp_path / "array.gz").read_bytes())
    assert struct.unpack(">4I", raw[:16]) == (
        2051,
        3,
        28,
        28,
    )  # 2051: the magic number that LeCun's page gives


def test_pairs_are_loaded_in_order(directory: Path) -> None:
    data = images.load_pairs(directory, CLASSES)
    assert (data.train_images == pictures(20)).all()
    assert (data.test_labels == np.arange(10)).all()


def keep_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def keep_half_inside(path: Path) -> None:
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-7]))


def add_inside(path: Path) -> None:
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b"more"))


def flip_a_byte(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 255
    path.write_bytes(bytes(raw))


def make_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def packed(raw: bytes) -> Spoiling:
    return lambda path: path.write_bytes(gzip.compress(raw))


def array(content: Bytes) -> Spoiling:
    return lambda path: images.write_idx(path, content)


FAULTS: dict[str, tuple[str, Spoiling, str]] = {
    "missing": (LABELS, Path.unlink, "is missing. Fetch it: make data"),
    "empty": (LABELS, lambda path: path.write_bytes(b""), "is empty; expected a gzipped IDX file"),
    "a directory": (IMAGES, make_directory, "is a directory; expected a gzipped IDX file"),
    "cut short": (LABELS, keep_half, "ends in the middle of its gzip stream: it was cut short"),
    "cut short before it was packed": (
        LABELS,
        keep_half_inside,
        "is cut short: its header promises 20 = 20 bytes, found 13",
    ),
    "too long": (
        IMAGES,
        add_inside,
        "is longer than its header says: its header promises 20 x 28 x 28 = 15,680 bytes",
    ),
    "a flipped byte": (IMAGES, flip_a_byte, "is not a sound gzip file: "),
    "not gzip": (
        LABELS,
        lambda path: path.write_bytes(b"<html>Not found</html>"),
        "is not a sound gzip file: ",
    ),
    "a wrong start": (LABELS, packed(b"P5 28 28"), "expected 00 00 08, found 50 35 20"),
    "nothing inside": (LABELS, packed(b""), "expected 00 00 08, found nothing"),
    "half a header": (
        IMAGES,
        packed(bytes([0, 0, 8, 3, 0, 0])),
        "ends inside its header: expected 16 bytes, found 6",
    ),
    "27 columns": (IMAGES, array(pictures(20, 27)), "expected pictures of 28 x 28, found 28 x 27"),
    "labels for pictures": (
        IMAGES,
        array(np.zeros(20, np.uint8)),
        "expected pictures of 28 x 28, found no picture",
    ),
    "too few labels": (
        LABELS,
        array(np.zeros(19, np.uint8)),
        "expected a label for each of 20 pictures, found 19",
    ),
    "an eleventh class": (LABELS, array(np.full(20, 10, np.uint8)), "expected labels 0 to 9, found 10"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_a_file_is_named_with_what_was_expected_and_found(directory: Path, fault: str) -> None:
    name, spoil, message = FAULTS[fault]
    spoil(directory / name)
    with pytest.raises(HandbookError) as raised:
        images.load_pairs(directory, CLASSES)
    assert str(directory / name) in str(raised.value)
    assert message in str(raised.value)


def test_no_two_faults_are_reported_alike() -> None:
    reported = [message for _, _, message in FAULTS.values() if not message.startswith("is not a sound gzip file")]
    assert len(set(reported)) == len(reported)


def test_facts_say_what_a_picture_is(directory: Path) -> None:
    table = images.facts(images.load_pairs(directory, CLASSES))
    assert table["split"].value_counts().to_dict() == {"train": 20, "test": 10}
    first = pictures(20)[0]
    row = table.iloc[0]
    assert (row["label"], row["rows"], row["columns"]) == (0, 28, 28)
    assert (row["darkest"], row["brightest"]) == (first.min(), first.max())
    assert row["mean"] == pytest.approx(first.mean())
    assert row["ink"] == pytest.approx((first > 0).mean())


def test_digests_find_the_same_picture_wherever_it_is(directory: Path) -> None:
    data = images.load_pairs(directory, CLASSES)
    twin = np.concatenate([data.train_images[:1], data.test_images[1:]])
    table = images.facts(images.LabelledImages(data.train_images, data.train_labels, twin, data.test_labels, CLASSES))
    assert table["digest"].duplicated(keep=False).to_numpy().nonzero()[0].tolist() == [0, 20]


@pytest.mark.parametrize("kind", ["uint8", "int64", "float32", "float64", "uint16"])
def test_whole_intensities_are_the_same_as_bytes_whatever_their_type(kind: str) -> None:
    whole = pictures(3)
    assert np.array_equal(images.as_bytes(whole.astype(kind)), whole)


@pytest.mark.parametrize("other", [[0.5], [True], [256], [-1], [np.inf], [np.nan], ["7"], [None], [1 + 2j]])
def test_what_becoming_bytes_would_change_is_refused(other: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"^expected .*intensities .*0 to 255"):
        images.as_bytes(np.array(other))
