"""Samples: drawn aside, known as such in any state, and never in the way of the real thing."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from handbook.data import fetch, provenance
from handbook.errors import HandbookError
from tests.toys import CONTENT, obtain, page

pytestmark = pytest.mark.usefixtures("no_mirror")


def test_a_sample_never_overwrites_anything_but_a_sample(tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    fetch.draw_sample(page("thing.bin"), folder, seed=1)
    fetch.draw_sample(page("thing.bin"), folder, seed=2)
    assert provenance.is_sample(folder)
    (folder / "provenance.json").unlink()
    with pytest.raises(HandbookError, match="holds files that are no sample"):
        fetch.draw_sample(page("thing.bin"), folder, seed=3)
    assert (folder / "thing.bin").read_bytes() == bytes([2, 0]) * 8


class Killed(BaseException):
    """What no code of ours sees coming."""


@pytest.mark.parametrize("drawn_before", [False, True])
@pytest.mark.parametrize("moves", range(4))
def test_a_sample_that_was_interrupted_at_any_point_stands_in_nobodys_way(
    moves: int, drawn_before: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = page("thing.bin", "other.bin")
    for way_out in ("the sample again", "the real files"):
        folder = tmp_path / way_out / "data" / "toy"
        if drawn_before:
            fetch.draw_sample(toy, folder, seed=1)
        left, replace = iter(range(moves)), Path.replace

        def until_killed(path: Path, target: Path, left: Any = left, replace: Any = replace) -> Path:
            if path.name.endswith(".new") and path.parent == folder and next(left, None) is None:  # noqa: B023
                raise Killed
            return Path(replace(path, target))

        with monkeypatch.context() as patch, pytest.raises(Killed) if moves < 3 else contextlib.nullcontext():
            patch.setattr(Path, "replace", until_killed)
            fetch.draw_sample(toy, folder, seed=2)
        if way_out == "the sample again":
            assert fetch.draw_sample(toy, folder, seed=2)["kind"] == "sample"
            assert provenance.verify(toy, folder)["kind"] == "sample"
        else:
            assert obtain(toy, tmp_path / way_out)["kind"] == "real"
        assert {path.name for path in folder.iterdir()} == {"thing.bin", "other.bin", "provenance.json"}
        assert [path.name for path in folder.parent.iterdir()] == ["toy"]


@pytest.mark.parametrize("left", [b"", bytes([5, 0]) * 3, bytes([5, 0]) * 8])
def test_the_beginning_of_a_sample_without_a_provenance_is_known_as_one(left: bytes, tmp_path: Path) -> None:
    toy = page("thing.bin", "other.bin")
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "thing.bin").write_bytes(left)
    assert fetch.draw_sample(toy, tmp_path / "toy", seed=5)["kind"] == "sample"


def test_a_sample_that_cannot_be_drawn_leaves_what_was_there(tmp_path: Path) -> None:
    def fail(directory: Path, seed: int) -> None:
        (directory / "thing.bin").write_bytes(b"half")
        raise MemoryError

    toy = page("thing.bin")
    fetch.draw_sample(toy, tmp_path / "toy", seed=1)
    toy.sample = fail
    with pytest.raises(MemoryError):
        fetch.draw_sample(toy, tmp_path / "toy", seed=2)
    assert provenance.verify(toy, tmp_path / "toy")["kind"] == "sample"


def test_real_files_beside_the_provenance_of_a_sample_are_not_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    fetch.draw_sample(page("thing.bin"), folder, seed=1)
    (folder / "thing.bin").write_bytes(CONTENT)
    with pytest.raises(HandbookError, match=r"holds files that are no sample \(thing\.bin\)"):
        fetch.draw_sample(page("thing.bin"), folder, seed=1)
    assert (folder / "thing.bin").read_bytes() == CONTENT
