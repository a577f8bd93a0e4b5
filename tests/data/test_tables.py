"""Laws of tables: what is read, what is refused and how it is reported, what a model is given."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from handbook.data import tables
from handbook.data.tables import Table
from handbook.errors import HandbookError

COLUMNS: dict[str, type] = {"age": int, "job": str, "rate": float, "y": str}
GOOD = "age,job,rate,y\n30,clerk,1.5,no\n40,NA,-2e3,yes\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "some.csv"
    path.write_text(text)
    return path


def table(n: int = 90, classes: tuple[str, ...] = ("no", "yes")) -> Table:
    rng = np.random.default_rng(0)
    features = pd.DataFrame({"x": rng.standard_normal(n), "one": np.ones(n), "word": rng.choice(["a", "b", "c"], n)})
    target = (np.arange(n) % 3 == 0).astype(np.int64) if classes else rng.standard_normal(n)
    return Table(features.astype({"word": "str"}), target, classes)


def test_what_was_written_is_read_with_the_types_that_were_asked_for(tmp_path: Path) -> None:
    rows = tables.read_csv(write(tmp_path, GOOD), COLUMNS)
    assert [str(kind) for kind in rows.dtypes] == ["int64", "str", "float64", "str"]
    assert rows["rate"].tolist() == [1.5, -2000.0]
    assert rows["job"].tolist() == ["clerk", "NA"]  # a word, not a missing value


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_writing_and_reading_changes_nothing_and_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    rows = tables.read_csv(write(tmp_path, GOOD), COLUMNS)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        tables.write_csv(tmp_path / folder / name, rows, sep=";", quote_text=True)
        assert tables.read_csv(tmp_path / folder / name, COLUMNS, sep=";").equals(rows)
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "age,rate,y\n30,1.5,no\n",
            r"has columns without 'job'\n  expected age, job, rate, y\n  found    age, rate, y",
        ),
        ("age,Job,rate,y\n30,clerk,1.5,no\n", r"columns without 'job' and with unknown 'Job'"),
        ("age,rate,job,y\n30,1.5,clerk,no\n", r"in another order: column 2 is 'rate', not 'job'"),
        ("age,job,rate,y,z\n30,clerk,1.5,no,1\n", r"with unknown 'z'"),
        ("age;job;rate;y\n30;clerk;1.5;no\n", r"not separated by a comma but by a semicolon"),
        ("age\tjob\trate\ty\n", r"not separated by a comma but by a tab"),
        (GOOD + "old,clerk,1.5,no\n", r"row 3, column 'age': expected a whole number, found 'old' \(1 such cells"),
        (GOOD + "30.5,clerk,1.5,no\n", r"row 3, column 'age': expected a whole number, found '30.5'"),
        (GOOD + "99999999999999999999,clerk,1.5,no\n", r"row 3, column 'age': expected a whole number"),
        (GOOD + "30,clerk,much,no\n", r"row 3, column 'rate': expected a number, found 'much'"),
        (GOOD + "30,clerk,,no\n", r"row 3, column 'rate': the value is missing \(1 in the column, 1 in all\)"),
        (GOOD + "30,clerk,?,no\n", r"row 3, column 'rate': the value is missing"),
        (GOOD + ",clerk,1,no\n", r"row 3, column 'age': the value is missing"),
        (GOOD + "30,,1,no\n", r"row 3, column 'job': the value is missing"),
        (GOOD + "30,clerk\n", r"row 3, column 'rate': the value is missing"),
        (GOOD + "30,clerk,inf,no\n", r"row 3, column 'rate': expected a finite number, found inf"),
        (GOOD + "30,clerk,1,no\n31,clerk,-inf,no\n", r"row 4, column 'rate': expected a finite number, found -inf"),
        (GOOD + "inf,clerk,1,no\n", r"row 3, column 'age': expected a finite number, found inf"),
        (GOOD + "30,clerk,1,no,more\n", r"cannot be read as a table: .*Expected 4 fields in line 4, saw 5"),
        ("age,job,rate,y\n", r"has a header but 0 rows"),
        ("", r"cannot be read as a table: No columns"),
    ],
)
def test_each_fault_of_a_file_has_its_own_error_and_the_file_stays(text: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(HandbookError, match=message) as caught:
        tables.read_csv(path, COLUMNS)
    assert str(path) in str(caught.value)
    assert path.read_text() == text


def test_a_file_that_is_missing_or_damaged_is_reported_as_such(tmp_path: Path) -> None:
    with pytest.raises(HandbookError, match=r"gone.csv is missing. Put it there: make data"):
        tables.read_csv(tmp_path / "gone.csv", COLUMNS)
    packed = gzip.compress(GOOD.encode() * 100)
    for name, content in {"text.csv.gz": GOOD.encode(), "cut.csv.gz": packed[:-20], "bad.csv": b"age\xff\xfe"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(HandbookError, match=rf"{name} cannot be read as a table"):
            tables.read_csv(tmp_path / name, COLUMNS)


def test_one_class_only_and_an_unknown_one_are_refused() -> None:
    names, path = {"no": 0, "yes": 1}, Path("some.csv")
    assert tables.labels(path, pd.Series(["no", "yes"], name="y"), names).tolist() == [0, 1]
    with pytest.raises(HandbookError, match=r"all 3 rows have y 'no', and a model needs two classes"):
        tables.labels(path, pd.Series(["no"] * 3, name="y"), names)
    with pytest.raises(HandbookError, match=r"row 2, column 'y': unknown class 'maybe'; the classes are 'no', 'yes'"):
        tables.labels(path, pd.Series(["no", "maybe"], name="y"), names)


def test_a_split_is_scikit_learns_and_loses_no_row() -> None:
    from sklearn.model_selection import train_test_split

    whole = table()
    kept, judged = tables.split(whole, 0.33, seed=4, stratify=False)
    expected = train_test_split(whole.features, whole.target, test_size=0.33, random_state=4)
    assert kept.features.equals(expected[0])
    assert judged.features.equals(expected[1])
    assert np.array_equal(kept.target, expected[2])
    assert sorted([*kept.features.index, *judged.features.index]) == list(range(len(whole)))


def test_a_stratified_split_keeps_the_shares_and_values_are_split_without() -> None:
    kept, judged = tables.split(table(), 1 / 3, seed=0)
    assert kept.target.mean() == judged.target.mean() == pytest.approx(1 / 3)
    assert [len(part) for part in tables.split(table(classes=()), 1 / 3, seed=0)] == [60, 30]
    lonely = Table(table().features, np.eye(1, 90, dtype=np.int64)[0], ("no", "yes"))
    with pytest.raises(HandbookError, match=r"90 rows, 89 of class no, 1 of class yes cannot be split"):
        tables.split(lonely, 0.33, seed=0)


def test_copies_are_counted_from_the_second_on() -> None:
    assert tables.copies(pd.DataFrame({"a": [1, 1, 2, 1]})).tolist() == [0, 1, 0, 1]
