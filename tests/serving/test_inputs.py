"""What people bring, as a model takes it: nothing is guessed and every fault is named."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.serving import inputs
from tests.serving.test_prediction import PICTURES


def in_colour(pixels: Any) -> Image.Image:
    return Image.fromarray(pixels).convert("RGB")


def transparent(pixels: Any) -> Image.Image:
    """White, as opaque as the picture is bright."""
    return Image.fromarray(np.dstack([np.full((28, 28, 3), 255, np.uint8), pixels]))


def sixteen_bits(pixels: Any) -> Image.Image:
    return Image.fromarray(pixels.astype(np.uint16) * 257)


def with_palette(pixels: Any) -> Image.Image:
    picture = Image.fromarray(pixels).convert("P")
    picture.putpalette([tone for k in range(256) for tone in (k, k, k)])
    picture.putdata(pixels.ravel().tolist())
    return picture


@pytest.mark.parametrize("form", [Image.fromarray, in_colour, transparent, sixteen_bits, with_palette])
def test_a_picture_is_the_same_whatever_its_mode(form: Callable[..., Image.Image], tmp_path: Path, fitted: Any) -> None:
    pixels = fitted(PICTURES)[1].test_images[0]
    form(pixels).save(tmp_path / "picture.png")
    (batch,) = inputs.pictures([tmp_path / "picture.png"], (28, 28), 8)
    assert np.array_equal(batch.data[0], pixels)


def test_a_dark_picture_on_light_ground_is_answered_and_doubted(tmp_path: Path) -> None:
    dark = np.full((28, 28), 250, np.uint8)
    dark[10:18, 10:18] = 5
    Image.fromarray(dark).save(tmp_path / "dark.png")
    Image.new("L", (28, 28), 0).save(tmp_path / "nothing.png")
    (batch,) = inputs.pictures(inputs.picture_files([tmp_path]), (28, 28), 8)
    assert batch.notes[0].startswith("light ground")
    assert batch.notes[1].startswith("all of one tone")


def test_an_empty_folder_and_a_missing_file_are_errors_before_anything_is_made(project: Project) -> None:
    (project.root / "empty").mkdir()
    (project.root / "other").mkdir()
    (project.root / "other" / "notes.txt").touch()
    for name, reported in (
        ("empty", "no PNG or JPEG file, 0 of"),
        ("other", "1 of other kinds"),
        ("nowhere", "not there"),
    ):
        with pytest.raises(HandbookError, match=reported):
            inputs.picture_files([project.root / name])


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        ("", "is empty"),
        ("a,b\n", "has a header but no row"),
        ("a,a,b\n1,2,3\n", "has column 'a' 2 times"),
        ("c\n1\n", "lacks 2 of 2 columns"),
        ("a,b\n1,\xe9\n", "is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_table_is_an_error_that_says_why(tmp_path: Path, content: str, reported: str) -> None:
    (tmp_path / "file.csv").write_bytes(content.encode("latin-1"))
    columns = {"a": inputs.Column(int), "b": inputs.Column(float)}
    with pytest.raises(HandbookError, match=reported):
        list(inputs.rows(tmp_path / "file.csv", columns, 10))


def test_a_file_cut_in_the_middle_of_a_row_loses_that_row_alone(tmp_path: Path) -> None:
    path, columns = tmp_path / "file.csv", {"a": inputs.Column(int), "b": inputs.Column(str)}
    for content, problem in (("a,b\n1,x\n2", "expected 2 cells"), ('a,b\n1,x\n2,"y', "cannot be read")):
        path.write_text(content)
        batches = list(inputs.rows(path, columns, 10))
        assert [name for batch in batches for name in batch.names] == [1]
        (fault,) = (fault for batch in batches for fault in batch.faults)
        assert fault.name == "2"
        assert problem in fault.problem


def test_a_big_table_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    columns = {"a": inputs.Column(int), "b": inputs.Column(str, frozenset("xy"))}

    def peak(rows: int) -> int:
        (tmp_path / "file.csv").write_text("a,b\n" + "12345,x\n" * rows)
        tracemalloc.start()
        read = sum(len(batch.names) for batch in inputs.rows(tmp_path / "file.csv", columns, 500))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert read == rows
        return most

    peak(1_000)
    assert peak(20_000) < 1.5 * peak(2_000)


def test_seeds_and_prompts_are_taken_as_they_are_or_from_a_table(tmp_path: Path) -> None:
    (batch,) = inputs.requests(["0", "7"], "seed", 10)
    assert batch.data["seed"].tolist() == [0, 7]
    pd.DataFrame({"prompt": ["Out, out", "brief candle"], "seed": [1, 2]}).to_csv(tmp_path / "prompts.csv")
    one, two = inputs.requests([str(tmp_path / "prompts.csv")], "prompt", 1)
    assert [*one.names, *two.names] == ["Out, out", "brief candle"]
    with pytest.raises(HandbookError, match=r"expected a seed, .* found 'x'"):
        list(inputs.requests(["x"], "seed", 10))
    with pytest.raises(HandbookError, match="lacks column 'seed'; it has a"):
        (tmp_path / "seeds.csv").write_text("a\n1\n")
        list(inputs.requests([str(tmp_path / "seeds.csv")], "seed", 10))
