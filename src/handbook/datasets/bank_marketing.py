"""Bank marketing: 45,211 phone calls of a Portuguese bank, and whether the client then took a term deposit.

What it is: one row a call, May 2008 to November 2010 in order of time: the client (age, job, savings, loans), the
call (month, its length), what came of earlier campaigns; `y` is yes for 5,289 of them, 11.7 %.
Where from: Moro, Laureano and Cortez, "Using Data Mining for Bank Direct Marketing: An Application of the CRISP-DM
Methodology", ESM 2011, http://hdl.handle.net/1822/14838; UCI data set 222. Licence: CC BY 4.0; cite the paper.
Not for: deciding whom to call by `duration`, which is known only after the call and is 0 for none that was made
(`KNOWN_AFTER_THE_CALL`); rows are calls of campaigns, not people; and age, marital status and job are no grounds
on which a bank may treat people differently everywhere.
In the book: section 7.3, the RBF network; the classifiers of chapter 2 are compared on it here alone.

"unknown" is a word of the data, not a missing value. `pdays` is days since an earlier campaign and -1 for none: then
`previous` is 0 and `poutcome` unknown. The reverse fails in 5 rows: contacted before, outcome not on record.

The sample's attributes are independent, with the original's frequencies; `y` is drawn from the log-odds of `log_odds`.
So the best that any model can do is known: ROC-AUC 0.93, and 0.78 without `duration`, about what the original allows.
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
    "age": int, "job": str, "marital": str, "education": str, "default": str, "balance": int, "housing": str,
    "loan": str, "contact": str, "day": int, "month": str, "duration": int, "campaign": int, "pdays": int,
    "previous": int, "poutcome": str, "y": str,
}  # fmt: skip
CLASSES = ("no", "yes")
KNOWN_AFTER_THE_CALL = ("duration",)
GROUPS = {"age": (30.0, 40.0, 50.0, 60.0), "marital": (), "job": ()}  # who is called, and found, more often than others
ROWS = {"all": 45_211}
SAMPLE_ROWS = {"all": 4_521}
SAMPLE_ROC_AUC = {"whole": 0.93, "before_call": 0.78}  # of the sample's own log-odds: no model can do better
LICENCE = "CC BY 4.0 (UCI); cite Moro, Laureano and Cortez 2011"
SAMPLE_LICENCE = "none needed: drawn here"
SOURCE = "https://archive.ics.uci.edu/dataset/222/bank+marketing"
FILES = (
    File(
        "bank-full.csv",
        "d1513ec63b385506f7cfce9f2c5caa9fe99e7ba4e8c3fa264b3aaf0f849ed32d",
        (
            "https://archive.ics.uci.edu/static/public/222/bank+marketing.zip#bank.zip#bank-full.csv",
            "https://archive.ics.uci.edu/ml/machine-learning-databases/00222/bank.zip#bank-full.csv",
        ),
    ),
)
# The original's words, each with its share of the rows.
FREQUENCIES: dict[str, dict[str, float]] = {
    "job": {
        "blue-collar": 0.2153, "management": 0.2092, "technician": 0.168, "admin.": 0.1144, "services": 0.0919,
        "retired": 0.0501, "self-employed": 0.0349, "entrepreneur": 0.0329, "unemployed": 0.0288, "housemaid": 0.0274,
        "student": 0.0207, "unknown": 0.0064,
    },
    "marital": {"married": 0.6019, "single": 0.2829, "divorced": 0.1152},
    "education": {"secondary": 0.5132, "tertiary": 0.2942, "primary": 0.1515, "unknown": 0.0411},
    "default": {"no": 0.982, "yes": 0.018},
    "housing": {"yes": 0.5558, "no": 0.4442},
    "loan": {"no": 0.8398, "yes": 0.1602},
    "contact": {"cellular": 0.6477, "unknown": 0.288, "telephone": 0.0643},
    "month": {
        "may": 0.3045, "jul": 0.1525, "aug": 0.1382, "jun": 0.1181, "nov": 0.0878, "apr": 0.0649, "feb": 0.0586,
        "jan": 0.031, "oct": 0.0163, "sep": 0.0128, "mar": 0.0106, "dec": 0.0047,
    },
    "poutcome": {"unknown": 0.8175, "failure": 0.1084, "other": 0.0407, "success": 0.0334},
}  # fmt: skip
# What a word adds to the sample's log-odds; one that is not named adds nothing. Signs and order are the original's.
EFFECTS = {
    "job": {"student": 0.9, "retired": 0.8, "blue-collar": -0.4, "management": 0.2},
    "marital": {"married": -0.4},
    "education": {"tertiary": 0.5, "primary": -0.3},
    "housing": {"yes": -0.9},
    "loan": {"yes": -0.8},
    "contact": {"unknown": -1.5},
    "month": {"mar": 2.0, "sep": 2.0, "oct": 2.0, "dec": 2.0, "apr": 0.6, "may": -0.6, "jul": -0.5, "nov": -0.5},
    "poutcome": {"success": 3.2, "other": 0.4},
}
# Measured, but a day, which can be no other.
SEPARATOR = ";"
RANGES = {
    "age": (18, 95), "balance": (-8_019, 102_127), "day": (1, 31), "duration": (0, 4_918), "campaign": (1, 63),
    "pdays": (-1, 871), "previous": (0, 275),
}  # fmt: skip
HABITS: dict[str, Any] = {
    "ranges": RANGES,
    "words": {name: sorted(shares) for name, shares in FREQUENCIES.items()} | {"y": ["no", "yes"]},
    # measured 40.9 years, 1,362 euros, 258 seconds, 2.76 calls, 0.58 calls before
    "means": {
        "age": (39, 43), "balance": (1_100, 1_600), "duration": (230, 290), "campaign": (2.4, 3.1),
        "previous": (0.4, 0.8),
    },
    "target": "y",
}  # fmt: skip


def sample(directory: Path, seed: int) -> None:
    """Draw 4,521 calls, as many as the original's own tenth has."""
    import pandas as pd

    rng, n = np.random.default_rng(seed), SAMPLE_ROWS["all"]
    rows: dict[str, Any] = {
        name: rng.choice(list(shares), n, p=np.array([*shares.values()]) / sum(shares.values()))
        for name, shares in FREQUENCIES.items()
    }
    before = rows["poutcome"] != "unknown"
    rows |= {
        "age": np.clip(18 + rng.gamma(4.6, 5.0, n), 18, 95).astype(np.int64),
        "balance": np.clip(rng.lognormal(6.6, 1.2, n) - 200, -8_019, 102_127).astype(np.int64),
        "day": rng.integers(1, 32, n),
        "duration": np.clip(rng.lognormal(5.2, 0.85, n), 0, 4_918).astype(np.int64),
        "campaign": np.minimum(rng.geometric(0.36, n), 63),
        "pdays": np.where(before, np.clip(rng.normal(225, 115, n), 1, 871).astype(np.int64), -1),
        "previous": np.where(before, np.minimum(rng.geometric(0.31, n), 275), 0),
    }
    odds = log_odds(pd.DataFrame(rows))
    rows["y"] = np.where(rng.random(n) < 1 / (1 + np.exp(-odds)), "yes", "no")
    tables.write_csv(directory / FILES[0].name, pd.DataFrame(rows)[list(COLUMNS)], sep=";", quote_text=True)


