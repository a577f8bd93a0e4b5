"""Groups of rows: each row is in one, and shares are counted with an interval that holds for few rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from handbook import contract
from handbook.data.tables import Table
from handbook.evaluation.report import Report
from handbook.monitoring import groups
from tests.monitoring.toys import BANK


def test_every_row_is_in_one_band_and_an_edge_begins_its_own() -> None:
    found = groups.bands(pd.Series([18, 29, 30, 39.5, 60, 95]), (30.0, 40.0, 60.0))
    assert found.tolist() == ["below 30", "below 30", "30 to 40", "30 to 40", "60 and more", "60 and more"]
    assert groups.bands(pd.Series(["b", "a"], dtype="str"), ()).tolist() == ["b", "a"]


@pytest.mark.parametrize(("hits", "of"), [(0, 20), (3, 20), (20, 20), (250, 1000)])
def test_the_interval_is_wilsons(hits: int, of: int) -> None:
    theirs = binomtest(hits, of).proportion_ci(method="wilson")
    assert groups.wilson(hits, of) == pytest.approx([theirs.low, theirs.high], abs=1e-6)


def test_hits_and_misses_are_counted() -> None:
    found = groups.counted(np.array([1, 1, 1, 0, 0]), np.array([1, 1, 0, 1, 0]))
    assert (found["recall"], found["precision"], found["accuracy"]) == (2 / 3, 2 / 3, 3 / 5)
    assert (found["rows"], found["sought"], found["called"]) == (5, 0.6, 0.6)
    none = groups.counted(np.array([0, 0]), np.array([0, 0]))
    assert (none["recall"], none["precision"]) == (None, None)
    assert list(none["interval"]) == ["accuracy"]


def test_the_banks_groups_are_columns_of_its_table() -> None:
    wanted = contract.watched(BANK).groups
    assert list(wanted) == ["age", "marital", "job"]
    assert set(wanted) <= set(BANK.COLUMNS)


def test_what_a_report_has_called_the_rows_is_not_asked_again() -> None:
    rows = Table(pd.DataFrame({"age": [20, 30]}), np.array([0, 1]), ("no", "yes"))
    lines = [{"actual": "no", "predicted": "yes"}, {"actual": "yes", "predicted": "no"}]
    called = groups._called(Report({}, {}, {}, tables={"confusion": lines}), rows)
    assert called is not None and called.tolist() == [1, 0]
    assert groups._called(Report({}, {}, {}, tables={"confusion": lines[:1]}), rows) is None
    assert groups._called(None, rows) is None
