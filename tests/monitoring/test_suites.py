"""Expectations that a part of the data inherits from the whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from handbook import datasets
from handbook.monitoring import suites
from handbook.project import Project
from tests.conftest import ROOT

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


@pytest.mark.parametrize("name", Project(ROOT).datasets())
def test_of_every_expectation_it_is_known_whether_a_part_inherits_it(name: str) -> None:
    page = datasets.page(name)
    for sample in (True, False):
        whole = page.expectations(sample)
        part = suites.suite(whole)
        assert 0 < len(part) < len(whole)
        assert not [each for each in part if "row_count" in each.expectation_type or "mean" in each.expectation_type]


@pytest.mark.parametrize("name", ["bank_marketing", "credit_card_transactions", "iris", "mnist"])
def test_every_part_of_the_data_meets_what_it_inherits(name: str, samples: Callable[[str], Path]) -> None:
    import great_expectations as gx

    page = datasets.page(name)
    facts = page.facts(samples(name))
    if name == "iris":  # its sample has a flower twice, which a part inherits only where its suite says none
        facts = facts[facts["copy"] == 0]
    suite = gx.ExpectationSuite(name="part", expectations=suites.suite(page.expectations(True)))
    batch = gx.get_context(mode="ephemeral").data_sources.add_pandas("p").add_dataframe_asset("a")
    whole = batch.add_batch_definition_whole_dataframe("b")
    for seed in range(2):
        part = facts.sample(40, random_state=seed).sort_index()
        found = whole.get_batch({"dataframe": part}).validate(suite)
        assert found.success, [each.expectation_config for each in found.results if not each.success]
