"""A log of predictions, where one was asked for: what was answered, and the inputs only where they are to be kept.

In its folder lie `answers.csv`, the file before it, and below `inputs` the rows that were kept, as batches that
`handbook monitor` judges: a CSV each, whole once it has its name. The folder stays below its bound: the oldest go.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from handbook.errors import HandbookError
from handbook.serving.inputs import Batch

BOUND = 64 << 20  # bytes of all files together
BATCH = 10_000  # inputs of a file


class Log:
    """Writes what was answered to a folder that its owner alone can enter.

    Args:
        folder: Where it lies; made if it is not there. HandbookError if it cannot be.
        keep: Whether the inputs are kept as well, which are rows of a table then.
        separator: Between the cells of rows that are kept, as their dataset has it.
        bound: Bytes that all its files may have together.
    """

    def __init__(self, folder: Path, keep: bool = False, separator: str = ",", bound: int = BOUND) -> None:
        self.folder, self.keep, self.separator, self.bound = folder, keep, separator, bound
        self.answers, self.current = folder / "answers.csv", folder / "inputs" / ".current"
        self.number = self.rows = 0
        try:
            self.current.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)
            self.current.unlink(missing_ok=True)
        except OSError as error:
            raise HandbookError(f"the log cannot lie in {folder}: {error.strerror}. Name another folder") from None

    def write(self, batch: Batch, predictions: Sequence[Any]) -> None:
        """One request's answers, and its inputs if they are kept; pictures as answers are not written."""
        self.number += 1
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        rows = [
            {"time": now, "request": self.number, "input": name}
            | (answer if isinstance(answer, dict) else {})
            | {"note": note}
            for name, answer, note in zip(batch.names, predictions, batch.notes, strict=True)
        ]
        _append(self.answers, rows)
        if self.answers.stat().st_size > self.bound // 4:
            self.answers.replace(self.answers.with_name("answers.before.csv"))
        if self.keep and hasattr(batch.data, "columns"):
            _append(self.current, batch.data.to_dict("records"), self.separator)
            self.rows += len(batch.names)
            if self.rows >= BATCH or self.current.stat().st_size > self.bound // 8:
                self.close()

    def close(self) -> None:
        """The inputs that were kept since the last time become a batch of their own; the oldest make room for it."""
        if not self.rows:
            return
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        self.current.replace(self.current.with_name(f"served-{stamp}.csv"))
        self.rows = 0
        kept = sorted(self.current.parent.glob("served-*.csv"), reverse=True)
        total = 0
        for path in kept:
            total += path.stat().st_size
            if total > self.bound // 4:
                path.unlink()


def _append(path: Path, rows: Sequence[dict[str, Any]], separator: str = ",") -> None:
    """Rows at the end of a file that only its owner can read, under a header if it is new; in one write."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=separator, lineterminator="\n")
    if not path.exists() or not path.stat().st_size:
        writer.writeheader()
    writer.writerows(rows)
    number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with open(number, "a", encoding="utf-8", newline="") as stream:  # noqa: PTH123 (a descriptor)
        stream.write(text.getvalue())
