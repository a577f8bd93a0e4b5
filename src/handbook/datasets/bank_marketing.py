"""Bank marketing: 45,211 phone calls of a Portuguese bank, and whether the client then took a term deposit."""

from __future__ import annotations

from pathlib import Path

from handbook import tables
from handbook.fetch import File
from handbook.tables import Table

COLUMNS: dict[str, type] = {
    "age": int, "job": str, "marital": str, "education": str, "default": str, "balance": int, "housing": str,
    "loan": str, "contact": str, "day": int, "month": str, "duration": int, "campaign": int, "pdays": int,
    "previous": int, "poutcome": str, "y": str,
}  # fmt: skip
CLASSES = ("no", "yes")
KNOWN_AFTER_THE_CALL = ("duration",)
FILES = (File("bank-full.csv", "d1513ec63b385506f7cfce9f2c5caa9fe99e7ba4e8c3fa264b3aaf0f849ed32d", ()),)


def load(directory: Path) -> Table:
    """The calls; label 1 where the client took the deposit. A HandbookError says what is wrong with the file."""
    path = directory / FILES[0].name
    rows = tables.read_csv(path, COLUMNS, sep=";")
    return Table(rows.drop(columns="y"), tables.labels(path, rows["y"], {"no": 0, "yes": 1}), CLASSES)
