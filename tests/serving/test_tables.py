"""Tables in JSON: the four forms hold the same rows, and what is no table is refused with a sentence."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from handbook.serving import tables
from handbook.serving.limits import RefusalError
from handbook.serving.tables import Field

ROWS = [{"age": 40, "job": "admin."}, {"age": 41, "job": "services"}]
FORMS: dict[str, Any] = {
    "dataframe_split": {"columns": ["age", "job"], "data": [[40, "admin."], [41, "services"]], "index": [7, 9]},
    "dataframe_records": ROWS,
    "instances": ROWS,
    "inputs": {"age": [40, 41], "job": ["admin.", "services"]},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_rows_with_the_values_as_they_were_sent(form: str) -> None:
    found = tables.table(form, FORMS[form], ["age", "job"])
    assert found.to_dict("records") == ROWS
    assert set(map(str, found.dtypes)) == {"object"}


@pytest.mark.parametrize(
    ("form", "content", "words"),
    [
        ("dataframe_split", [[1, 2]], "expected an object with `columns` and `data`"),
        ("dataframe_split", {"columns": ["a"], "data": [[1], [1, 2]]}, "row 2: expected 1 cells, found 2 cells"),
        ("dataframe_split", {"columns": ["a", "a"], "data": [[1, 2]]}, "a column is there twice"),
        ("dataframe_split", {"columns": [["a"]], "data": [[1]]}, "`columns` to be a list of names"),
        ("dataframe_records", {"a": 1}, "expected a list of objects"),
        ("dataframe_records", [{"a": 1}, 3], "row 2: expected an object"),
        ("inputs", {"a": [1, 2], "b": [1]}, "lists of one length for all columns, found a 2, b 1"),
        ("inputs", 7, "expected an object with a list for each column"),
        ("instances", [1, 2], "expected an object with a list for each column"),
    ],
)
def test_what_is_no_table_is_refused_with_what_was_expected(form: str, content: Any, words: str) -> None:
    with pytest.raises(RefusalError, match=words):
        tables.table(form, content, ["a", "b"])


def test_a_plain_list_is_the_column_that_a_list_is_for() -> None:
    assert tables.table("inputs", ["a", "b"], ["prompt", "seed"], "prompt")["prompt"].tolist() == ["a", "b"]


FIELDS = (
    Field("prompt", "string", True), Field("length", "double", False), Field("seed", "long", False),
    Field("latent", "array", False),
)  # fmt: skip


def test_cells_are_of_the_signatures_kinds_and_gaps_stay_gaps() -> None:
    rows = pd.DataFrame(
        {"prompt": ["a", "b"], "length": [60, None], "seed": [1, 2.0], "latent": [None, [0.5, 1]]}, dtype=object
    )
    batch = tables.typed(rows, FIELDS)
    assert not batch.faults
    assert list(map(str, batch.data.dtypes)) == ["str", "float64", "int64", "object"]
    assert batch.data["length"].isna().tolist() == [False, True]
    assert batch.data["latent"].tolist() == [None, [0.5, 1]]


@pytest.mark.parametrize(
    ("column", "cell", "problem"),
    [
        ("prompt", None, "the value is missing"),
        ("prompt", 7, "expected a text, found '7'"),
        ("length", True, "expected a number, found 'True'"),
        ("length", float("nan"), "expected a number, found 'nan'"),
        ("seed", 2.5, "expected a whole number, found '2.5'"),
        ("seed", 10**23, "expected a whole number"),
        ("latent", [1, "a"], "expected a list of numbers"),
        ("latent", [[1]], "expected a list of numbers"),
    ],
)
def test_a_cell_of_another_kind_is_a_fault_of_its_row(column: str, cell: Any, problem: str) -> None:
    good: dict[str, Any] = {"prompt": "a", "length": 1.0, "seed": 1, "latent": [1.0]}
    rows = pd.DataFrame([good, good | {column: cell}], dtype=object)
    (fault,) = tables.typed(rows, FIELDS).faults
    assert (fault.name, fault.column) == ("2", column)
    assert problem in fault.problem


def test_a_column_that_must_be_there_and_one_that_is_not_known_are_named() -> None:
    with pytest.raises(RefusalError, match="expected column 'prompt', found 'text'"):
        tables.typed(pd.DataFrame({"text": ["a"]}), FIELDS)
    batch = tables.typed(pd.DataFrame({"prompt": ["a"], "lenght": [1]}), FIELDS)
    assert batch.notes == ["left out: lenght, since the model takes prompt, length, seed, latent"]
    assert list(batch.data) == ["prompt"]
