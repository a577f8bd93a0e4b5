"""Text, JSON and CSV as files: written in one step, and read."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any


def write_json(path: Path, content: Any) -> None:
    """Sorted keys, one line end at the end: a diff shows what changed and nothing else."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file in one step: it is the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text)
    fresh.replace(path)


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """A list of rows as CSV; the columns are those of all rows, in order of first appearance."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_rows(path: Path) -> list[dict[str, float]]:
    """A CSV of numbers as rows; empty cells are left out."""
    return rows_of(path.read_text())


def rows_of(text: str) -> list[dict[str, float]]:
    """As `read_rows`, of a file's text."""
    rows = csv.DictReader(text.splitlines())
    return [{key: float(value) for key, value in row.items() if value} for row in rows]
