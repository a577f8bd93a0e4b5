"""Prompts and seeds: read as text, every one answered or named by where it stood."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook.errors import HandbookError
from handbook.serving import inputs


def taken(path: Path, text: str, column: str = "prompt", **how: Any) -> tuple[list[Any], dict[int, str]]:
    """What is asked, and the problems by place."""
    path = path / "asked.csv"
    path.write_text(text)
    batches = list(inputs.requests([str(path)], column, 2, **how))
    faults = {fault.place: fault.problem for batch in batches for fault in batch.faults}
    return [name for batch in batches for name in batch.names], faults


def test_seeds_and_prompts_are_taken_as_they_are_or_from_a_table(tmp_path: Path) -> None:
    (batch,) = inputs.requests(["0", "7"], "seed", 10)
    assert batch.data["seed"].tolist() == [0, 7]
    pd.DataFrame({"prompt": ["Out, out", "brief candle"], "seed": [1, 2]}).to_csv(tmp_path / "prompts.csv")
    one, two = inputs.requests([str(tmp_path / "prompts.csv")], "prompt", 1)
    assert [*one.names, *two.names] == ["Out, out", "brief candle"]
    with pytest.raises(HandbookError, match=r"expected a seed, .* found 'x'"):
        list(inputs.requests(["x"], "seed", 10))
    with pytest.raises(HandbookError, match=r"lacks 1 of 1 columns:\n  'seed'"):
        (tmp_path / "seeds.csv").write_text("a\n1\n")
        list(inputs.requests([str(tmp_path / "seeds.csv")], "seed", 10))


def test_a_prompt_is_the_text_that_stands_there(tmp_path: Path) -> None:
    text = 'prompt\n1606\nNA\n"Enter Macbeth, and Banquo"\n  out \nOut\nOut\nnull\n"two\nlines"\n'
    names, faults = taken(tmp_path, text)
    assert names == ["1606", "NA", "Enter Macbeth, and Banquo", "  out ", "Out", "Out", "null", "two\nlines"]
    assert not faults


def test_a_prompt_that_cannot_be_read_is_named_by_its_place(tmp_path: Path) -> None:
    names, faults = taken(tmp_path, 'prompt\nOut\nEnter Macbeth, and Banquo\n"When shall\nOut\n')
    assert names == ["Out", "Out"]
    assert faults[2] == "row 2: expected 1 cell, found 2. Put what holds a separator between double quotes"
    assert "row 3" in faults[3] and "never closed" in faults[3]


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("2.5", "expected a whole number, found '2.5'"),
        ("-1", "expected a seed"),
        ("1" + "0" * 23, "expected a whole number"),
        ("x", "expected a whole number, found 'x'"),
        (str(2**63), "expected a seed, a whole number from 0 on"),
        ("", ""),
    ],
)
def test_a_seed_is_exact_or_a_fault(cell: str, problem: str, tmp_path: Path) -> None:
    names, faults = taken(tmp_path, f"seed\n1\n{cell}\n{2**63 - 1}\n", "seed", bare=True)
    assert names == [1, 2**63 - 1]
    assert [problem in each for each in faults.values()] == ([True] if problem else [])


def test_settings_are_of_their_types_and_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "asked.csv"
    path.write_text("note,prompt,length,temperature,seed\na,Out,5,0.5,7\nb,Out,,,\nc,Out,5.5,,\nd,Out,5,nan,\n")
    (batch,) = inputs.requests([str(path)], "prompt", 10)
    assert list(batch.data.columns) == ["prompt", "length", "temperature", "seed"]
    assert batch.data["seed"].tolist()[0] == 7
    assert batch.data.iloc[1].isna().tolist() == [False, True, True, True]
    assert [fault.problem for fault in batch.faults] == [
        "row 3: column 'length': expected a whole number, found '5.5'",
        "row 4: column 'temperature': the value is missing",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["prompt.txt", "folder", "no_such_file.txt", "Makefile"])
def test_words_that_name_a_file_are_not_gone_on_from(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for each in ("prompt.txt", "Makefile"):
        Path(each).write_text("Out, out")
    Path("folder").mkdir()
    with pytest.raises(HandbookError, match=r"names a file or folder, .* a CSV file with a column prompt"):
        list(inputs.requests([name], "prompt", 10))


def test_long_words_are_words_and_several_tables_are_refused(tmp_path: Path) -> None:
    words = "Out, out, brief candle. " * 400
    (batch,) = inputs.requests([words, "the end."], "prompt", 10)
    assert batch.names == [words, "the end."]
    with pytest.raises(HandbookError, match="expected one CSV file alone"):
        list(inputs.requests([str(tmp_path / "a.csv"), "Out"], "prompt", 10))
    with pytest.raises(HandbookError, match="is not there"):
        list(inputs.requests([str(tmp_path / "PROMPTS.CSV")], "prompt", 10))


@pytest.mark.parametrize("given", ["-1", "2.5", str(2**63), "9" * 5000, "٣", os.fsdecode(b"\xe9"), ""])
def test_what_is_typed_as_a_seed_and_is_none_is_refused(given: str) -> None:
    with pytest.raises(HandbookError, match="expected a seed, a whole number from 0 on and below"):
        list(inputs.requests([given], "seed", 10))


def test_settings_of_all_leave_those_of_a_row_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "asked.csv").write_text("prompt,length\nOut,5\nDown,\n")
    known, batches = inputs.SETTINGS["prompt"], inputs.requests([str(tmp_path / "asked.csv")], "prompt", 10)
    (batch,) = inputs.settled(batches, {"length": 9, "temperature": 0.5}, known, "toy")
    assert batch.data["length"].tolist() == [5, 9]
    assert batch.data["temperature"].tolist() == [0.5, 0.5]
    for settings, said in (
        ({"label": 3}, "toy knows no setting 'label'; it has length, temperature"),
        ({"temperature": math.nan}, "temperature must be a number, found nan"),
    ):
        with pytest.raises(HandbookError, match=said):
            list(inputs.settled([batch], settings, known, "toy"))


def test_typed_rows_are_asked_as_a_tables_are() -> None:
    rows = pd.DataFrame({"seed": [1, 2.5, True, None, 4], "label": [3, 3, 3, 3, None], "more": 1}, dtype=object)
    batch = inputs.requested(rows, "seed")
    assert batch.names == [1]
    assert batch.data.to_dict("records") == [{"seed": 1, "label": 3}]
    assert [(fault.place, fault.problem) for fault in batch.faults] == [
        (2, "row 2: column 'seed': expected a whole number, found 2.5"),
        (3, "row 3: column 'seed': expected a whole number, found True"),
        (4, "row 4: column 'seed': the value is missing"),
        (5, "row 5: column 'label': the value is missing"),
    ]
    prompts = inputs.requested(pd.DataFrame({"prompt": ["Out", 7], "length": [np.nan, 3]}), "prompt")
    assert prompts.names == ["Out"]
    assert prompts.data["length"].isna().all()
    assert prompts.faults[0].problem == "row 2: column 'prompt': expected text, found 7"
    with pytest.raises(HandbookError, match="the rows lack column 'seed'; they have a"):
        inputs.requested(pd.DataFrame({"a": [1]}), "seed")
