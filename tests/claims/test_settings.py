"""The settings that the book prints of its recipes: a test a row, which holds the judgement against our block."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from handbook import claims
from handbook.claims import setting, settings_networks, settings_tables
from handbook.claims.setting import OUTCOMES, Setting
from handbook.project import RECIPE, Project
from tests.conftest import ROOT

ROWS = list(claims.settings())
RECIPES = [name for name in Project(ROOT).cases() if name.endswith(RECIPE)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.case} {row.what}")
def test_the_judgement_of_a_setting_is_what_the_block_says(row: Setting) -> None:
    params, full = (Project(ROOT).case(row.case, preset=preset).params for preset in ("laptop", "book"))
    found = row.judged(params, full)
    assert found == row.verdict, f"printed {row.printed}, ours {row.shown(params)}, in full {row.shown(full)}"
    assert row.judged(full, full) == ("another" if row.verdict == "another" else "the same")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.case} {row.what}")
def test_a_setting_has_its_recipe_and_a_reason_where_it_is_not_the_same(row: Setting) -> None:
    assert row.case in RECIPES
    assert row.verdict in OUTCOMES
    assert bool(row.reason) == (row.verdict != "the same")
    assert not any("|" in text or "\n" in text for text in (row.what, row.printed, row.reason))


def test_every_recipe_of_the_book_has_its_settings_and_none_stands_twice() -> None:
    assert {row.case for row in ROWS} == set(RECIPES)
    assert len(ROWS) == len(settings_networks.SETTINGS) + len(settings_tables.SETTINGS) >= 90
    assert [each for each, times in Counter((row.case, row.what) for row in ROWS).items() if times > 1] == []
    assert {row.section for row in claims.settings("6")} == {"6.7", "6.8"}
    assert list(claims.settings("6.7.1")) == []


@pytest.mark.parametrize(
    ("case", "change", "what"),
    [
        ("lenet_book", {"standardise": True}, "intensities"),
        ("gan_book", {"two_updates": False}, "updates of the discriminator a step"),
        ("gan_book", {"loss": "hinge", "two_updates": False}, "the loss is the binary cross-entropy"),
        ("rbf_book", {"width": 1.0}, "activation at a distance of sigma, e to the power of −¼"),
        ("rbf_book", {"alphabetic": False}, "words are their place in the alphabet"),
        ("som_book", {"ignore": ()}, "attributes, A1 to A12"),
        ("char_lstm_book", {"weight_decay": 0.1}, "optimiser"),
    ],
)  # fmt: skip
def test_a_changed_block_is_no_longer_the_same(case: str, change: dict[str, object], what: str) -> None:
    (row,) = (each for each in ROWS if (each.case, each.what) == (case, what))
    params = dataclasses.replace(Project(ROOT).case(case).params, **change)
    assert row.judged(params, params) == "another"


def test_what_runs_in_full_is_shown_as_the_same() -> None:
    row = Setting("6.7", "gan_book", "steps", "10,000", lambda p: p, "the same in full", "a tenth")
    assert row.why(1000, 10_000) == "the same in full: a tenth"
    assert row.why(10_000, 10_000) == "the same"
    assert setting.Setting("6.7", "gan_book", "x", "1", lambda p: p, "another", "so").why(2, 3) == "another: so"


def test_what_is_looked_at_first_leaves_a_network_that_can_be_trained() -> None:
    params = Project(ROOT).case("dcgan_book").params
    settings_networks.of_dcgan.cache_clear()
    settings_networks.round_of.cache_clear()
    assert settings_networks.side_drawn(params) == 64
    assert not any(weight.is_inference() for weight in settings_networks.of_dcgan(params).parameters())
    assert settings_networks.round_of(settings_networks.dcgan, params)["generator"] == 1
