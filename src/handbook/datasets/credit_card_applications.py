"""Credit card applications: 690 people who asked an Australian bank for a card, every attribute made anonymous.

What it is: one row an application: six numbers and eight codes (A1 to A14) without meaning, by the bank's wish;
`Class` is 1 for the 307 that were approved. CustomerID was added by a course and tells nothing.
Where from: Quinlan, "Simplifying Decision Trees", International Journal of Man-Machine Studies, 1987; UCI data set 143,
Statlog (Australian Credit Approval). Licence: CC BY 4.0 as UCI states.
Not for: finding fraud. The book reads its outliers as frauds, but nothing here says who is one: `Class` is what the
bank decided. Nor for deciding about people: nobody can say what the attributes are.
In the book: section 8.5, the self-organising map; its text describes the card transactions instead.

A4, A5, A6 and A12 are codes without an order, and so text here. Taken as numbers, as the book does, they leak:
those of A5 and A6 were numbered by how often each was approved (A5 from 13 % for code 1 to 84 % for code 14).

The sample keeps the original's frequencies; `Class` is drawn from the log-odds of `log_odds`, so that the best
ROC-AUC is known, 0.88; a straight model of all columns finds it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data import table_suites, tables
from handbook.data.provenance import File
from handbook.data.table_suites import Habits
from handbook.data.tables import Table

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: dict[str, type] = {
    "CustomerID": int, "A1": int, "A2": float, "A3": float, "A4": str, "A5": str, "A6": str, "A7": float, "A8": int,
    "A9": int, "A10": int, "A11": int, "A12": str, "A13": int, "A14": int, "Class": int,
}  # fmt: skip
CLASSES = ("declined", "approved")
ROWS = {"all": 690}
SAMPLE_ROWS = {"all": 690}
SAMPLE_ROC_AUC = 0.88  # of the sample's own log-odds: no model can do better
LICENCE = "CC BY 4.0 (UCI, Statlog Australian Credit Approval)"
SAMPLE_LICENCE = "none needed: drawn here"
SOURCE = "https://archive.ics.uci.edu/dataset/143/statlog+australian+credit+approval"
REPOSITORY = "https://raw.githubusercontent.com/DevHunterYZ/Self-Organizing-Maps"
FILES = (
    File(
        "Credit_Card_Applications.csv",
        "7ec643837a80130adfa4d5f4cefb1c413b855eff6138ab43daac54e7d0c2cbd3",
        (
            f"{REPOSITORY}/f1e157d9250978809a96249cffe506825e9faf2f/Credit_Card_Applications.csv",
            f"{REPOSITORY}/master/Credit_Card_Applications.csv",
        ),
    ),
)
# Rows of the original, by code.
COUNTS: dict[str, dict[str, int]] = {
    "A4": {"1": 163, "2": 525, "3": 2},
    "A5": {
        "1": 53, "2": 30, "3": 59, "4": 51, "5": 10, "6": 54, "7": 38, "8": 146, "9": 64, "10": 25, "11": 78, "12": 3,
        "13": 41, "14": 38,
    },
    "A6": {"1": 57, "2": 6, "3": 8, "4": 408, "5": 59, "7": 6, "8": 138, "9": 8},
    "A12": {"1": 57, "2": 625, "3": 8},
}  # fmt: skip
BINARY = ("A1", "A8", "A9", "A11")
# Measured, rounded outward.
RANGES = {
    "CustomerID": (15_000_000, 16_000_000), "A2": (13, 81), "A3": (0, 28), "A7": (0, 28.5), "A10": (0, 67),
    "A13": (0, 2_000), "A14": (1, 100_001), **dict.fromkeys(BINARY, (0, 1)),
}  # fmt: skip
HABITS: dict[str, Any] = {
    "ranges": {name: span for name, span in RANGES.items() if name not in BINARY},  # which are one of two
    "means": {"A2": (29, 34), "A3": (3.8, 5.8), "A7": (1.6, 2.9), "A8": (0.45, 0.6), "A13": (150, 220)},
    "target": "Class",
    "sums": {
        "copy": (0, 0, "No row is the same as an earlier one, whatever its CustomerID"),
        "same_customer": (0, 0, "Every CustomerID is there once"),
    },
}  # fmt: skip


def sample(directory: Path, seed: int) -> None:
    """Draw 690 applications, with as many of each code as the original has."""
    import pandas as pd

    rng, n = np.random.default_rng(seed), SAMPLE_ROWS["all"]
    codes = {name: rng.permutation(np.repeat(list(counts), list(counts.values()))) for name, counts in COUNTS.items()}
    employed = (rng.random(n) < 0.43).astype(np.int64)
    columns = codes | {
        "CustomerID": rng.choice(np.arange(15_565_714, 15_815_444), n, replace=False),
        "A1": (rng.random(n) < 0.68).astype(np.int64),
        "A2": np.clip(13.75 + rng.gamma(2.2, 8.1, n), 13.75, 80.25).round(2),
        "A3": np.clip(rng.exponential(4.76, n), 0, 28).round(3),
        "A7": np.clip(rng.exponential(2.22, n), 0, 28.5).round(3),
        "A8": (rng.random(n) < 0.52).astype(np.int64),
        "A9": employed,
        "A10": employed * np.minimum(rng.geometric(0.178, n), 67),
        "A11": (rng.random(n) < 0.46).astype(np.int64),
        "A13": np.clip(rng.gamma(1.4, 131, n), 0, 2_000).astype(np.int64),
        "A14": np.clip(rng.lognormal(3.0, 3.0, n), 1, 100_001).astype(np.int64),
    }
    rows = pd.DataFrame(columns)
    approved = rng.random(n) < 1 / (1 + np.exp(-log_odds(rows)))
    rows["Class"] = approved.astype(np.int64)
    tables.write_csv(directory / FILES[0].name, rows[list(COLUMNS)])


def log_odds(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """What the sample's `Class` is drawn from, (N,): A8 above all, as in the original, then A9, A10, A7 and A5."""
    code = rows["A5"].astype(int)
    odds = 3.3 * rows["A8"] + 1.0 * rows["A9"] + 0.15 * rows["A10"] + 0.25 * rows["A7"] + 0.15 * (code - 7.4) - 3.6
    return np.asarray(odds, dtype=np.float64)


