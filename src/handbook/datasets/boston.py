"""Boston housing: 506 census tracts around Boston in 1970, and the median value of their homes.

What it is: one row a tract: crime, zoning, air, rooms, distances, taxes, schools, people; the target `medv` is in
thousands of dollars of 1970, cut off at 50 in 16 tracts.
Where from: Harrison and Rubinfeld, "Hedonic Housing Prices and the Demand for Clean Air", Journal of Environmental
Economics and Management, 1978; StatLib. Licence: none stated by StatLib or UCI.
Not for: anything but comparing methods. Column `b` encodes the share of Black residents, as 1000 (share - 0.63)^2, by
the assumption that segregation raises prices; scikit-learn dropped the data for it, and the transformed number cannot
be undone. It stays here because a listing of the book takes it: use it to repeat that, and say so. Homes of 1970 say
nothing about homes of today.
In the book: section 2.14.1, extra trees; it prints no score.

The sample's tracts share one hidden trait, how much of a city they are, which drives most columns, as in the original;
`medv` is a sum of rooms, poverty, schools and the river, bent once, plus noise of a fifth of its variance: no model can
have an R2 above 0.80, and a straight line reaches about 0.76.
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
    "crim": float, "zn": float, "indus": float, "chas": int, "nox": float, "rm": float, "age": float, "dis": float,
    "rad": int, "tax": int, "ptratio": float, "b": float, "lstat": float, "medv": float,
}  # fmt: skip
ENCODES_RACE = ("b",)
ROWS = {"all": 506}
SAMPLE_ROWS = {"all": 506}
SAMPLE_R2 = 0.80  # of the sample's own rule: no model can do better
LICENCE = "none stated (StatLib)"
SAMPLE_LICENCE = "none needed: drawn here"
SOURCE = "http://lib.stat.cmu.edu/datasets/boston"
REPOSITORY = "https://raw.githubusercontent.com/selva86/datasets"
FILES = (
    File(
        "BostonHousing.csv",
        "ab16ba38fbbbbcc69fe930aab1293104f1442c8279c130d9eba03dd864bef675",
        (
            f"{REPOSITORY}/c943fa8851270387c44d26efb0f9c0aac1559e11/BostonHousing.csv",
            f"{REPOSITORY}/master/BostonHousing.csv",
        ),
    ),
)
# Measured, rounded outward.
RANGES = {
    "crim": (0, 89), "zn": (0, 100), "indus": (0, 28), "chas": (0, 1), "nox": (0.38, 0.88), "rm": (3.5, 8.8),
    "age": (2, 100), "dis": (1.1, 12.2), "rad": (1, 24), "tax": (187, 711), "ptratio": (12.6, 22), "b": (0, 396.9),
    "lstat": (1.5, 38), "medv": (5, 50),
}  # fmt: skip
HABITS: dict[str, Any] = {
    "ranges": {name: span for name, span in RANGES.items() if name != "chas"},  # which is one of two
    "words": {"chas": [0, 1]},
    # measured 3.61, 0.555 (parts in 10 million), 6.28, 12.7 %, 22.5 thousand dollars
    "means": {"crim": (2, 5.5), "nox": (0.53, 0.58), "rm": (6.1, 6.45), "lstat": (11, 14.5), "medv": (21, 24)},
    "target": "medv",
    "shares": {},
    "sums": {"copy": (0, 0, "No row is the same as an earlier one")},
}  # fmt: skip


def sample(directory: Path, seed: int) -> None:
    """Draw 506 tracts."""
    import pandas as pd

    rng, n = np.random.default_rng(seed), SAMPLE_ROWS["all"]
    city = rng.standard_normal(n)

    def like(share: float) -> Any:
        """Standard normal, (n,), correlated by so much with being a city."""
        return share * city + np.sqrt(1 - share**2) * rng.standard_normal(n)

    rooms, poor, schools, river = like(-0.4), like(0.7), like(0.4), rng.random(n) < 0.07
    value = 3.4 * rooms - 3.6 * poor - 1.6 * schools + 3.0 * river + 1.0 * (rooms**2 - 1)
    noise = rng.standard_normal(n) * np.std(value) * np.sqrt(1 / SAMPLE_R2 - 1)
    columns = {
        "crim": np.clip(np.exp(-0.6 + 1.75 * like(0.8)), 0.006, 88.98).round(5),
        "zn": np.clip(5 * np.round(8 * like(-0.6) - 4), 0, 100),
        "indus": np.clip(11.1 + 6.5 * like(0.85), 0.46, 27.74).round(2),
        "chas": river.astype(np.int64),
        "nox": np.clip(0.555 + 0.11 * like(0.85), 0.385, 0.871).round(3),
        "rm": np.clip(6.285 + 0.7 * rooms, 3.561, 8.78).round(3),
        "age": np.clip(72 + 30 * like(0.75), 2.9, 100).round(1),
        "dis": np.clip(np.exp(1.2 + 0.5 * like(-0.8)), 1.13, 12.13).round(4),
        "rad": np.where(like(0.8) > 0.72, 24, rng.integers(1, 9, n)),
        "tax": np.clip(405 + 160 * like(0.8), 187, 711).astype(np.int64),
        "ptratio": np.clip(18.46 + 2.1 * schools, 12.6, 22).round(1),
        "b": np.clip(396.9 - rng.exponential(40, n), 0.32, 396.9).round(2),
        "lstat": np.clip(12.65 + 6.5 * poor, 1.73, 37.97).round(2),
        "medv": np.clip(22.5 + value + noise, 5, 50).round(1),
    }
    tables.write_csv(directory / FILES[0].name, pd.DataFrame(columns)[list(COLUMNS)])


def facts(directory: Path) -> pd.DataFrame:
    """The table that the suite looks at, a row a tract."""
    rows = _read(directory)
    return rows.assign(copy=tables.copies(rows))


def expectations(sample: bool = False) -> list[Any]:
    """What must hold for the table of facts: the suite of Great Expectations."""
    return table_suites.expectations(COLUMNS, Habits(rows=(SAMPLE_ROWS if sample else ROWS)["all"], **HABITS))


def load(directory: Path) -> Table:
    """The tracts; the target is medv, the median home value in thousands of dollars of 1970."""
    rows = _read(directory)
    return Table(rows.drop(columns="medv"), rows["medv"].to_numpy(), ())


def _read(directory: Path) -> pd.DataFrame:
    return tables.read_csv(directory / FILES[0].name, COLUMNS)
