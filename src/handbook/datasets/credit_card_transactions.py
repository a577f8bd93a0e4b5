"""Credit card transactions: two days of September 2013 in Europe, 492 frauds among them.

What it is: one row a payment: seconds since the first, 28 principal components of what the bank will not show, the
amount in euros; `Class` is 1 for fraud. 284,807 rows, 0.173 % of them frauds.
Where from: Dal Pozzolo, Caelen, Johnson and Bontempi, "Calibrating Probability with Undersampling for Unbalanced
Classification", CIDM 2015; Worldline and the Université Libre de Bruxelles. Licence: ODbL 1.0 and DbCL 1.0.
Not for: an alarm anywhere else (components cannot be computed for other payments), or for a fraud rate: two days.
In the book: section 8.5 describes these data, and loads the applications instead.

Two forms (`FORMS`); which one lies in the folder follows from its file's name and recorded in `provenance.json`, and
every figure made from it says so:
whole   creditcard.csv, from upstream, wherever it can be reached. Of its rows 1,081 are the same as an earlier one.
subset  creditcard_subset.csv.gz, 43,324 genuine rows, where it cannot: the union of 61 public samples of the whole,
        rows matched by time, amount and three components. **All 492 frauds are in it, and 15 % of the normal rows, so
        that frauds are 1.14 % of its rows and not 0.173 %** (`FRAUD_SHARE`). Nor is it an even sample: the first 4 h
        10 min and the last 470 s are nearly complete, the hours between are random draws, denser on the first day.

What that does to figures: recall and ROC-AUC do not depend on the share of frauds. Precision does: of the same alarm at
the same threshold, the odds of a true alarm are 6.64 times as high in the subset (284,315 / 42,832 normal rows), so
that a precision of 50 % there is one of 13 % in the whole; average precision and lift, which are made of precisions,
fall likewise. For the whole's share draw about 74 frauds with all normal rows of the subset.
Both hold the same frauds: 492, of 60,127.97 euros together.

The sample, in the subset's format and with its share of frauds: components are independent, with the original's spreads
and heavy tails; 58 of the 68 frauds are moved in the components in which real ones are, the others are as all are. So
the best alarm finds 58 and the rest by chance: ROC-AUC 58/68 + 10/68/2 = 0.93, and an isolation forest reaches it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handbook.data import table_suites, tables
from handbook.data.provenance import File
from handbook.data.table_suites import Habits
from handbook.data.tables import Table
from handbook.errors import HandbookError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: dict[str, type] = {
    "Time": float, **{f"V{i}": float for i in range(1, 29)}, "Amount": float, "Class": int,
}  # fmt: skip
CLASSES = ("normal", "fraud")
WHOLE = (
    File(
        "creditcard.csv",
        "76274b691b16a6c49d3f159c883398e03ccd6d1ee12d9d8ee38f4b4b98551a89",
        (
            "https://storage.googleapis.com/download.tensorflow.org/data/creditcard.csv",
            "https://zenodo.org/records/7395559/files/creditcard.csv?download=1",
        ),
    ),
)
SUBSET = (File("creditcard_subset.csv.gz", "30a416bc698908d70fb857f01dae6471f0f29f5135998c78a7eed8795ca566c7", ()),)
FORMS = {"whole": WHOLE, "subset": SUBSET}  # the better first
FILES = SUBSET  # what the sample is written as
ROWS = {"whole": 284_807, "subset": 43_324}
COPIES = {"whole": 1_081, "subset": 62}
FRAUDS, FRAUD_EUROS = 492, 60_127.97  # of both forms
NOTES = {  # for the reader of figures that were made from that form
    "whole": "Made from the whole file: 284,807 payments, 0.173 % of them frauds.",
    "subset": (
        "Made from a subset of 43,324 payments, since the whole file could not be reached: all 492 frauds, and 15 % of "
        "the normal payments, drawn unevenly (the first four hours nearly complete, the rest at random). Frauds are "
        "1.14 % of it, not 0.173 %: at the same threshold the odds of a true alarm are 6.64 times as high as in the "
        "whole, so that a precision of 50 % here is one of 13 % there, and average precision falls likewise. ROC-AUC "
        "and recall do not change with the share."
    ),
}
FRAUD_SHARE = {"whole": 492 / 284_807, "subset": 492 / 43_324}
SAMPLE_ROWS = {"all": 6_000}
SAMPLE_FRAUDS = 68
SAMPLE_MOVED = 58  # of the frauds: those that can be distinguished from normal payments
SAMPLE_ROC_AUC = 0.93  # of the best alarm, which finds these and the others by chance
LICENCE = "ODbL 1.0, contents DbCL 1.0"
SAMPLE_LICENCE = "none needed: drawn here"
SOURCE = "https://www.kaggle.com/datasets/mlg-ulb/creditcardfraud"
# Of V1 to V28 from and to, as descriptions of the whole file state them, rounded outward; the subset's lie within.
LIMITS = (
    (-57, 3), (-73, 23), (-49, 10), (-6, 17), (-114, 35), (-27, 74), (-44, 121), (-74, 21), (-14, 16), (-25, 24),
    (-5, 13), (-19, 8), (-6, 8), (-20, 11), (-5, 9), (-15, 18), (-26, 10), (-10, 6), (-8, 6), (-55, 40), (-35, 28),
    (-11, 11), (-45, 23), (-3, 5), (-11, 8), (-3, 4), (-23, 32), (-16, 34),
)  # fmt: skip
RANGES = {
    "Time": (0, 172_792),
    **{f"V{number}": span for number, span in enumerate(LIMITS, start=1)},
    "Amount": (0, 25_691.16),
}
# Deviations of V1 to V28, and how many deviations the original's frauds lie off, both in round figures.
SPREADS = (2.0, 1.7, 1.8, 1.5, 1.5, 1.3, 1.5, 1.4, 1.2, 1.3, 1.2, 1.4, 1.1, 1.3,
           0.9, 1.0, 1.3, 0.9, 0.8, 0.8, 0.9, 0.7, 0.6, 0.6, 0.5, 0.5, 0.4, 0.3)  # fmt: skip
SHIFTS = (-2.5, 2.2, -5.1, 3.2, -2.3, -1.1, -4.8, 0.5, -2.4, -5.4, 3.4, -5.1, 0, -7.4,
          0, -5.0, -8.7, -2.8, 0.9, 0.5, 1.0, 0, 0, 0, 0, 0, 0, 0)  # fmt: skip


def sample(directory: Path, seed: int) -> None:
    """Draw 6,000 payments, 68 of them frauds."""
    import pandas as pd

    rng, n = np.random.default_rng(seed), SAMPLE_ROWS["all"]
    fraud = np.zeros(n, dtype=np.int64)
    frauds = rng.choice(n, SAMPLE_FRAUDS, replace=False)
    fraud[frauds] = 1
    heavy = rng.standard_t(5, (n, 28)) * np.sqrt(3 / 5)  # (n, 28), of deviation 1
    moved = np.zeros(n)
    moved[frauds[:SAMPLE_MOVED]] = rng.uniform(0.5, 1.2, SAMPLE_MOVED)  # how far
    components = (heavy + moved[:, None] * np.array(SHIFTS)) * np.array(SPREADS)
    rows = pd.DataFrame(
        {
            "Time": np.sort(rng.integers(0, 172_793, n)).astype(float),
            **{f"V{i + 1}": components[:, i].round(6) for i in range(28)},
            "Amount": np.clip(rng.lognormal(3.2, 1.6, n), 0, 25_691).round(2),
            "Class": fraud,
        }
    )
    tables.write_csv(directory / FILES[0].name, rows)


def facts(directory: Path) -> pd.DataFrame:
    """The table that the suite looks at, a row a payment; `form` says whether they are the whole."""
    rows = _read(directory)
    return rows.assign(
        fraud_euros=rows["Amount"] * rows["Class"],
        disorder=(rows["Time"].diff() < 0).astype("int64"),
        form=form(directory),
        rows=len(rows),
        copies=int(rows.duplicated().sum()),
    )


def expectations(sample: bool = False) -> list[Any]:
    """What must hold for the table of facts, whichever form it is of: the suite of Great Expectations."""
    import great_expectations.expectations as gxe

    rows, copies = ({"subset": SAMPLE_ROWS["all"]}, {"subset": 0}) if sample else (ROWS, COPIES)
    frauds, low, high = (SAMPLE_FRAUDS, 0.0, 1e6) if sample else (FRAUDS, FRAUD_EUROS - 0.005, FRAUD_EUROS + 0.005)
    habits = Habits(
        rows=None,
        ranges={name: RANGES[name] for name in ("Time", "Amount")},
        words={"Class": [0, 1]},
        # the spread of the original's hours differs from the subset's; the components are centred in the whole
        means={"Amount": (70, 110), "V1": (-0.3, 0.3), "V14": (-0.3, 0.3)},
        target="Class",
        shares={},
        sums={
            "Class": (frauds, frauds, f"There are {frauds} frauds"),
            "fraud_euros": (low, high, f"Frauds are of {low:,.2f} to {high:,.2f} euros together"),
            "disorder": (0, 0, "The payments are in order of time"),
        },
        extra_columns=("form", "rows", "copies"),
    )
    return [
        *table_suites.expectations(COLUMNS, habits),
        *(
            gxe.ExpectColumnPairValuesToBeInSet(
                column_A="form",
                column_B=column,
                value_pairs_set=list(counts.items()),
                description=f"{column} as of their form: {', '.join(f'{v:,} ({k})' for k, v in counts.items())}",
            )
            for column, counts in (("rows", rows), ("copies", copies))
        ),
    ]


def form(directory: Path) -> str:
    """Which of `FORMS` lies there; a HandbookError if both do, or none."""
    found = [name for name, files in FORMS.items() if all((directory / file.name).exists() for file in files)]
    if len(found) == 1:
        return found[0]
    names = " or ".join(file.name for files in FORMS.values() for file in files)
    if found:
        raise HandbookError(f"{directory} holds both {names.replace(' or ', ' and ')}. Move one of them away")
    raise HandbookError(f"{directory} is missing {names}. Put it there: make data")


def load(directory: Path) -> Table:
    """The payments in order of time; label 1 is fraud. Mind `FRAUD_SHARE`."""
    rows = _read(directory)
    path = directory / FORMS[form(directory)][0].name
    return Table(rows.drop(columns="Class"), tables.labels(path, rows["Class"], {0: 0, 1: 1}), CLASSES)


def _read(directory: Path) -> pd.DataFrame:
    return tables.read_csv(directory / FORMS[form(directory)][0].name, COLUMNS)