def facts(directory: Path) -> pd.DataFrame:
    """The table that the suite looks at, a row an application, with a 1 where it is what must not be."""
    rows = _read(directory)
    return rows.assign(
        copy=tables.copies(rows.drop(columns="CustomerID")), same_customer=tables.copies(rows[["CustomerID"]])
    )


def expectations(sample: bool = False) -> list[Any]:
    """What must hold for the table of facts: the suite of Great Expectations."""
    approved = (0.36, 0.54) if sample else (307 / 690, 307 / 690)  # that of a sample is drawn
    words: dict[str, list[Any]] = {name: list(counts) for name, counts in COUNTS.items()}
    binary: dict[str, list[Any]] = {name: [0, 1] for name in (*BINARY, "Class")}
    shares = {1: approved, 0: (1 - approved[1], 1 - approved[0])}
    rows = (SAMPLE_ROWS if sample else ROWS)["all"]
    return table_suites.expectations(COLUMNS, Habits(rows=rows, words=words | binary, shares=shares, **HABITS))


def load(directory: Path) -> Table:
    """The applications, CustomerID as their index; label 1 where the card was approved."""
    rows = _read(directory).set_index("CustomerID")
    labels = tables.labels(directory / FILES[0].name, rows["Class"], {0: 0, 1: 1})
    return Table(rows.drop(columns="Class"), labels, CLASSES)


def _read(directory: Path) -> pd.DataFrame:
    return tables.read_csv(directory / FILES[0].name, COLUMNS)