def log_odds(calls: pd.DataFrame, before_call: bool = False) -> npt.NDArray[np.float64]:
    """What the sample's `y` is drawn from, (N,): a word's effect, contacts that tire, and seconds that interest."""
    known = sum(calls[name].map(effects).fillna(0.0).astype(float) for name, effects in EFFECTS.items())
    known = 1.25 * (known - 0.12 * calls["campaign"] + 0.25 * np.arcsinh(calls["balance"] / 500)) - 2.3
    seconds = np.log1p(calls["duration"]) - 5.2
    return np.asarray(known if before_call else known + 2.6 * seconds, dtype=np.float64)


def facts(directory: Path) -> pd.DataFrame:
    """The table that the suite looks at, a row a call, with a 1 where it is what `sums` counts below."""
    rows = _read(directory)
    never, known = rows["pdays"] == -1, rows["poutcome"] != "unknown"
    return rows.assign(
        copy=tables.copies(rows),
        contradiction=((never & known) | (never != (rows["previous"] == 0))).astype("int64"),
        unrecorded=(~never & ~known).astype("int64"),
    )


def expectations(sample: bool = False) -> list[Any]:
    """What must hold for the table of facts: the suite of Great Expectations."""
    yes = (0.1, 0.135) if sample else (0.1169, 0.1171)  # measured 11.70 %; that of a sample is drawn
    unrecorded = 0 if sample else 5
    sums = {
        "copy": (0, 0, "No row is the same as an earlier one"),
        "contradiction": (0, 0, "pdays is -1 just where previous is 0, and poutcome is unknown there"),
        "unrecorded": (unrecorded, unrecorded, f"{unrecorded} clients were contacted before, outcome not on record"),
    }
    return table_suites.expectations(
        COLUMNS,
        Habits(
            rows=(SAMPLE_ROWS if sample else ROWS)["all"],
            shares={"yes": yes, "no": (1 - yes[1], 1 - yes[0])},
            sums=sums,
            **HABITS,
        ),
    )


def load(directory: Path) -> Table:
    """The calls; label 1 where the client took the deposit. A HandbookError says what is wrong with the file."""
    rows = _read(directory)
    labels = tables.labels(directory / FILES[0].name, rows["y"], {"no": 0, "yes": 1})
    return Table(rows.drop(columns="y"), labels, CLASSES)


def _read(directory: Path) -> pd.DataFrame:
    return tables.read_csv(directory / FILES[0].name, COLUMNS, sep=";")
