"""A few inputs as a user would send them, with the model's answers, as plain types."""

from __future__ import annotations

from typing import Any


def frame_of(example: dict[str, Any]) -> Any:
    """What `plain_of` made plain: an array, or a DataFrame with its columns and their types."""
    import numpy as np

    if "columns" not in example:
        return np.asarray(example["values"], dtype=example["dtype"])
    import pandas as pd

    # the order is stored separately, since JSON is written with sorted keys
    return pd.DataFrame(example["columns"], columns=example.get("order")).astype(example["dtypes"])


def exemplify(case: Any, model: Any, split: Any) -> dict[str, Any]:
    """Inputs as a user would send them, and the model's answers: what it takes and gives, known without loading it."""
    inputs = plain_of(case.example(split))
    return {"inputs": inputs, "answers": plain_of(case.page.predict(model, frame_of(inputs)))}


def plain_of(example: Any) -> dict[str, Any]:
    """An array or a DataFrame as plain types, for `frame_of`; a gap in a column is a None."""
    if hasattr(example, "columns"):
        dtypes = {str(name): str(kind) for name, kind in example.dtypes.items()}
        whole = example.astype(object).where(example.notna(), None)
        columns = {str(name): column.tolist() for name, column in whole.items()}
        return {"columns": columns, "dtypes": dtypes, "order": list(columns)}
    return {"dtype": str(example.dtype), "values": example.tolist()}


def without_gaps(frame: Any) -> Any:
    """Of a table whose rows fill different columns, those that the first row fills and the rows that fill them."""
    return frame.loc[:, frame.iloc[0].notna()].dropna() if hasattr(frame, "columns") else frame
