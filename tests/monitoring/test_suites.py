"""Expectations that a part of the data inherits from the whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def test_order_is_no_property_of_a_part_nor_are_values_that_the_case_ignores() -> None:
    page = datasets.page("credit_card_transactions")
    whole = page.expectations(True)

    def columns(kept: list[Any]) -> list[tuple[str, Any]]:
        return [(each.expectation_type, getattr(each, "column", None)) for each in kept]

    assert "disorder" in [column for _, column in columns(whole)]
    assert "disorder" not in [column for _, column in columns(suites.suite(whole))]
    of_time = [kind for kind, column in columns(suites.suite(whole, ignored={"Time"})) if column == "Time"]
    assert sorted(of_time) == sorted(suites.ALWAYS)
    assert ("expect_column_values_to_be_between", "Amount") in columns(suites.suite(whole, ignored={"Time"}))


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
