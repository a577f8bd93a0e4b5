"""Marks on figures: a sample says so across the picture and below it, and a form of the data below it."""

from __future__ import annotations

from handbook.evaluation.figures import style


def test_a_sample_is_marked_on_the_picture_and_below_and_no_figure_by_itself() -> None:
    figure, axes = style.canvas(2, 3)
    assert axes.shape == (2, 3)
    assert not figure.texts
    style.mark_sample(figure)
    assert [text.get_text() for text in figure.texts] == ["SAMPLE DATA", "made from sample data: not a result"]
    x, y = figure.texts[0].get_position()
    assert (x, y) == (0.5, 0.5)


def test_a_form_stands_below_and_leaves_the_picture_free() -> None:
    figure, _ = style.canvas()
    style.mark_form(figure, "pokemon", "part")
    assert [text.get_text() for text in figure.texts] == ["data: pokemon (part)"]
    assert figure.get_supxlabel() == "data: pokemon (part)"
