"""Boston housing: 506 census tracts of 1970 and the median value of their homes."""

from __future__ import annotations

from pathlib import Path

from handbook import tables
from handbook.fetch import File
from handbook.tables import Table

COLUMNS: dict[str, type] = {
    "crim": float, "zn": float, "indus": float, "chas": int, "nox": float, "rm": float, "age": float, "dis": float,
    "rad": int, "tax": int, "ptratio": float, "b": float, "lstat": float, "medv": float,
}  # fmt: skip
FILES = (File("BostonHousing.csv", "ab16ba38fbbbbcc69fe930aab1293104f1442c8279c130d9eba03dd864bef675", ()),)


def load(directory: Path) -> Table:
    """The tracts; the target is medv, the median home value in thousands of dollars of 1970."""
    rows = tables.read_csv(directory / FILES[0].name, COLUMNS)
    return Table(rows.drop(columns="medv"), rows["medv"].to_numpy(), ())
