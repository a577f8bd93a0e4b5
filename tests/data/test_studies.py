"""Laws of a lab's split: it is that of the cases, and results are kept by what the rows hold."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from handbook import datasets
from handbook.data.studies import KNOWN_AFTER_THE_CALL, TASK, Study, digest
from handbook.data.tables import Table
from handbook.datasets import bank_marketing
from handbook.project import Project
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def bank(samples: Any) -> Table:
    found: Table = datasets.page("bank_marketing").load(samples("bank_marketing"))
    return found


def test_the_settings_are_those_of_the_cases_on_the_bank_rows() -> None:
    params = Project(ROOT).case("boosting").params
    assert {name: getattr(params, name) for name in asdict(TASK)} == asdict(TASK)
    assert bank_marketing.KNOWN_AFTER_THE_CALL == KNOWN_AFTER_THE_CALL


def test_the_parts_are_those_that_a_case_splits(bank: Table) -> None:
    case = Project(ROOT).case("boosting_before_call")
    ours, theirs = Study.of(bank, bank_marketing.KNOWN_AFTER_THE_CALL), case.page.split(bank, case.params)
    for name in ("train", "valid", "test"):
        assert getattr(ours, name).features.equals(getattr(theirs, name).features)
    assert len(ours.development) + len(ours.test) == len(bank)


def test_a_study_is_the_same_for_the_same_cells_and_another_for_one_that_differs(bank: Table) -> None:
    same = Table(bank.features.set_index(bank.features.index + 7), bank.target, bank.classes)
    assert Study.of(bank) == Study.of(same)
    assert hash(Study.of(bank)) == hash(Study.of(same))
    for name, value in (("age", 19), ("job", "student")):
        features = bank.features.copy()
        features.loc[0, name] = value if bank.features.loc[0, name] != value else bank.features[name].iloc[1]
        assert digest(Table(features, bank.target, bank.classes)) != digest(bank), name
    assert digest(Table(bank.features, np.roll(bank.target, 1), bank.classes)) != digest(bank)
    assert digest(bank.take(np.arange(len(bank))[::-1])) != digest(bank)
    assert Study.of(bank) != Study.of(bank, ("duration",))
