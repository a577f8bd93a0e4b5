"""What a batch holds: the same whatever the order of its rows, with or without answers, and faults by its own names."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from handbook import datasets
from handbook.data import images, tables
from handbook.errors import HandbookError
from handbook.monitoring import inbox, reading
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


def test_a_class_that_is_unknown_is_named_with_the_batchs_own_row(bank: Path, tmp_path: Path) -> None:
    rows = BANK.facts(bank)[list(BANK.COLUMNS)].iloc[:20].reset_index(drop=True)
    rows.loc[4, "y"] = "maybe"
    with pytest.raises(HandbookError, match=r"^mine\.csv, row 5, column 'y': unknown class 'maybe'"):
        reading.read(BANK, bank, (written(tmp_path / "mine.csv", rows),), tmp_path / "scratch")


@pytest.mark.parametrize("sides", [(0, 28, 28), (0, 4294967295, 28), (65536, 65536, 65536), (1,) * 200])
def test_pictures_that_are_none_or_beyond_measure_are_refused(sides: tuple[int, ...], tmp_path: Path) -> None:
    header = bytes([0, 0, 8, len(sides)]) + struct.pack(f">{len(sides)}I", *sides)
    files = (tmp_path / f"a{inbox.IMAGES}", tmp_path / f"a{inbox.LABELS}")
    files[0].write_bytes(gzip.compress(header + b"\0" * (len(sides) > 3)))
    images.write_idx(files[1], np.zeros(0, np.uint8))
    with pytest.raises(HandbookError, match=r"a-images-idx3-ubyte\.gz"):
        reading.read(datasets.page("mnist"), tmp_path, files, tmp_path / "scratch")


def test_a_case_is_compared_by_what_it_looks_at(bank: Path) -> None:
    facts = BANK.facts(bank)
    features = [name for name in BANK.COLUMNS if name not in ("y", "duration")]
    params = SimpleNamespace(ignore=("balance",))
    ignored = reading.ignored(BANK, params, features)
    assert ignored == {"duration", "balance"}
    assert not ignored & {*reading.compared(BANK, facts, ignored)}
    assert "y" in reading.compared(BANK, facts, ignored)


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_two_files_become_one_with_one_header(end: bytes) -> None:
    assert reading.append(b"a;b\n1;2" + end, b"a;b\n3;4\n") == b"a;b\n1;2\n3;4\n"
