"""Diabetes: 442 patients, ten measurements each, and how far the disease went within a year.

What it is: age, sex (1 or 2, which is which is not stated), body mass index, blood pressure and six values of blood
serum, in their own units; the target `progression` is a score from 25 to 346.
Where from: Efron, Hastie, Johnstone and Tibshirani, "Least Angle Regression", Annals of Statistics, 2004, as
scikit-learn carries it. Licence: none stated by its authors.
Not for: medicine. What the score measures and where the patients were is not on record.
In the book: not used; it stands beside Boston in chapter 2, as data without Boston's column `b`.

The file is written from scikit-learn's bundle, so the real data are there without a network; unscaled, where
`load_diabetes` would scale with all rows, those to be judged by included.
The sample's target is a straight line of bmi, bp, s3 and s5 plus noise of half its variance: no R2 above 0.50.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handbook.data import table_suites, tables
from handbook.data.provenance import File
from handbook.data.table_suites import Habits
from handbook.data.tables import Table

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: dict[str, type] = {
    "age": int, "sex": int, "bmi": float, "bp": float, "s1": float, "s2": float, "s3": float, "s4": float, "s5": float,
    "s6": float, "progression": float,
}  # fmt: skip
ROWS = {"all": 442}
SAMPLE_ROWS = {"all": 442}
SAMPLE_R2 = 0.50  # of the sample's own rule: no model can do better
LICENCE = "none stated by its authors"
SAMPLE_LICENCE = "none needed: drawn here"
SOURCE = "https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html"
# Measured: mean and deviation of each number.
SPREADS = {
    "age": (48.5, 13.1), "bmi": (26.4, 4.4), "bp": (94.6, 13.8), "s1": (189.1, 34.6), "s2": (115.4, 30.4),
    "s3": (49.8, 12.9), "s4": (4.07, 1.29), "s5": (4.64, 0.52), "s6": (91.3, 11.5),
}  # fmt: skip
RANGES = {
    "age": (19, 79), "sex": (1, 2), "bmi": (18, 42.2), "bp": (62, 133), "s1": (97, 301), "s2": (41.6, 242.4),
    "s3": (22, 99), "s4": (2, 9.09), "s5": (3.2, 6.2), "s6": (58, 124), "progression": (25, 346),
}  # fmt: skip
MEANS = {"age": (46, 51), "bmi": (25.5, 27.5), "bp": (92, 98), "s5": (4.5, 4.8), "progression": (138, 167)}


def _from_bundle(path: Path) -> None:
    from sklearn.datasets import load_diabetes

    frame = load_diabetes(as_frame=True, scaled=False).frame.rename(columns={"target": "progression"})
    tables.write_csv(path, frame.astype({"age": "int64", "sex": "int64"}))


FILES = (File("diabetes.csv", "a1a7419f6de5cc16b1ad886e38ddac45aa5f1cc03796ef9592d7c1f50000719a", (), _from_bundle),)


def sample(directory: Path, seed: int) -> None:
    """Draw 442 patients, their measurements independent."""
    import pandas as pd

    rng, n = np.random.default_rng(seed), SAMPLE_ROWS["all"]
    drawn = {name: np.clip(rng.normal(*spread, n), *RANGES[name]).round(2) for name, spread in SPREADS.items()}
    z = {name: (drawn[name] - mean) / deviation for name, (mean, deviation) in SPREADS.items()}
    line = 25 * z["bmi"] + 15 * z["bp"] - 15 * z["s3"] + 28 * z["s5"]
    noise = rng.standard_normal(n) * np.std(line) * np.sqrt(1 / SAMPLE_R2 - 1)
    rows = pd.DataFrame(drawn | {"sex": rng.integers(1, 3, n)}).astype({"age": "int64"})
    rows["progression"] = np.clip(152 + line + noise, *RANGES["progression"]).round()
    tables.write_csv(directory / FILES[0].name, rows[list(COLUMNS)])


def facts(directory: Path) -> pd.DataFrame:
    """The table that the suite looks at, a row a patient."""
    rows = _read(directory)
    return rows.assign(copy=tables.copies(rows))


def expectations(sample: bool = False) -> list[Any]:
    """What must hold for the table of facts: the suite of Great Expectations."""
    habits = Habits(
        rows=(SAMPLE_ROWS if sample else ROWS)["all"],
        ranges={name: span for name, span in RANGES.items() if name != "sex"},  # which is one of two
        words={"sex": [1, 2]},
        means=MEANS,
        target="progression",
        shares={},
        sums={"copy": (0, 0, "No row is the same as an earlier one")},
    )
    return table_suites.expectations(COLUMNS, habits)


def load(directory: Path) -> Table:
    """The patients; the target is the score of a year later, 25 to 346."""
    rows = _read(directory)
    return Table(rows.drop(columns="progression"), rows["progression"].to_numpy(), ())


def _read(directory: Path) -> pd.DataFrame:
    return tables.read_csv(directory / FILES[0].name, COLUMNS)
