"""What the verbs share: figures that say what they show, tables in their folders, and six digits."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as supposing
from hypothesis import strategies as st
from PIL import Image

from handbook import datasets
from handbook.errors import HandbookError
from handbook.evaluation.figures import canvas
from handbook.files.formats import read_rows
from handbook.project import Apart, Project
from handbook.steps import given
from tests.conftest import ROOT


@supposing(st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_keeps_six_digits_and_rounds_no_further(value: float) -> None:
    found = given.rounded({"a": [value, {"b": value}], "n": 1234567, "words": "1.23456789"})
    assert math.isclose(found["a"][0], value, rel_tol=5e-6, abs_tol=1e-320)
    assert given.rounded(found) == found
    assert (found["n"], found["words"], found["a"][1]["b"]) == (1234567, "1.23456789", found["a"][0])


def test_a_figure_of_a_sample_looks_otherwise_and_older_figures_are_gone(tmp_path: Path) -> None:
    seen = {}
    for sample in (False, True):
        given.write_figures({f"plot{sample}": canvas()[0]}, tmp_path / "figures", sample)
        (path,) = (tmp_path / "figures").iterdir()
        seen[path.name] = np.asarray(Image.open(path).convert("RGB")).astype(int)
    plain, marked = seen["plotFalse.png"], seen["plotTrue.png"]
    red = marked[..., 0] - marked[..., 1:].max(axis=2)
    assert plain.shape == marked.shape
    assert (red > 10).mean() > 0.001
    assert (plain[..., 0] - plain[..., 1:].max(axis=2)).max() < 10


def test_the_table_of_confusions_lies_apart_and_tables_of_before_are_gone(tmp_path: Path) -> None:
    given.write_tables({"old": [{"a": 1}]}, tmp_path)
    given.write_tables({"confusion": [{"actual": 1}], "gain": [{"lift": 2.5}]}, tmp_path)
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.csv")}
    assert names == {"confusion/confusion.csv", "tables/gain.csv"}
    assert read_rows(tmp_path / "tables" / "gain.csv") == [{"lift": 2.5}]


def test_a_name_is_known_or_answered_with_those_that_are() -> None:
    assert datasets.page("iris").__name__ == "handbook.datasets.iris"
    known = ", ".join(datasets.names())
    with pytest.raises(HandbookError, match=rf"^no dataset 'irsi'; choose from {known} \(did you mean iris\?\)$"):
        datasets.page("irsi")


def test_a_file_of_ones_own_stands_in_only_where_the_page_reads_one(tmp_path: Path) -> None:
    case = Project(ROOT).case("digits")
    with pytest.raises(HandbookError, match=r"^digits learns from mnist, which no single file can stand in for$"):
        given.read_own(datasets.page("mnist"), case, tmp_path / "a")
    with pytest.raises(HandbookError) as caught:
        given.trained_model(Project(ROOT, Apart(case.name, tmp_path / "to")), case)
    assert str(caught.value).endswith(f"Make it: python -m handbook train digits --data FILE --to {tmp_path / 'to'}")


def test_what_is_learnt_from_are_the_checked_bytes(project: Project) -> None:
    case = project.case("digits")
    data, origin = given.data_of(project, case)
    assert origin["kind"] == "sample"
    assert len(data.train_labels) > 0
    path = next(project.data("mnist").glob("*.gz"))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(HandbookError, match=path.name):
        given.data_of(project, case)
