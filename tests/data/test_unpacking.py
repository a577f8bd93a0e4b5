"""A gzip file is unpacked as far as its format promises and no further, wherever it comes in."""

from __future__ import annotations

import gzip
import importlib
import struct
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from handbook import datasets
from handbook.data import images, tables, unpacking
from handbook.errors import HandbookError
from handbook.monitoring import inbox, reading
from handbook.serving import inputs

MUCH = 96 << 20  # bytes that a bomb unpacks to
PAGE = datasets.page("mnist")


def bomb(start: bytes) -> bytes:
    """A small stream of much, made without much memory."""
    packer = zlib.compressobj(level=1, wbits=31)  # 31: with gzip's header
    pieces = [packer.compress(start), *(packer.compress(bytes(1 << 20)) for _ in range(MUCH >> 20))]
    return b"".join([*pieces, packer.flush()])


def header(*shape: int) -> bytes:
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


@pytest.fixture
def small_memory() -> Iterator[None]:
    """Fails where a test has held a quarter of what a bomb unpacks to."""
    importlib.import_module("pandas")  # which some load as they begin, and which is no part of a file
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MUCH / 4, f"{peak:,} bytes"


def test_pictures_beyond_what_their_header_promises_are_refused(tmp_path: Path, small_memory: None) -> None:
    (tmp_path / "a.gz").write_bytes(bomb(header(20, 28, 28)))
    with pytest.raises(HandbookError, match=r"longer than its header says: .* = 15,680 bytes, found more"):
        images.read_idx(tmp_path / "a.gz")


def test_a_promise_beyond_all_pictures_is_refused_before_anything_is_unpacked(
    tmp_path: Path, small_memory: None
) -> None:
    (tmp_path / "a.gz").write_bytes(bomb(header(1 << 31, 28, 28)))
    with pytest.raises(HandbookError, match=r"promises .* bytes, more than 1,073,741,824"):
        images.read_idx(tmp_path / "a.gz")


def test_a_pair_that_unpacks_without_end_is_refused_and_does_not_hold_up_the_one_behind_it(
    tmp_path: Path, small_memory: None
) -> None:
    folder = tmp_path / "incoming"
    folder.mkdir()
    (folder / f"a{inbox.IMAGES}").write_bytes(bomb(header(20, 28, 28)))
    images.write_idx(folder / f"a{inbox.LABELS}", np.zeros(20, np.uint8))
    images.write_idx(folder / f"b{inbox.IMAGES}", np.zeros((20, 28, 28), np.uint8))
    images.write_idx(folder / f"b{inbox.LABELS}", np.zeros(20, np.uint8))
    found, waiting = inbox.find(folder, PAGE, settle=0.0)
    assert [batch.name[0] for batch in found] == ["a", "b"]
    assert waiting == []
    with pytest.raises(HandbookError, match="longer than its header says"):
        reading.read(PAGE, tmp_path, found[0].files, tmp_path / "scratch")
    assert len(reading.read(PAGE, tmp_path, found[1].files, tmp_path / "other").facts) == 20


@pytest.mark.parametrize(("keep", "cut"), [(-1, True), (-8, True), (100, True), (None, False)])
def test_a_file_is_cut_short_where_its_stream_ends_before_its_time(keep: int | None, cut: bool, tmp_path: Path) -> None:
    images.write_idx(tmp_path / "a.gz", np.random.default_rng(0).integers(0, 256, (20, 28, 28)).astype(np.uint8))
    (tmp_path / "a.gz").write_bytes((tmp_path / "a.gz").read_bytes()[:keep])
    assert images.is_cut_short(tmp_path / "a.gz") == cut


COLUMNS = {"age": inputs.Column(int)}


def test_a_table_that_unpacks_to_more_than_text_can_be_packed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "FREE", 1 << 20)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"age\n" + b"%031d\n" % 1 * (1 << 18)))
    with pytest.raises(HandbookError, match="cannot be read to its end: it unpacks to more than"):
        for _ in inputs.rows(path, COLUMNS, 10_000):
            pass
    with pytest.raises(HandbookError, match="cannot be read as a table: it unpacks to more than"):
        tables.read_csv(path, {"age": int})
    with pytest.raises(HandbookError, match="is not a sound gzip file: it unpacks to more than"):
        unpacking.read(path)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_line_without_end_is_refused_before_it_fills_the_memory(
    name: str, tmp_path: Path, small_memory: None
) -> None:
    pack = gzip.compress if name.endswith(".gz") else bytes
    (tmp_path / name).write_bytes(pack(b"age\n1\n" + b"2" * (6 << 20)))
    with pytest.raises(HandbookError, match="a line of more than 1,048,576 characters"):
        for _ in inputs.rows(tmp_path / name, COLUMNS, 10):
            pass


def test_an_honest_table_is_read_packed_as_it_is_unpacked(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    text = ("age\n" + "\n".join(map(str, rng.integers(18, 95, 200_000))) + "\n").encode()
    (tmp_path / "a.csv").write_bytes(text)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text))
    assert unpacking.read(tmp_path / "a.csv.gz") == text
    plain, packed = (tables.read_csv(tmp_path / name, {"age": int}) for name in ("a.csv", "a.csv.gz"))
    assert plain.equals(packed)


def test_a_stream_is_unpacked_whole_up_to_its_bound_and_not_a_byte_beyond(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"x" * 1000) + gzip.compress(b"y" * 24))
    unpacking.unpack(tmp_path / "a.gz", tmp_path / "a", 1024)
    assert (tmp_path / "a").read_bytes() == b"x" * 1000 + b"y" * 24
    with pytest.raises(unpacking.TooLargeError, match="more than 1,023 bytes"):
        unpacking.unpack(tmp_path / "a.gz", tmp_path / "a", 1023)
