"""Rows of attributes that are to be predicted: held against those of training, and encoded as numbers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 5  # columns, values or rows that an error names before it says "and more"


def listed(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:SHOWN])
    return shown + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


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
        raise ValueError(f"expected a DataFrame with columns {listed(list(like))}, found {type(rows).__name__}")
    missing = [name for name in like if name not in rows.columns]
    if missing:
        raise ValueError(f"the rows lack columns {listed(missing)}; they have {listed([str(c) for c in rows.columns])}")
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
        raise ValueError(f"column {name!r}: expected text such as {listed(words)}, found {column.dtype}")
    unknown = sorted(set(column.unique()) - set(words))
    if unknown:
        warnings.warn(
            f"column {name!r}: unknown {listed(unknown)} counts as none of {listed(words)}", UserWarning, stacklevel=4
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
