"""Charts: what is drawn has the heights of what was given."""

from __future__ import annotations

import numpy as np

from handbook.evaluation.figures import charts, shares


def test_shares_are_drawn_a_bar_a_class_and_group() -> None:
    figure = shares(list("abc"), {"made": np.array([0.2, 0.3, 0.5]), "real": np.full(3, 1 / 3)}, "shares", (0.1,))
    assert [round(bar.get_height()) for bar in figure.axes[0].patches] == [20, 30, 50, 33, 33, 33]


def test_learning_curves_show_every_epoch_and_the_held_out_part_where_there_is_one() -> None:
    rows = [{"epoch": k, "train_loss": 1 / k, "valid_loss": 2 / k, "valid_accuracy": 1 - 1 / k} for k in (1, 2, 4)]
    loss, score = charts.learning_curves(rows, "title").axes
    assert [line.get_ydata().tolist() for line in loss.lines] == [[1, 0.5, 0.25], [2, 1, 0.5]]
    assert score.lines[0].get_ydata().tolist() == [0, 50, 75]
    alone = charts.learning_curves([{"epoch": 1, "train_loss": 1.0}], "title").axes
    assert [line.get_label() for line in alone[0].lines] == ["training"]
    assert len(alone) == 1


def test_the_first_of_a_ranking_is_on_top() -> None:
    axes = charts.ranking(["best", "other"], np.array([0.9, 0.7]), np.array([[0.8, 1], [0.6, 0.8]]), "t", "x").axes[0]
    above = axes.transData.transform([(0, place) for place in axes.get_yticks()])[:, 1]
    assert above[0] > above[1]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["best", "other"]


def test_an_axis_is_logarithmic_where_it_spans_more_than_a_decade_and_begins_above_nothing() -> None:
    wide, narrow, zero = (np.array(each, float) for each in ([0.1, 1, 10], [1, 2, 3], [0, 1, 100]))
    groups = {name: {"line": (x, x)} for name, x in (("wide", wide), ("narrow", narrow), ("zero", zero))}
    scales = [axes.get_xscale() for axes in charts.panels(groups, "t", ["x"] * 3, "y").axes]
    assert scales == ["log", "linear", "linear"]
