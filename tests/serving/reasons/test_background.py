"""What reasons are relative to: the rows that were learnt from, if these are here and no others."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from handbook import datasets
from handbook.data.provenance import provenance
from handbook.data.schema import categories
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.serving.choice import Chosen
from handbook.serving.reasons.background import ROWS, background
from tests.conftest import ROOT

NAME = "classifiers_iris"


@pytest.fixture
def chosen(samples: Any, tmp_path: Path) -> Chosen:
    """A registered model, which nobody asks anything here, beside its dataset."""
    case = Project(ROOT).case(NAME)
    data = datasets.page(case.dataset).load(samples(case.dataset))
    model = SimpleNamespace(params=case.params, facts={"columns": categories(data.features)})
    folder = tmp_path / case.dataset
    shutil.copytree(samples(case.dataset), folder)
    files = {name: facts["sha256"] for name, facts in provenance(folder)["files"].items()}
    entry = {"expectations": {"files": files}}
    return Chosen(case, model, "toy", case.example(case.split(data)), folder, entry)


def test_rows_are_drawn_from_those_that_were_learnt_from_and_never_from_the_test_rows(
    chosen: Chosen, samples: Any
) -> None:
    rows, words = background(chosen)
    split = chosen.case.split(datasets.page(chosen.case.dataset).load(samples(chosen.case.dataset)))
    columns = list(rows)
    learnt = pd.MultiIndex.from_frame(split.train.features[columns])
    assert len(rows) == ROWS
    assert pd.MultiIndex.from_frame(rows).isin(learnt).all()
    assert words == f"{ROWS} rows drawn from those it learnt from"
    pd.testing.assert_frame_equal(rows, background(chosen)[0])


@pytest.mark.parametrize("change", ["gone", "damaged", "another"])
def test_without_the_very_files_it_was_made_from_the_records_own_example_is_taken_and_said(
    chosen: Chosen, change: str
) -> None:
    assert chosen.data
    if change == "gone":
        shutil.rmtree(chosen.data)
    elif change == "damaged":
        path = next(each for each in chosen.data.iterdir() if each.suffix == ".csv")
        path.write_text(path.read_text().replace("5", "6"))
    else:
        chosen = dataclasses.replace(chosen, entry={"expectations": {"files": {"iris.csv": "0" * 64}}})
    rows, words = background(chosen)
    pd.testing.assert_frame_equal(rows, chosen.example[list(rows)])
    assert words == f"the {len(rows)} rows that its record keeps as an example, since its dataset is not here"


def test_where_nothing_is_known_the_way_out_is_named(chosen: Chosen) -> None:
    with pytest.raises(HandbookError, match="python -m handbook data iris"):
        background(dataclasses.replace(chosen, example=None, data=None))
