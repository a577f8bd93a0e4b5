"""Rows of two classes: learnt from, chosen by, or judged by."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook.data import partition
from handbook.data.tables import Table
from handbook.project import Project
from tests.conftest import ROOT


def test_a_row_is_learnt_from_or_chosen_by_or_judged_by() -> None:
    task = Project(ROOT).case("boosting").params
    rows = pd.DataFrame({"duration": np.arange(300), "age": 1})
    part = partition.rows(Table(rows, np.arange(300) % 2, ("no", "yes")), task)
    assert part.valid is not None
    used = [set(each.features["duration"]) for each in (part.train, part.valid, part.test)]
    assert sum(map(len, used)) == len(set.union(*used)) == 300
    assert len(part.test) == 99
    with pytest.raises(ValueError, match="no column 'no such'"):
        partition.rows(
            Table(rows, np.arange(300) % 2, ("no", "yes")), dataclasses.replace(task, leave_out=("no such",))
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_share": 1.0}, "shares must be"),
        ({"validation_share": 0.0}, "threshold: null is chosen"),
        ({"false_negative": 0.0}, "costs must be above 0"),
    ],
)
def test_a_task_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(Project(ROOT).case("rbf").params, **change)


def test_without_a_share_to_choose_by_all_other_rows_are_learnt_from_and_the_test_rows_are_the_same() -> None:
    task = dataclasses.replace(Project(ROOT).case("rbf").params, leave_out=())
    rows = Table(pd.DataFrame({"age": np.arange(300)}), np.arange(300) % 2, ("no", "yes"))
    whole = partition.rows(rows, dataclasses.replace(task, validation_share=0.0, threshold=0.5))
    part = partition.rows(rows, task)
    assert whole.valid is None
    assert whole.test.features.equals(part.test.features)
    assert sorted(whole.train.features["age"]) == sorted(part.development.features["age"])


def test_the_test_rows_are_those_of_scikit_learn() -> None:
    from sklearn.model_selection import train_test_split

    task = dataclasses.replace(Project(ROOT).case("rbf").params, leave_out=())
    rows = Table(pd.DataFrame({"age": np.arange(300)}), np.arange(300) % 2, ("no", "yes"))
    theirs = train_test_split(np.arange(300), test_size=task.test_share, random_state=task.split_seed)[1]
    assert partition.rows(rows, task).test.features["age"].tolist() == theirs.tolist()


def test_what_is_left_out_is_seen_by_no_part() -> None:
    rows = Table(pd.DataFrame({"a": [1, 2], "b": [3, 4], "c": [5, 6]}), np.array([0, 1]), ("no", "yes"))
    assert list(partition.without(rows, ("c", "a")).features) == ["b"]
    with pytest.raises(ValueError, match=r"^leave_out: no column 'd'; the columns are a, b, c$"):
        partition.without(rows, ("a", "d"))
