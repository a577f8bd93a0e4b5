"""Whether ONNX Runtime answers as the model does: asked of every file before it is written."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook import contract, datasets
from handbook.serving.choice import Chosen, columns_of, form_of, kind_of
from handbook.serving.export.cases import KINDS, unfit
from handbook.serving.inputs import Column
from handbook.training.models import threads

if TYPE_CHECKING:
    import pandas as pd

CLOSE = 1e-5  # that an answer may differ by, of probabilities absolutely, of larger numbers by their size
DRAWN = {"pictures": 64, "rows": 512}  # inputs that are drawn to compare by
UNKNOWN = "a word that training never saw"


def check(chosen: Chosen, ready: Any) -> int:
    """Compare a session's answers to inputs drawn the same each time; how many. HandbookError if one differs."""
    given = drawn(chosen)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # of the words that nobody knows and the numbers that are far off: they are meant
        expected = chosen.case.page.predict(chosen.model, given)
    if fault := difference(expected, answers(ready, given)):
        raise unfit(chosen, f"ONNX Runtime answers otherwise, {fault}")
    return len(given)


def session(content: bytes) -> Any:
    """The file's content, ready to answer, on as many threads as we may have."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    options.log_severity_level = 3  # errors alone
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def feed(given: Any) -> dict[str, Any]:
    """Inputs by their names in the file: pictures (N, ...) uint8, or a column (N,) each of a table."""
    if not hasattr(given, "columns"):
        return {"pictures": np.ascontiguousarray(given, dtype=np.uint8)}
    numbers = {name: column.dtype.kind in "iuf" for name, column in given.items()}
    return {
        str(name): column.to_numpy() if numbers[name] else column.to_numpy(dtype=object)
        for name, column in given.items()
    }


def answers(session: Any, given: Any) -> dict[str, npt.NDArray[Any]]:
    """What the file answers, by the outputs' names; of a table only the columns that it takes are asked."""
    known = {each.name for each in session.get_inputs()}
    requested = {name: values for name, values in feed(given).items() if name in known}
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(names, requested), strict=True))


def difference(expected: pd.DataFrame, found: dict[str, npt.NDArray[Any]]) -> str:
    """Where the two first differ, or nothing."""
    for name, column in expected.items():
        if name not in found:
            return f"without the column `{name}`"
        ours, theirs = column.to_numpy(), found[str(name)]
        if ours.dtype.kind == "f":
            off = np.abs(ours - theirs) / np.maximum(1.0, np.abs(ours))
            wrong = ~(off <= CLOSE)
        else:
            wrong = ours.astype(object) != theirs.astype(object)
        if wrong.any():
            k = int(np.argmax(wrong))
            return f"for input {k + 1} {theirs[k]!r} as `{name}`, where the model has {ours[k]!r}"
    return ""


def signature(ready: Any) -> str:
    """The inputs and outputs of a session, in a line."""

    def listed(values: Any) -> str:
        return ", ".join(f"{each.name} {each.type[7:-1]}{each.shape}" for each in values)

    return f"{listed(ready.get_inputs())} -> {listed(ready.get_outputs())}"


def drawn(chosen: Chosen) -> Any:
    """Inputs to compare by: what the record keeps as an example, and what is drawn around it."""
    rng = np.random.default_rng(0)
    if kind_of(chosen) == "pictures":
        pictures = rng.integers(0, 256, (DRAWN["pictures"], *form_of(chosen).shape), dtype=np.uint8)
        return pictures if chosen.example is None else np.concatenate([np.asarray(chosen.example), pictures])
    import pandas as pd

    ranges = contract.usual(datasets.page(chosen.case.dataset)).ranges
    columns = {
        name: _column(name, column, chosen.example, ranges.get(name), rng)
        for name, column in columns_of(chosen).items()
    }
    rows = pd.DataFrame(columns)
    return rows if chosen.example is None else pd.concat([chosen.example[list(rows)], rows], ignore_index=True)


def _column(
    name: str, column: Column, example: Any, within: tuple[float, float] | None, rng: np.random.Generator
) -> Any:
    """Values of an attribute: its words and an unknown one, or numbers about the example's and across the range."""
    import pandas as pd

    count = DRAWN["rows"]
    if column.kind is str:
        words = [*sorted(column.words or ()), UNKNOWN]
        return pd.Series(rng.choice(np.array(words, dtype=object), count), dtype="str")
    known = np.zeros(1) if example is None else example[name].to_numpy(np.float64)
    numbers = rng.choice(known, count) * rng.uniform(0.5, 1.5, count) + rng.normal(0, 1, count)
    if within:
        numbers = np.where(rng.random(count) < 0.5, rng.uniform(*within, count), np.clip(numbers, *within))
    return pd.Series(np.rint(numbers) if column.kind is int else numbers).astype(KINDS[column.kind])
