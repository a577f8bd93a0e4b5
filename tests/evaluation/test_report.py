"""A judge looks at pictures through its own page, and a report that says nothing has nothing in it."""

from __future__ import annotations

import dataclasses
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from handbook.evaluation.report import Judge, Report


def page_of_means() -> ModuleType:
    """A page that sees each picture's mean, and is sure of class 1 as far as it is bright."""
    page = ModuleType("means")

    def features(model: float, images: Any) -> Any:
        return model * images.reshape(len(images), -1).mean(axis=1, keepdims=True)

    def probabilities(model: float, images: Any) -> Any:
        bright = features(1 / 255, images)
        return np.hstack([1 - bright, bright]).tolist()  # a page may give what becomes an array

    vars(page).update(features=features, probabilities=probabilities)
    return page


def test_a_judge_sees_what_its_page_sees_with_its_own_model() -> None:
    pictures = np.stack([np.zeros((4, 4)), np.full((4, 4), 255), np.eye(4) * 255]).astype(np.uint8)
    for model in (1.0, 3.0):
        judge = Judge(page_of_means(), model)
        np.testing.assert_allclose(judge.features(pictures)[:, 0], model * np.array([0, 255, 63.75]))
        np.testing.assert_allclose(judge.probabilities(pictures), [[1, 0], [0, 1], [0.75, 0.25]])


def test_two_reports_share_no_figure_and_none_can_be_changed() -> None:
    one, other = (Report({"accuracy": 1.0}, {"accuracy": 0.5}, {}) for _ in range(2))
    one.tables["gain"] = [{"lift": 1.0}]
    assert other.tables == {}
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.finding = "all is well"  # type: ignore[misc]
