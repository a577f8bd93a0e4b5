"""Tables: rows of attributes as people write them down, read with suspicion, split, and brought into numbers.

A page names its columns and their types; what a file does otherwise is an error that says where and how to mend it.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook import unpacking
from handbook.errors import HandbookError

if TYPE_CHECKING:
    import pandas as pd

NAMES = {str: "text", int: "a whole number", float: "a number"}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}
SHOWN = 5  # columns, values or rows that an error names before it says "and more"


@dataclass(frozen=True)
class Table:
    """N rows of attributes, and what is to be told from them."""

    features: pd.DataFrame  # (N, attributes); text columns are `str`, numbers int64 or float64
    target: npt.NDArray[Any]  # (N,): labels 0 to K-1 as int64, or values as float64
    classes: tuple[str, ...]  # the names of the K labels; () where the target is a value

    def __len__(self) -> int:
        return len(self.target)

    def take(self, rows: npt.NDArray[np.int64]) -> Table:
        """The rows at these positions, in this order; their index goes with them."""
        return Table(self.features.iloc[rows], self.target[rows], self.classes)


def split(table: Table, test_share: float, seed: int, stratify: bool = True) -> tuple[Table, Table]:
    """The rows to learn from and those to be judged by, as scikit-learn's `train_test_split` parts them.

    `stratify` keeps the share of every class in both parts; a target of values is never stratified.
    """
    from sklearn.model_selection import train_test_split

    by_class = table.target if stratify and table.classes else None
    try:
        kept, judged = train_test_split(
            np.arange(len(table)), test_size=test_share, random_state=seed, stratify=by_class
        )
    except ValueError as error:
        counts = dict(zip(*np.unique(table.target, return_counts=True), strict=True)) if table.classes else {}
        told = "".join(f", {n} of class {table.classes[int(label)]}" for label, n in counts.items())
        raise HandbookError(f"{len(table)} rows{told} cannot be split with test_share {test_share}: {error}") from None
    return table.take(kept), table.take(judged)


def read_csv(path: Path, columns: Mapping[str, type], sep: str = ",") -> pd.DataFrame:
    """The file's rows, with just these columns in this order, each of its type: str, int or float. `.gz` is unpacked.

    Raises HandbookError for a file that is missing or damaged, another separator, a column too few, too many, renamed
    or out of place, a value of another type, one that is missing or infinite, and for a file without rows.
    """
    import pandas as pd

    kinds = {name: {str: "str", int: "int64", float: "float64"}[kind] for name, kind in columns.items()}
    text = [name for name, kind in columns.items() if kind is str]
    # "NA" and "None" may be words of a text column; only nothing at all is missing there
    absent: Any = {name: [""] if name in text else ["", "NA", "N/A", "NaN", "nan", "null", "?"] for name in columns}
    options: dict[str, Any] = {"sep": sep, "keep_default_na": False, "index_col": False}
    try:
        _check_header(path, list(_read(path, sep=sep, nrows=0, index_col=False).columns), list(columns), sep)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # an infinite whole number, told below
                rows = _read(path, dtype=kinds, na_values=absent, **options)
        except (ValueError, OverflowError):  # a cell that is not of its column's type; which one, shows a slow look
            _name_fault(path, _read(path, dtype="str", na_values=absent, **options), columns)
            raise
    except FileNotFoundError:
        raise HandbookError(f"{path} is missing. Put it there: make data") from None
    except (OSError, EOFError, ValueError, zlib.error, pd.errors.ParserError) as error:
        raise HandbookError(f"{path} cannot be read as a table: {str(error).strip()}") from None
    if rows.empty:
        raise HandbookError(f"{path} has a header but 0 rows. Fetch it anew: make data")
    _refuse_missing(path, rows)
    _refuse_infinite(path, rows)
    return rows


def _read(path: Path, **options: Any) -> pd.DataFrame:
    """What pandas makes of a file, which for a packed one it is not let loose upon."""
    import pandas as pd

    if path.suffix != ".gz":
        return pd.read_csv(path, **options)
    with path.open("rb") as packed, unpacking.bounded(packed, path.stat().st_size) as stream:
        return pd.read_csv(stream, **options)


def _check_header(path: Path, found: list[str], expected: list[str], sep: str) -> None:
    """Refuse columns that are not the expected ones in their order."""
    if found == expected:
        return
    other = [name for mark, name in DELIMITERS.items() if mark != sep and len(found) == 1 and mark in found[0]]
    if other:
        raise HandbookError(
            f"{path} is not separated by a {DELIMITERS.get(sep, sep)} but by a {other[0]}: its header is one column,\n"
            f"  {found[0][:100]!r}\n  Write it with {sep!r} between the columns"
        )
    missing = [name for name in expected if name not in found]
    strange = [name for name in found if name not in expected]
    faults = [f"{kind} {_some(names)}" for kind, names in (("without", missing), ("with unknown", strange)) if names]
    if not faults:
        place = next(i for i, (a, b) in enumerate(zip(found, expected, strict=True)) if a != b)
        faults = [f"in another order: column {place + 1} is {found[place]!r}, not {expected[place]!r}"]
    raise HandbookError(
        f"{path} has columns {' and '.join(faults)}\n  expected {', '.join(expected)}\n  found    {', '.join(found)}"
    )


def _some(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:SHOWN])
    return shown + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _name_fault(path: Path, cells: pd.DataFrame, columns: Mapping[str, type]) -> None:
    """Raise for the first missing cell, or else the first that is not of its column's type."""
    import pandas as pd

    _refuse_missing(path, cells)
    for name, kind in columns.items():
        if kind is str:
            continue
        numbers = pd.to_numeric(cells[name], errors="coerce")
        _refuse_infinite(path, numbers.to_frame())
        wrong = numbers.isna() if kind is float else numbers.isna() | (numbers % 1 != 0) | (numbers.abs() >= 2**63)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise HandbookError(
                f"{path}, row {row + 1}, column {name!r}: expected {NAMES[kind]}, found {cells[name].iloc[row]!r}"
                f" ({int(wrong.sum()):,} such cells in the column)"
            )


