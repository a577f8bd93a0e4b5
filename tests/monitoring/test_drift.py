"""Drift is found and noise is not: corrected p-values, and the share of the rows that moved."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook.monitoring import drift, reading
from handbook.project import Project
from tests.monitoring.toys import BANK, drawn, held_out, learnt, shifted

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)

LIMITS = drift.Params(alpha=0.001, moved=0.1, fall=0.03, least_rows=100, settle=0.0)


def flagged(reference: pd.DataFrame, batch: pd.DataFrame) -> bool:
    columns = drift.compare(reference, batch, reading.words(BANK, batch), LIMITS)
    return any(column.drifted for column in columns)


def test_of_twenty_drifted_batches_nineteen_are_flagged_and_of_twenty_others_at_most_one(watched: Project) -> None:
    reference = learnt(watched)
    still = [flagged(reference, drawn(held_out(watched), seed)) for seed in range(20)]
    moved = [flagged(reference, shifted(drawn(held_out(watched), seed), seed)) for seed in range(20)]
    assert sum(still) <= 1
    assert sum(moved) >= 19


def test_what_has_moved_is_the_share_of_the_rows_that_moved() -> None:
    here = pd.DataFrame({"x": np.arange(1000.0), "w": ["a", "b"] * 500})
    there = here.assign(x=np.where(here["x"] < 200, 5000.0, here["x"]), w=["c"] * 250 + ["a", "b"] * 375)
    found = {each.column: each for each in drift.compare(here, there, ["w"], LIMITS)}
    assert found["x"].moved == pytest.approx(0.2)
    assert found["w"].moved == pytest.approx(0.25)
    assert found["x"].drifted
    assert found["w"].drifted


@pytest.mark.parametrize("kind", ["words", "numbers"])
def test_an_undrifted_batch_is_called_significant_as_seldom_as_alpha_says(kind: str) -> None:
    rng, found = np.random.default_rng(0), []
    limits = drift.Params(alpha=0.1, moved=1e-9, fall=0.03, least_rows=100, settle=0.0)
    words = [f"c{k}" for k in range(4)] if kind == "words" else []
    for _ in range(200):
        draws = rng.integers(0, 5, (900, 4)).astype(str) if words else rng.normal(size=(900, 4))
        rows = pd.DataFrame(draws, columns=[f"c{k}" for k in range(4)])
        found.append(any(each.drifted for each in drift.compare(rows[:600], rows[600:], words, limits)))
    assert sum(found) <= 200 * 0.1 + 3 * np.sqrt(200 * 0.1 * 0.9)


def test_the_gap_and_its_p_are_scipys_where_there_is_one_column() -> None:
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(1)
    here, there = rng.normal(size=300), rng.normal(0.3, size=200)
    (found,) = drift.compare(pd.DataFrame({"x": here}), pd.DataFrame({"x": there}), [], LIMITS)
    theirs = ks_2samp(here, there, method="exact")
    assert (found.p, found.moved) == pytest.approx((theirs.pvalue, theirs.statistic))


@pytest.mark.parametrize(("n", "m"), [(40, 1), (40, 3), (7, 12), (100, 100)])
def test_the_chance_of_a_gap_is_scipys_exact_one(n: int, m: int) -> None:
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(n + m)
    for shift in (0.0, 0.4, 1.0):
        theirs = ks_2samp(rng.normal(size=n), rng.normal(shift, size=m), method="exact")
        assert drift._chance_of_a_gap(n, m, theirs.statistic) == pytest.approx(theirs.pvalue, abs=1e-12)


def test_of_many_rows_the_counted_chance_and_the_formula_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    here, there = rng.normal(size=3000), rng.normal(0.06, size=1000)
    counted = drift._numbers(here, there)
    monkeypatch.setattr(drift, "COUNTED", 0)
    assert drift._numbers(here, there) == pytest.approx(counted, rel=0.03)


def test_words_too_rare_for_the_test_share_a_column_that_is_not() -> None:
    counts = np.array([[700.0, 250, 30, 15, 4, 1], [140, 50, 6, 3, 1, 0]])
    pooled = drift._pooled(counts)
    assert pooled.sum() == counts.sum()
    assert (pooled.sum(axis=0) * 200 / 1200 >= drift.FEWEST_EXPECTED).all()
    assert pooled.shape[1] == 3  # the last three are expected in 4 rows together, and take the third with them
    assert drift._pooled(np.array([[9.0, 1], [2, 0]])).shape == (2, 1)


def test_a_row_or_a_few_drawn_from_the_data_themselves_are_hardly_ever_called_drifted(
    samples: Callable[[str], Path],
) -> None:
    facts = reading.compared(BANK, BANK.facts(samples("bank_marketing")))
    rng, words = np.random.default_rng(0), reading.words(BANK, facts)
    order = rng.permutation(len(facts))
    here, rest, wrong = facts.iloc[order[:1500]], facts.iloc[order[1500:]], 0
    for rows in (1, 2, 5, 10, 30):
        for _ in range(40):
            batch = rest.iloc[rng.choice(len(rest), rows, replace=False)]
            wrong += any(each.drifted for each in drift.compare(here, batch, words, LIMITS))
    assert wrong <= 1  # 0.2 expected of 200 at most; one in fifty was, by Kolmogorov's and chi-squared's formulas


def test_what_is_detectable_is_what_is_just_significant_and_falls_with_more_rows() -> None:
    gap = drift.detectable(10_000, 1000, 5, 0.001)
    size = 10_000 * 1000 / 11_000
    assert 2 * np.exp(-2 * size * gap**2) == pytest.approx(0.001 / 5)  # Kolmogorov's tail at that gap
    assert drift.detectable(10_000, 4000, 5, 0.001) < gap < drift.detectable(10_000, 100, 5, 0.001) <= 1


def test_a_scale_or_a_new_order_of_the_rows_changes_nothing() -> None:
    rng = np.random.default_rng(2)
    here, there = (pd.DataFrame({"x": rng.normal(size=n), "w": rng.choice(["a", "b"], n)}) for n in (300, 200))
    before = drift.plain(drift.compare(here, there, ["w"], LIMITS))
    changed = [each.sample(frac=1, random_state=3).assign(x=lambda t: np.exp(t["x"])) for each in (here, there)]
    after = drift.plain(drift.compare(*changed, ["w"], LIMITS))
    for one, other in zip(before, after, strict=True):
        assert one == {key: pytest.approx(value) if isinstance(value, float) else value for key, value in other.items()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha": 1.0}, r"^alpha and moved must be in \(0, 1\), found 1\.0 and 0\.1$"),
        ({"drifted_of": (3, 2)}, r"^drifted_of must be two whole numbers, k of the last n, found \[3, 2\]$"),
        ({"least_rows": 1}, "^fall and settle must be 0 or more, least_rows 2 or more$"),
    ],
)
def test_limits_out_of_range_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(LIMITS, **change)
