"""What lies beside the data says what they are, and the bytes are checked against it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from handbook import datasets
from handbook.data import fetch, provenance
from handbook.errors import HandbookError
from tests.toys import obtain, page

pytestmark = pytest.mark.usefixtures("no_mirror")


def test_a_name_in_the_provenance_cannot_make_a_sample_pass_for_real(tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    fetch.draw_sample(page("thing.bin"), folder, seed=1)
    reported = json.loads((folder / "provenance.json").read_text()) | {"kind": "real"}
    (folder / "provenance.json").write_text(json.dumps(reported))
    with pytest.raises(HandbookError, match=r"thing\.bin is damaged"):
        provenance.verify(page("thing.bin"), folder)


LABELS = "train-labels-idx1-ubyte.gz"
IMAGES = "train-images-idx3-ubyte.gz"


def _cut(path: Path) -> None:
    from handbook.data.images import read_idx, write_idx

    write_idx(path, read_idx(path)[:100])


def _narrow(path: Path) -> None:
    from handbook.data.images import read_idx, write_idx

    write_idx(path, read_idx(path)[:, :, :27].copy())


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-50])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        (LABELS, _flip, r"is damaged\n  expected sha256 \w{64}\n  found    sha256 \w{64}"),
        (LABELS, _cut, r"expected a label for each of 1,500 pictures, found 100"),
        (LABELS, _truncate, r"cut short"),
        (IMAGES, _narrow, r"expected pictures of 28 x 28, found 28 x 27"),
        (IMAGES, _empty, r"is empty"),
        (LABELS, _directory, r"is a directory"),
        (LABELS, _gone, r"is missing"),
    ],
)
def test_each_fault_of_a_file_has_its_own_error_and_the_same_repair(
    name: str, spoil: Callable[[Path], None], message: str, samples: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "fashion_mnist"
    shutil.copytree(samples("fashion_mnist"), folder)
    spoil(folder / name)
    with pytest.raises(HandbookError, match=message) as caught:
        provenance.verify(datasets.page("fashion_mnist"), folder)
    assert name in str(caught.value)
    assert "python -m handbook data fashion_mnist" in str(caught.value)


@pytest.mark.parametrize(("text", "message"), [(None, "is missing"), ("{", "is not JSON")])
def test_data_without_a_provenance_are_refused(text: str | None, message: str, tmp_path: Path) -> None:
    fetch.draw_sample(page("thing.bin"), tmp_path / "toy", seed=1)
    path = tmp_path / "toy" / "provenance.json"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(HandbookError, match=message):
        provenance.verify(page("thing.bin"), tmp_path / "toy")


MISSHAPEN = ["[]", "{}", "null", '{"dataset": "toy", "kind": "made", "files": {}}',
             '{"dataset": "toy", "kind": "real", "files": {"thing.bin": 3}}', "\ufeff{", "<<<<<<< ours"]  # fmt: skip


@pytest.mark.parametrize("text", MISSHAPEN)
def test_a_provenance_of_another_shape_is_reported_with_its_repair_which_repairs_it(text: str, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "toy"
    folder.mkdir(parents=True)
    (folder / "provenance.json").write_text(text)
    with pytest.raises(HandbookError, match=r"provenance\.json.*make data"):
        provenance.verify(page("thing.bin"), folder)
    obtain(page("thing.bin"), tmp_path)
    assert provenance.verify(page("thing.bin"), folder)["kind"] == "real"