def _refuse_missing(path: Path, rows: pd.DataFrame) -> None:
    counts = rows.isna().sum()
    for name in counts.index[counts > 0]:
        row = int(np.flatnonzero(rows[name].isna())[0])
        raise HandbookError(
            f"{path}, row {row + 1}, column {name!r}: the value is missing"
            f" ({int(counts[name]):,} in the column, {int(counts.sum()):,} in all). Fill it in, or take the row out"
        )


def _refuse_infinite(path: Path, rows: pd.DataFrame) -> None:
    for name in rows.select_dtypes("float64").columns:
        infinite = np.isinf(rows[name].to_numpy())
        if infinite.any():
            row = int(np.flatnonzero(infinite)[0])
            raise HandbookError(
                f"{path}, row {row + 1}, column {name!r}: expected a finite number, found {rows[name].iloc[row]}"
                f" ({int(infinite.sum()):,} such cells in the column)"
            )


def labels(path: Path, values: pd.Series, names: Mapping[Any, int]) -> npt.NDArray[np.int64]:
    """The target column as labels (N,), from what each class is called in the file.

    Raises HandbookError for a class that is unknown, and where all rows are of one class: nothing can be learnt then.
    """
    found = values.map(names)
    if found.isna().any():
        row = int(np.flatnonzero(found.isna())[0])
        raise HandbookError(
            f"{path}, row {row + 1}, column {values.name!r}: unknown class {values.iloc[row]!r};"
            f" the classes are {_some(list(names))}"
        )
    result: npt.NDArray[np.int64] = found.to_numpy(dtype=np.int64)
    if len(np.unique(result)) == 1:
        raise HandbookError(
            f"{path}: all {len(values):,} rows have {values.name} {values.iloc[0]!r}, and a model needs two classes"
            f" or more ({_some(list(names))}). Was the file sorted and cut?"
        )
    return result


def categories(features: pd.DataFrame) -> dict[str, list[str] | None]:
    """What `check_rows` holds new rows against: each column's sorted words, or None where it holds numbers."""
    from pandas.api.types import is_numeric_dtype

    return {
        str(name): None if is_numeric_dtype(column.dtype) else sorted(str(word) for word in column.unique())
        for name, column in features.items()
    }


def check_rows(rows: pd.DataFrame, like: Mapping[str, list[str] | None]) -> pd.DataFrame:
    """Rows to predict, with the columns of `like` (from `categories`) in its order; other columns are left out.

    Raises ValueError for no rows, a column that is missing, one of the wrong type, a missing or infinite value.
    A word that training never saw is kept and warned of: it counts as none of the known ones.
    """
    import pandas as pd

    if not isinstance(rows, pd.DataFrame):
        raise ValueError(f"expected a DataFrame with columns {_some(list(like))}, found {type(rows).__name__}")
    missing = [name for name in like if name not in rows.columns]
    if missing:
        raise ValueError(f"the rows lack columns {_some(missing)}; they have {_some([str(c) for c in rows.columns])}")
    if rows.empty:
        raise ValueError("expected one row or more, found 0")
    checked = {name: _checked(rows[name], words) for name, words in like.items()}
    return pd.DataFrame(checked, index=rows.index)


def _checked(column: pd.Series, words: list[str] | None) -> pd.Series:
    from pandas.api.types import is_numeric_dtype

    name = column.name
    if column.isna().any():
        raise ValueError(f"column {name!r}: {int(column.isna().sum())} of {len(column)} values are missing")
    if words is None:
        if not is_numeric_dtype(column.dtype):
            raise ValueError(f"column {name!r}: expected numbers, found {column.dtype} such as {column.iloc[0]!r}")
        if not np.isfinite(column.to_numpy(dtype=np.float64)).all():
            raise ValueError(f"column {name!r}: expected finite numbers, found an infinite one")
        return column
    if column.dtype != "str" and not column.map(lambda cell: isinstance(cell, str)).all():
        raise ValueError(f"column {name!r}: expected text such as {_some(words)}, found {column.dtype}")
    unknown = sorted(set(column.unique()) - set(words))
    if unknown:
        warnings.warn(
            f"column {name!r}: unknown {_some(unknown)} counts as none of {_some(words)}", UserWarning, stacklevel=4
        )
    return column.astype("str")


