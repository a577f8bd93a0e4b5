"""Pictures as a key: the same are equal and of one hash, and come back as they were; a sample is known by its size."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from handbook import contract, datasets, labs
from handbook.data import subsets
from handbook.data.subsets import WHOLE, Subset, plan_for, some_of


def test_the_first_pictures_come_back_and_the_same_are_the_same_key(samples: Callable[[str], Path]) -> None:
    data = datasets.page("mnist").load(samples("mnist"))
    part = Subset.first(data, 50, 20)
    pictures, labels, new, answers = part.flat()
    np.testing.assert_array_equal(pictures.reshape(-1, 28, 28), data.train_images[:50])
    np.testing.assert_array_equal(new.reshape(-1, 28, 28), data.test_images[:20])
    assert labels.tolist() == data.train_labels[:50].tolist()
    assert answers.tolist() == data.test_labels[:20].tolist()
    assert hash(part) == hash(Subset.first(data, 50, 20))
    assert part == Subset.first(data, 50, 20)
    assert part != dataclasses.replace(part, answers=bytes(20))


def test_no_more_are_taken_than_there_are(samples: Callable[[str], Path]) -> None:
    data = datasets.page("mnist").load(samples("mnist"))
    assert len(Subset.first(data, 10**9, 10**9).labels) == len(data.train_labels)


# Small as they are, real or drawn: the labs that show them do the same with both.
SMALL = ("boston", "credit_card_applications", "diabetes", "iris")
SHOWN = {name for lab in labs.names() for name in contract.lab(labs.page(lab)).datasets} - {*SMALL}


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_real_data_get_the_whole_plan_and_a_drawn_sample_the_other(name: str) -> None:
    page = datasets.page(name)
    rows = [count for part, count in page.ROWS.items() if part != "test"]
    assert {plan_for(count, "whole", "sample") for count in rows} == {"whole"}
    assert max(page.SAMPLE_ROWS.values()) < WHOLE


@pytest.mark.parametrize("name", SMALL)
def test_what_is_small_is_small_in_either_kind(name: str) -> None:
    page = datasets.page(name)
    assert page.ROWS == page.SAMPLE_ROWS


def test_of_a_drawn_table_the_first_rows_are_taken_and_a_real_one_stays_whole(
    samples: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = datasets.page("bank_marketing").load(samples("bank_marketing"))
    part = some_of(table, 100)
    assert part.features.equals(table.features.head(100))
    np.testing.assert_array_equal(part.target, table.target[:100])
    assert len(some_of(table, 10**9)) == len(table)
    monkeypatch.setattr(subsets, "WHOLE", len(table))
    assert some_of(table, 100) is table
