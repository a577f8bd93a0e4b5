"""Judging a trained case: the same files every time, a card that hashes all of them, and sample written on all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.evaluation.examples import frame_of
from handbook.files.integrity import hashes
from handbook.project import Project
from handbook.steps import evaluate
from handbook.steps.given import rounded

NAME = "digits"


def test_a_case_is_judged_to_the_same_bytes_and_its_card_vouches_for_them(
    placed: Callable[..., Any], project: Project, judged: Any
) -> None:
    placed(NAME, score=0.123)
    evaluate.evaluate(project, NAME)
    home: Path = project.reports(NAME)
    before = hashes(home)
    metrics = json.loads((home / "metrics.json").read_text())
    assert metrics["data"] == "sample"
    assert metrics["accuracy"] == rounded(float(judged(NAME).metrics["accuracy"]))
    card = project.evaluated(NAME)
    assert card
    vouched = json.loads(card.read_text())["files"]
    assert {path: vouched[path] for path in vouched if path in before} == {
        path: before[path] for path in before if path.startswith(("figures/", "tables/", "confusion/"))
        or path in ("example.json", "metrics.json")
    }  # fmt: skip
    assert {f"model/{path}": each for path, each in hashes(project.models(NAME)).items()}.items() <= vouched.items()
    evaluate.evaluate(project, NAME)
    assert hashes(home) == before


def test_the_example_is_answered_as_the_model_answers(
    placed: Callable[..., Any], project: Project, fitted: Any
) -> None:
    placed(NAME)
    example = json.loads((project.reports(NAME) / "example.json").read_text())
    case, _, model = fitted(NAME)
    answers = case.page.predict(model, frame_of(example["inputs"]))
    assert frame_of(example["answers"])["label"].tolist() == answers["label"].tolist()


def test_without_a_model_nothing_is_judged(project: Project) -> None:
    with pytest.raises(HandbookError, match=r"no model here: it is not trained yet(?s:.*)dvc repro train@digits"):
        evaluate.evaluate(project, NAME)
    assert not project.reports(NAME).exists()
