"""Iris: 150 flowers of three species, four lengths each.

What it is: sepals and petals of 50 irises a species, measured in centimetres by Anderson on the Gaspé peninsula; one
species stands apart, two overlap.
Where from: Fisher, "The Use of Multiple Measurements in Taxonomic Problems", Annals of Eugenics, 1936; as scikit-learn
carries it, two misprints of UCI's copy put right. Licence: CC BY 4.0 (UCI data set 53).
Not for: showing that a method is good: 30 flowers held out tell 93 % and 100 % apart by two flowers.
In the book: section 2.14.1, extra trees; it prints no score.

The file is written from scikit-learn's bundle, so the real data are there without a network. Two flowers are the same
in every length. The sample's lengths are normal with each species' mean and deviation of the original, independent;
its best accuracy is 0.987.
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
    "sepal_length": float, "sepal_width": float, "petal_length": float, "petal_width": float, "species": str,
}  # fmt: skip
# Centimetres, measured.
RANGES = {"sepal_length": (4, 8), "sepal_width": (2, 4.5), "petal_length": (1, 7), "petal_width": (0.1, 2.6)}
CLASSES = ("setosa", "versicolor", "virginica")
ROWS = {"all": 150}
SAMPLE_ROWS = {"all": 150}
SAMPLE_ACCURACY = 0.987  # of the rule that knows the means and deviations below
LICENCE = "CC BY 4.0 (UCI)"
SAMPLE_LICENCE = "none needed: drawn here"
SOURCE = "https://archive.ics.uci.edu/dataset/53/iris"
# Measured, a species a row.
MEANS = ((5.01, 3.43, 1.46, 0.25), (5.94, 2.77, 4.26, 1.33), (6.59, 2.97, 5.55, 2.03))
DEVIATIONS = ((0.35, 0.38, 0.17, 0.11), (0.52, 0.31, 0.47, 0.20), (0.64, 0.32, 0.55, 0.27))


def _from_bundle(path: Path) -> None:
    from sklearn.datasets import load_iris

    bundle = load_iris()
    _write(path, bundle.data, bundle.target)


FILES = (File("iris.csv", "9cc1c345c71bcc9b486b74cbf6063fa66f4bb5e0f603a4b3c3471ec2e5e8e355", (), _from_bundle),)


def sample(directory: Path, seed: int) -> None:
    """Draw 50 flowers of each species, lengths to the millimetre."""
    rng = np.random.default_rng(seed)
    species = np.repeat(np.arange(3), 50)
    lengths = rng.normal(np.array(MEANS)[species], np.array(DEVIATIONS)[species])  # (150, 4)
    _write(directory / FILES[0].name, np.clip(lengths, 0.1, None).round(1), species)


def _write(path: Path, lengths: Any, species: Any) -> None:
    import pandas as pd

    rows = pd.DataFrame(lengths, columns=[*COLUMNS][:4]).assign(species=np.array(CLASSES)[species])
    tables.write_csv(path, rows)


def facts(directory: Path) -> pd.DataFrame:
    """The table that the suite looks at, a row a flower."""
    rows = _read(directory)
    return rows.assign(copy=tables.copies(rows))


def expectations(sample: bool = False) -> list[Any]:
    """What must hold for the table of facts: the suite of Great Expectations."""
    copies = (0, 9, "Few flowers are the same") if sample else (1, 1, "One flower is the same as an earlier one")
    wide = {"sepal_length": (3, 9), "sepal_width": (1, 6), "petal_length": (0.5, 8.5), "petal_width": (0.1, 3.5)}
    habits = Habits(
        rows=(SAMPLE_ROWS if sample else ROWS)["all"],
        ranges=wide if sample else RANGES,
        words={"species": CLASSES},
        # measured 5.84, 3.06, 3.76, 1.20
        means={
            "sepal_length": (5.7, 6),
            "sepal_width": (2.9, 3.2),
            "petal_length": (3.6, 3.9),
            "petal_width": (1, 1.3),
        },
        target="species",
        shares=dict.fromkeys(CLASSES, (1 / 3, 1 / 3)),
        sums={"copy": copies},
    )
    return table_suites.expectations(COLUMNS, habits)


def load(directory: Path) -> Table:
    """The flowers; lengths in centimetres, labels 0 to 2 in the order of `CLASSES`."""
    rows = _read(directory)
    labels = tables.labels(directory / FILES[0].name, rows["species"], {name: i for i, name in enumerate(CLASSES)})
    return Table(rows.drop(columns="species"), labels, CLASSES)


def _read(directory: Path) -> pd.DataFrame:
    return tables.read_csv(directory / FILES[0].name, COLUMNS)
