"""Results as files: what is not of their shape is named, with the stage that makes it again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.files.formats import write_json
from handbook.project import Project
from handbook.registry import results

CASE: Any = SimpleNamespace(name="lenet", page=SimpleNamespace(PRIMARY="accuracy"))
METRICS = {
    "accuracy": 0.9, "data": "real", "baseline": {"accuracy": 0.1}, "book": {}, "interval": {"accuracy": [0.8, 0.95]},
}  # fmt: skip


def test_metrics_of_their_shape_are_read_as_they_are(tmp_path: Path) -> None:
    write_json(tmp_path / "reports" / "lenet" / "metrics.json", METRICS)
    assert results.metrics(Project(tmp_path), CASE) == METRICS
    assert results.kind(Project(tmp_path), "lenet", "metrics.json") == "real"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"accuracy": None}, "expected a number as `accuracy`, found null"),
        ({"accuracy": float("nan")}, "expected a number as `accuracy`"),
        ({"data": "toy"}, "expected real or sample as `data`, found 'toy'"),
        ({"baseline": {}}, "expected `accuracy` in `baseline`"), ({"baseline": 3}, "expected an object as `baseline`"),
        ({"interval": {"accuracy": 3}}, "expected a list as `accuracy` in `interval`"),
        ({"interval": {"accuracy": [0.8]}}, "expected two numbers as `accuracy`"),
        ({"interval": {"accuracy": [0.8, "1"]}}, "expected two numbers as `accuracy`"),
    ],
)  # fmt: skip
def test_metrics_of_another_shape_are_named(change: dict[str, Any], fault: str, tmp_path: Path) -> None:
    write_json(tmp_path / "reports" / "lenet" / "metrics.json", METRICS | change)
    with pytest.raises(HandbookError) as refused:
        results.metrics(Project(tmp_path), CASE)
    assert fault in str(refused.value)
    assert "dvc repro --force evaluate@lenet" in str(refused.value)


def test_what_was_never_made_says_how_to_make_it(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert results.validation(project, "mnist") is None
    for read in (lambda: results.metrics(project, CASE), lambda: results.example(project, "lenet")):
        with pytest.raises(HandbookError, match=r"lenet is not evaluated yet\. Make it: dvc repro evaluate@lenet"):
            read()
    with pytest.raises(HandbookError, match="the lab has not run"):
        results.checks(project, "units")


def test_a_link_that_leads_nowhere_is_no_result_that_was_never_made(tmp_path: Path) -> None:
    (tmp_path / "reports" / "mnist").mkdir(parents=True)
    (tmp_path / "reports" / "mnist" / "validation.json").symlink_to("gone")
    with pytest.raises(HandbookError, match="it is a link to gone, which is not there"):
        results.validation(Project(tmp_path), "mnist")
