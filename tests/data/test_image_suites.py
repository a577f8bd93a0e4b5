"""What is asked about labelled pictures: a sound table is accepted, a spoiled one refused fault by fault."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from handbook.data.image_suites import Habits, expectations
from tests.toys import refused_by

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
CLASSES = ("shirt", "shoe")
HABITS = Habits(share=(0.4, 0.6), ink=(0.05, 0.9), ink_of_class={1: (0.1, 0.3)})


def table() -> pd.DataFrame:
    """Facts of twenty pictures for training and ten for testing, a shirt with half its pixels inked, a shoe a fifth."""
    rows = [
        (split, label, 28, 28, 0, 255, 60.0, (0.5, 0.2)[label], f"{split}{number}")
        for split, count in (("train", 20), ("test", 10))
        for number in range(count)
        for label in (number % 2,)
    ]
    names = ["split", "label", "rows", "columns", "darkest", "brightest", "mean", "ink", "digest"]
    facts = pd.DataFrame(rows, columns=names)
    return facts.astype({"split": "str", "digest": "str"})


@pytest.fixture(scope="module")
def refused() -> Callable[[pd.DataFrame], set[str]]:
    return refused_by(expectations({"train": 20, "test": 10}, CLASSES, HABITS))


def test_a_sound_table_is_accepted(refused: Callable[[pd.DataFrame], set[str]]) -> None:
    assert refused(table()) == set()


def test_each_fault_of_a_spoiled_table_is_refused_by_the_question_that_is_about_it(
    refused: Callable[[pd.DataFrame], set[str]],
) -> None:
    facts = table()
    spoiled = facts.assign(
        label=1 - facts["label"],
        digest=facts["digest"].mask(facts.index == 29, "train0"),
        rows=27,
        brightest=facts["brightest"].mask(facts.index == 3, 1),
    )
    assert refused(spoiled.iloc[1:]) == {
        "train labels are in step with the pictures: those of class 1 (shoe) are 10% to 30% ink on average",
        "test labels are in step with the pictures: those of class 1 (shoe) are 10% to 30% ink on average",
        "train holds 20 pictures",
        "Every picture has 28 rows",
        "Every picture has a bright pixel, 200 to 255: none is blank or scaled to 0-1",
    }
    twice = "No picture appears twice, not even once in train and once in test"
    assert refused(facts.assign(digest=spoiled["digest"])) == {twice}
