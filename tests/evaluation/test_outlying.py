"""Laws of scores of outlyingness: what lies apart stands out, a robust score is not moved by what it looks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import LocalOutlierFactor

from handbook.evaluation import outlying

SCORES: list[Callable[..., Any]] = [
    outlying.robust_covariance, outlying.isolation_forest, outlying.local_outlier_factor, outlying.autoencoder,
]  # fmt: skip


@pytest.fixture
def rows() -> np.ndarray:
    """Ten numbers, of which the last five are the first over again, but for noise: something to squeeze."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 10)).astype(np.float32)
    x[:, 5:] = x[:, :5] + rng.normal(0, 0.2, (600, 5))
    return x


@pytest.mark.parametrize("score", SCORES)
def test_what_lies_apart_has_the_greatest_score_and_the_same_one_twice(score: Callable[..., Any], rows: Any) -> None:
    apart = rows[:1].copy()
    apart[0] = np.where(np.arange(10) < 5, 4, -4)
    new = np.vstack([rows[1:200], apart])
    found = score(rows, new)
    assert found.shape == (200,)
    assert found.argmax() == 199
    np.testing.assert_array_equal(found, score(rows, new))


def test_the_autoencoder_has_learnt_to_give_back_what_the_rows_have_in_common(rows: Any) -> None:
    given_back = outlying.autoencoder(np.tile(rows, (20, 1)), rows, d=5)
    assert given_back.mean() < 0.1 * np.square(rows).sum(axis=1).mean()


def test_a_fifth_of_outliers_hides_itself_from_the_covariance_and_not_from_the_robust_one(rows: Any) -> None:
    both = np.vstack([rows, rows[:150] + 6])
    away = both - both.mean(axis=0)
    plain = (away @ np.linalg.inv(np.cov(both, rowvar=False)) * away).sum(axis=1)
    robust = outlying.robust_covariance(both, both)
    assert (robust[-150:].min() > robust[:-150]).mean() > 0.99
    assert (plain[-150:].min() > plain[:-150]).mean() < 0.9


def test_the_robust_distance_does_not_depend_on_units(rows: Any) -> None:
    units = np.array([1, 10, 0.1, 7, 3, 1, 2, 5, 0.5, 1], np.float32)
    one, other = outlying.robust_covariance(rows, rows), outlying.robust_covariance(rows * units, rows * units)
    np.testing.assert_allclose(one, other, rtol=1e-3)


def test_the_local_outlier_factor_is_scikit_learns_and_of_many_rows_that_of_a_part(rows: Any, monkeypatch: Any) -> None:
    theirs = -LocalOutlierFactor(20, novelty=True).fit(rows).score_samples(rows[:50])
    np.testing.assert_allclose(outlying.local_outlier_factor(rows, rows[:50]), theirs)
    monkeypatch.setattr(outlying, "LEARNT", 400)
    part = rows[np.random.default_rng(0).choice(len(rows), 400, replace=False)]
    of_part = -LocalOutlierFactor(20, novelty=True).fit(part).score_samples(rows[:50])
    np.testing.assert_allclose(outlying.local_outlier_factor(rows, rows[:50]), of_part)
    assert np.isfinite(outlying.local_outlier_factor(rows[:10], rows[:50], 500)).all()  # fewer rows than neighbours
