"""One input is the same, with the same note, by whatever way it comes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from handbook.serving import inputs

FORM = inputs.Form((28, 28), 0, ((0, 0), (200, 255)))


def test_a_picture_is_the_same_as_a_file_as_its_bytes_and_as_an_array(tmp_path: Path) -> None:
    pixels = np.zeros((2, 28, 28), np.uint8)
    pixels[0, 8:20, 10:14], pixels[1, 8:20, 10:14] = 255, 90
    for k, each in enumerate(pixels):
        Image.fromarray(each).save(tmp_path / f"{k}.png")
    files = inputs.picture_files([tmp_path])
    (of_files,) = inputs.pictures(files, FORM, 8)
    of_bytes = inputs.encoded([(path.name, path.read_bytes()) for path in files], FORM)
    of_array = inputs.array(pixels.astype(float), FORM, ["0", "1"])
    for batch in (of_files, of_bytes, of_array):
        assert np.array_equal(batch.data, pixels)
        assert batch.notes == ["", "faint, its brightest is 90, that of real pictures 200 to 255"]


def test_a_row_is_the_same_in_a_file_line_by_line_and_with_its_types(tmp_path: Path) -> None:
    columns = {"age": inputs.Column(int, None, 18, 95), "job": inputs.Column(str, frozenset(["admin."]))}
    table = pd.DataFrame({"age": [40, 1970, 41], "job": ["admin.", "admin.", "pilot"]})
    table.to_csv(tmp_path / "a.csv", index=False)
    (of_file,) = inputs.rows(tmp_path / "a.csv", columns, 8)
    (of_lines,) = inputs.lines(io.StringIO((tmp_path / "a.csv").read_text()), columns)
    for batch in (of_file, of_lines, inputs.frame(table, columns)):
        assert batch.names == [1, 2, 3]
        assert batch.data.equals(of_file.data)
        assert batch.notes == ["", "age 1970 is outside of 18 to 95", "unknown job 'pilot' counts as none"]
