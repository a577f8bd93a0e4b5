"""What is asked about tables: a sound one is accepted, and each spoiled one refused by the right question."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from handbook.data.table_suites import Habits, expectations
from tests.toys import refused_by

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
COLUMNS = {"age": int, "word": str, "y": str}
HABITS = Habits(
    rows=40, ranges={"age": (18, 95)}, words={"word": ("a", "b"), "y": ("no", "yes")}, means={"age": (30, 50)},
    target="y", shares={"yes": (0.2, 0.3)}, sums={"copy": (0, 0, "No row stands there twice")},
)  # fmt: skip


def table() -> pd.DataFrame:
    """Forty rows, a quarter of them yes."""
    rows = np.arange(40)
    facts = {
        "age": 20 + rows,
        "word": np.array(["a", "b"])[rows % 2],
        "y": np.array(["no", "yes"])[(rows % 4 == 0) * 1],
    }
    return pd.DataFrame(facts | {"copy": 0}).astype({"word": "str", "y": "str"})


@pytest.fixture(scope="module")
def refused() -> Callable[[pd.DataFrame], set[str]]:
    return refused_by(expectations(COLUMNS, HABITS))


def test_a_sound_table_is_accepted(refused: Callable[[pd.DataFrame], set[str]]) -> None:
    assert refused(table()) == set()


def test_each_fault_of_a_spoiled_table_is_refused_by_the_question_that_is_about_it(
    refused: Callable[[pd.DataFrame], set[str]],
) -> None:
    facts = table()
    older = (facts["age"] + 20.0).mask(facts.index == 0, 17)
    spoiled = facts.assign(age=older, word=facts["word"].mask(facts.index == 1), y="no", copy=(facts.index == 3) * 1)
    assert refused(spoiled.iloc[:-1][["word", "age", "y", "copy"]]) == {
        "There are 40 rows",
        "The columns are, in this order: age, word, y, copy",
        "age is a whole number (int64)",
        "No word is missing",
        "Every age is from 18 to 95",
        "y is one of no, yes",
        "The mean of age is 30 to 50",
        "20.00% to 30.00% of the rows have y yes",
        "No row stands there twice",
    }


def test_a_page_that_counts_for_itself_is_asked_for_no_number_of_rows() -> None:
    import dataclasses

    kinds = [each.expectation_type for each in expectations(COLUMNS, dataclasses.replace(HABITS, rows=None, shares={}))]
    assert "expect_table_row_count_to_equal" not in kinds
    assert len(kinds) == len(expectations(COLUMNS, HABITS)) - 2
