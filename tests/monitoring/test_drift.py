"""Drift is found and noise is not: corrected p-values, and the share of the rows that moved."""

from __future__ import annotations

import dataclasses

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


def test_holm_corrects_as_in_his_table_and_never_below_the_p_itself() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.005])
    assert drift.holm(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    many = np.random.default_rng(0).random(30)
    assert (drift.holm(many) >= many).all()
    assert (drift.holm(many) <= np.minimum(1, 30 * many)).all()


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
    theirs = ks_2samp(here, there, method="asymp")
    assert (found.p, found.moved) == pytest.approx((theirs.pvalue, theirs.statistic))


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
        ({"least_rows": 1}, "^fall and settle must be 0 or more, least_rows 2 or more$"),
    ],
)
def test_limits_out_of_range_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(LIMITS, **change)
