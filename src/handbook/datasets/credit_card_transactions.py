"""Credit card transactions: two days of September 2013, 492 of them frauds."""

from __future__ import annotations

from pathlib import Path

from handbook import tables
from handbook.fetch import File
from handbook.tables import Table

COLUMNS: dict[str, type] = {
    "Time": float, **{f"V{i}": float for i in range(1, 29)}, "Amount": float, "Class": int,
}  # fmt: skip
CLASSES = ("normal", "fraud")
FILES = (File("creditcard_subset.csv.gz", "30a416bc698908d70fb857f01dae6471f0f29f5135998c78a7eed8795ca566c7", ()),)


def load(directory: Path) -> Table:
    """The transactions in order of time; label 1 is fraud."""
    path = directory / FILES[0].name
    rows = tables.read_csv(path, COLUMNS)
    return Table(rows.drop(columns="Class"), tables.labels(path, rows["Class"], {0: 0, 1: 1}), CLASSES)
