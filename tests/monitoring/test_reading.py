"""What a batch holds: the same whatever the order of its rows, with or without answers, and faults by its own names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from handbook.data import tables
from handbook.errors import HandbookError
from handbook.monitoring import reading
from tests.monitoring.toys import BANK


@pytest.fixture
def bank(samples: Callable[[str], Path]) -> Path:
    return samples("bank_marketing")


def written(path: Path, rows: pd.DataFrame) -> Path:
    tables.write_csv(path, rows, sep=";", quote_text=True)
    return path


def test_rows_in_another_order_are_read_alike_each_with_its_answer(bank: Path, tmp_path: Path) -> None:
    rows = BANK.facts(bank)[list(BANK.COLUMNS)].iloc[:80]
    found = []
    for name, order in (("a.csv", np.arange(80)), ("b.csv", np.random.default_rng(0).permutation(80))):
        file = written(tmp_path / name, rows.iloc[order])
        found.append(reading.read(BANK, bank, (file,), tmp_path / f"scratch-{name}"))
    pd.testing.assert_frame_equal(found[0].facts, found[1].facts)
    for each in found:
        assert isinstance(each.loaded, tables.Table)
        named = np.asarray(each.loaded.classes)[each.loaded.target]
        assert named.tolist() == each.facts[reading.target(BANK)].tolist()
        assert each.loaded.features["age"].tolist() == each.facts["age"].tolist()


def test_without_answers_the_other_columns_are_the_same_and_no_answer_is_made_up(bank: Path, tmp_path: Path) -> None:
    rows = BANK.facts(bank)[list(BANK.COLUMNS)].iloc[:50]
    answers = reading.target(BANK)
    file = written(tmp_path / "a.csv", rows.drop(columns=answers))
    found = reading.read(BANK, bank, (file,), tmp_path / "scratch")
    assert found.loaded is None
    assert answers not in found.facts
    assert sorted(found.facts["balance"]) == sorted(rows["balance"])
    compared = reading.compared(BANK, found.facts)
    assert list(compared) == [name for name in BANK.COLUMNS if name != answers]
    assert set(reading.words(BANK, compared)) == {name for name, kind in BANK.COLUMNS.items() if kind is str} - {
        answers
    }


def test_a_fault_is_named_with_the_batchs_own_file_and_not_with_our_copy(bank: Path, tmp_path: Path) -> None:
    file = written(tmp_path / "mine.csv", BANK.facts(bank)[list(BANK.COLUMNS)].iloc[:20].drop(columns="job"))
    with pytest.raises(HandbookError) as caught:
        reading.read(BANK, bank, (file,), tmp_path / "scratch")
    assert str(caught.value).startswith("mine.csv has columns without 'job'")
    assert "scratch" not in str(caught.value)
    assert "make data" not in str(caught.value)


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_two_files_become_one_with_one_header(end: bytes) -> None:
    assert reading.append(b"a;b\n1;2" + end, b"a;b\n3;4\n") == b"a;b\n1;2\n3;4\n"
