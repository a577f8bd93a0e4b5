"""Tables: rows of attributes as people write them down, checked as they are read, split, and encoded as numbers.

A page names its columns and their types; what a file does otherwise is an error that says where, and how to repair it.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data import unpacking
from handbook.data.schema import listed
from handbook.data.split import Rows, drawn
from handbook.errors import HandbookError

if TYPE_CHECKING:
    import pandas as pd

NAMES = {str: "text", int: "a whole number", float: "a number"}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}


@dataclass(frozen=True)
class Table:
    """N rows of attributes, and the target that is to be predicted from them."""

    features: pd.DataFrame  # (N, attributes); text columns are `str`, numbers int64 or float64
    target: npt.NDArray[Any]  # (N,): labels 0 to K-1 as int64, or values as float64
    classes: tuple[str, ...]  # the names of the K labels; () where the target is a value

    def __len__(self) -> int:
        return len(self.target)

    @property
    def answers(self) -> npt.NDArray[Any]:
        """The target."""
        return self.target

    def take(self, rows: Rows) -> Table:
        """The rows at these positions, in this order; their index goes with them."""
        return Table(self.features.iloc[rows], self.target[rows], self.classes)

    def join(self, other: Table) -> Table:
        """These rows, then those of a table with the same columns or more; each keeps its index."""
        import pandas as pd

        features = pd.concat([self.features, other.features[list(self.features.columns)]])
        return Table(features, np.concatenate([self.target, other.target]), self.classes)

    def halve(self, share: float, seed: int) -> tuple[Table, Table]:
        """The rows without a share of them, and that share, drawn by the seed."""
        train, taken = drawn(len(self), share, seed)
        return self.take(train), self.take(taken)

    def unknown(self, batch: Table) -> Rows:
        """The positions of a batch's rows that are neither here nor earlier in the batch."""
        both = self.join(batch)
        repeated = copies(both.features.assign(**{"": both.target}))
        return np.flatnonzero(repeated[len(self) :] == 0).astype(np.int64)


def split(table: Table, test_share: float, seed: int, stratify: bool = True) -> tuple[Table, Table]:
    """The rows to learn from and those to be judged by, as scikit-learn's `train_test_split` parts them.

    `stratify` keeps the share of every class in both parts; a target of values is never stratified.
    """
    from sklearn.model_selection import train_test_split

    by_class = table.target if stratify and table.classes else None
    try:
        train, test = train_test_split(
            np.arange(len(table)), test_size=test_share, random_state=seed, stratify=by_class
        )
    except ValueError as error:
        counts = dict(zip(*np.unique(table.target, return_counts=True), strict=True)) if table.classes else {}
        per_class = "".join(f", {n} of class {table.classes[int(label)]}" for label, n in counts.items())
        raise HandbookError(
            f"{len(table)} rows{per_class} cannot be split with test_share {test_share}: {error}"
        ) from None
    return table.take(train), table.take(test)


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
                warnings.simplefilter("ignore", RuntimeWarning)  # an infinite whole number, reported below
                rows = _read(path, dtype=kinds, na_values=absent, **options)
        except (ValueError, OverflowError):  # a cell that is not of its column's type; which one, shows a slow look
            _name_fault(path, _read(path, dtype="str", na_values=absent, **options), columns)
            raise
    except FileNotFoundError:
        raise HandbookError(f"{path} is missing. Put it there: make data") from None
    except (OSError, EOFError, ValueError, zlib.error, pd.errors.ParserError) as error:
        raise HandbookError(f"{path} cannot be read as a table: {str(error).strip()}") from None
    if rows.empty:
        raise HandbookError(f"{path} has a header but 0 rows. Fetch it again: make data")
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
    faults = [f"{kind} {listed(names)}" for kind, names in (("without", missing), ("with unknown", strange)) if names]
    if not faults:
        place = next(i for i, (a, b) in enumerate(zip(found, expected, strict=True)) if a != b)
        faults = [f"in another order: column {place + 1} is {found[place]!r}, not {expected[place]!r}"]
    raise HandbookError(
        f"{path} has columns {' and '.join(faults)}\n  expected {', '.join(expected)}\n  found    {', '.join(found)}"
    )


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
            f" the classes are {listed(list(names))}"
        )
    result: npt.NDArray[np.int64] = found.to_numpy(dtype=np.int64)
    if len(np.unique(result)) == 1:
        raise HandbookError(
            f"{path}: all {len(values):,} rows have {values.name} {values.iloc[0]!r}, and a model needs two classes"
            f" or more ({listed(list(names))}). Was the file sorted and cut?"
        )
    return result


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
