"""Credit card applications: 690 people who asked an Australian bank for a card, attributes made anonymous."""

from __future__ import annotations

from pathlib import Path

from handbook import tables
from handbook.fetch import File
from handbook.tables import Table

COLUMNS: dict[str, type] = {
    "CustomerID": int, "A1": int, "A2": float, "A3": float, "A4": str, "A5": str, "A6": str, "A7": float, "A8": int,
    "A9": int, "A10": int, "A11": int, "A12": str, "A13": int, "A14": int, "Class": int,
}  # fmt: skip
CLASSES = ("declined", "approved")
FILES = (File("Credit_Card_Applications.csv", "7ec643837a80130adfa4d5f4cefb1c413b855eff6138ab43daac54e7d0c2cbd3", ()),)


def load(directory: Path) -> Table:
    """The applications, CustomerID as their index; A4, A5, A6 and A12 are codes without an order, and so text."""
    path = directory / FILES[0].name
    rows = tables.read_csv(path, COLUMNS).set_index("CustomerID")
    return Table(rows.drop(columns="Class"), tables.labels(path, rows["Class"], {0: 0, 1: 1}), CLASSES)