def encoder(features: pd.DataFrame) -> Any:
    """A scikit-learn ColumnTransformer, not yet fitted: numbers to mean 0 and deviation 1, text one-hot; dense float64.

    A constant column becomes zeros, an unknown word a row of zeros.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    kinds = categories(features)
    return ColumnTransformer(
        [
            ("numbers", StandardScaler(), [name for name, words in kinds.items() if words is None]),
            (
                "words",
                OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                [name for name, words in kinds.items() if words is not None],
            ),
        ],
        verbose_feature_names_out=False,
    )


def write_csv(path: Path, rows: pd.DataFrame, sep: str = ",", quote_text: bool = False) -> None:
    """Write rows as `read_csv` reads them; the same rows, the same bytes, packed where the name ends in .gz."""
    import csv

    rows.to_csv(
        path,
        sep=sep,
        index=False,
        quoting=csv.QUOTE_NONNUMERIC if quote_text else csv.QUOTE_MINIMAL,
        lineterminator="\n",
        compression={"method": "gzip", "mtime": 0} if path.suffix == ".gz" else None,
    )


def copies(rows: pd.DataFrame) -> npt.NDArray[np.int64]:
    """1 where an earlier row is just the same, else 0, (N,)."""
    found: npt.NDArray[np.int64] = rows.duplicated().to_numpy(dtype=np.int64)
    return found


@dataclass(frozen=True)
class Habits:
    """What a table's columns are known to hold, measured on the original; bounds are included."""

    rows: int | None  # None where a page knows more forms than one, and counts for itself
    ranges: Mapping[str, tuple[float, float]]  # every number of the column
    words: Mapping[str, Sequence[Any]]  # every value of the column, none left out
    means: Mapping[str, tuple[float, float]]  # of the column: units, and order of the rows' making
    target: str
    shares: Mapping[Any, tuple[float, float]]  # of the rows, by value of the target; {} where it is a number
    sums: Mapping[str, tuple[float, float, str]]  # of a column of the facts, from and to, and what that means in words
    beside: Sequence[str] = ()  # further columns of the facts


def expectations(columns: Mapping[str, type], habits: Habits) -> list[Any]:
    """The suite of Great Expectations for a table of facts, each expectation in words as well."""
    import great_expectations.expectations as gxe

    names = [*columns, *(name for name in habits.sums if name not in columns), *habits.beside]
    count = [] if habits.rows is None else [_expect_rows(habits.rows)]
    kinds = {str: "str", int: "int64", float: "float64"}
    return [
        *count,
        gxe.ExpectTableColumnsToMatchOrderedList(
            column_list=names, description=f"The columns are, in this order: {', '.join(names)}"
        ),
        *(
            gxe.ExpectColumnValuesToBeOfType(
                column=name, type_=kinds[kind], description=f"{name} is {NAMES[kind]} ({kinds[kind]})"
            )
            for name, kind in columns.items()
        ),
        *(gxe.ExpectColumnValuesToNotBeNull(column=name, description=f"No {name} is missing") for name in columns),
        *_expect_values(habits),
        *_expect_target(habits),
        *(
            gxe.ExpectColumnSumToBeBetween(column=name, min_value=low, max_value=high, description=meaning)
            for name, (low, high, meaning) in habits.sums.items()
        ),
    ]


def _expect_rows(rows: int) -> Any:
    import great_expectations.expectations as gxe

    return gxe.ExpectTableRowCountToEqual(value=rows, description=f"There are {rows:,} rows")


def _expect_values(habits: Habits) -> list[Any]:
    import great_expectations.expectations as gxe

    return [
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column=name, min_value=low, max_value=high, description=f"Every {name} is from {low:,} to {high:,}"
            )
            for name, (low, high) in habits.ranges.items()
        ),
        *(
            gxe.ExpectColumnDistinctValuesToEqualSet(
                column=name, value_set=list(values), description=f"{name} is one of {', '.join(map(str, values))}"
            )
            for name, values in habits.words.items()
        ),
        *(
            gxe.ExpectColumnMeanToBeBetween(
                column=name, min_value=low, max_value=high, description=f"The mean of {name} is {low:,} to {high:,}"
            )
            for name, (low, high) in habits.means.items()
        ),
    ]


def _expect_target(habits: Habits) -> list[Any]:
    import great_expectations.expectations as gxe
    from great_expectations.expectations.row_conditions import Column

    return [
        gxe.ExpectTableRowCountToBeBetween(
            min_value=round(low * (habits.rows or 0)),
            max_value=round(high * (habits.rows or 0)),
            row_condition=Column(habits.target) == value,
            description=f"{low:.2%} to {high:.2%} of the rows have {habits.target} {value}",
        )
        for value, (low, high) in habits.shares.items()
    ]
