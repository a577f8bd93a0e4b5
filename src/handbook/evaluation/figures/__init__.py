"""Figures, by subject: arrays in, a Figure out, with the finding as its title. No pyplot: no state and no display."""

from handbook.evaluation.figures.charts import (
    bars,
    learning_curves,
    panels,
    paths,
    projection,
    ranking,
    scatter,
    shares,
    tree,
)
from handbook.evaluation.figures.classes import binary_reliability, confusion, cumulative, curves, gain, reliability
from handbook.evaluation.figures.pictures import (
    attributions,
    feature_maps,
    filters,
    gallery,
    mosaic,
    passage,
    receptive_fields,
    specimens,
)
from handbook.evaluation.figures.style import BLUE, GREY, INK, ORANGE, canvas, mark_form, mark_sample

__all__ = [
    "BLUE",
    "GREY",
    "INK",
    "ORANGE",
    "attributions",
    "bars",
    "binary_reliability",
    "canvas",
    "confusion",
    "cumulative",
    "curves",
    "feature_maps",
    "filters",
    "gain",
    "gallery",
    "learning_curves",
    "mark_form",
    "mark_sample",
    "mosaic",
    "panels",
    "passage",
    "paths",
    "projection",
    "ranking",
    "receptive_fields",
    "reliability",
    "scatter",
    "shares",
    "specimens",
    "tree",
]
