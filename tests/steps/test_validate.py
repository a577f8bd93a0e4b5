"""Validating a dataset: the same outcome every time, and a refusal changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.steps import validate


def kept(gx: Path) -> dict[str, str]:
    """What git keeps of a Great Expectations folder."""
    return {
        str(path.relative_to(gx)): path.read_text()
        for path in gx.rglob("*")
        if path.suffix in (".json", ".yml") and "uncommitted" not in path.parts and "_sample" not in path.name
    }


def test_validating_again_changes_nothing_that_git_keeps(project: Project) -> None:
    before = kept(project.gx)
    validate.validate(project, "mnist")
    outcome = (project.reports("mnist") / "validation.json").read_bytes()
    validate.validate(project, "mnist")
    assert kept(project.gx) == before
    assert (project.reports("mnist") / "validation.json").read_bytes() == outcome
    assert json.loads(outcome)["data"] == "sample"


def test_a_refusal_leaves_the_earlier_outcome_in_place(project: Project) -> None:
    validate.validate(project, "mnist")
    path = project.reports("mnist") / "validation.json"
    before = path.read_bytes()
    (project.data("mnist") / "t10k-labels-idx1-ubyte.gz").write_bytes(b"no")
    with pytest.raises(HandbookError, match="is damaged"):
        validate.validate(project, "mnist")
    assert path.read_bytes() == before
