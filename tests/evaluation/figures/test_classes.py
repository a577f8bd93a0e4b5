"""Figures of classifiers: what is drawn is what was counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from handbook.evaluation.figures import classes


def test_a_confusion_shows_every_count_and_shades_the_shares_of_mistakes() -> None:
    matrix = np.array([[8, 2], [0, 5]])
    axes = classes.confusion(matrix, ["cat", "dog"], "title").axes[0]
    assert {text.get_position(): text.get_text() for text in axes.texts} == {(0, 0): "8", (1, 0): "2", (1, 1): "5"}
    np.testing.assert_allclose(axes.images[0].get_array(), [[0, 0.2], [0, 0]])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "actual")


def test_a_class_without_a_row_is_drawn_too() -> None:
    shades = classes.confusion(np.array([[0, 0], [1, 3]]), ["a", "b"], "title").axes[0].images[0].get_array()
    assert np.isfinite(np.asarray(shades)).all()


def test_curves_have_the_areas_of_the_trapezes_below_them() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    scores = labels + rng.normal(size=200)
    roc, precision = classes.curves(labels, {"model": scores}, "title").axes
    x, y = roc.lines[0].get_data()
    positive, negative = scores[labels == 1], scores[labels == 0]
    pairs = (positive[:, None] > negative[None, :]).mean()  # the area is the chance that a pair is in order
    assert np.trapezoid(y, x) == pytest.approx(pairs)
    assert f"area {pairs:.3f}" in roc.get_legend().get_texts()[0].get_text()
    assert precision.lines[1].get_ydata()[0] == pytest.approx(labels.mean())


def test_the_lift_is_the_slope_of_the_gain_and_the_fewest_rows_are_left_out() -> None:
    called = np.linspace(0, 1, 1001)
    found = np.minimum(1, 2 * called)
    curve, times = classes.gain(called, found, "title").axes
    np.testing.assert_array_equal(curve.lines[0].get_ydata(), found)
    x, y = times.lines[0].get_data()
    assert x.min() == pytest.approx(0.01)
    assert y[0] == pytest.approx(2)
    assert y[-1] == pytest.approx(1)


def test_bins_are_drawn_as_shares_of_all_predictions() -> None:
    arguments: tuple[Any, ...] = (np.array([0.2, 0.8]), np.array([0.1, 0.9]), np.array([30, 10]))
    bars = classes.reliability(*arguments, "title").axes[1].patches
    assert [bar.get_height() for bar in bars] == [0.75, 0.25]
    share, chance, count = arguments
    line = classes.binary_reliability(share, chance, count, "title").axes[0].lines[1]
    np.testing.assert_array_equal(line.get_xdata(), chance)
    np.testing.assert_array_equal(line.get_ydata(), share)


def test_the_share_below_rises_to_all() -> None:
    values = np.random.default_rng(0).gamma(2, size=500)
    x, y = classes.cumulative({"one": values, "twice": 2 * values}, "t", "x", "y").axes[0].lines[0].get_data()
    np.testing.assert_allclose(y, [(values < each).mean() for each in x])
    assert (np.diff(y) >= 0).all()
