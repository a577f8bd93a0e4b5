"""What must not be committed is refused, with the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.steps import check
from handbook.steps.report import readme
from tests.conftest import ROOT


def spoiled_checkout(tmp_path: Path) -> Project:
    """A copy of what git holds of the results."""
    import shutil

    for name in ("params.yaml", "dvc.lock", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    for path in (ROOT / "reports").rglob("*.json"):
        if path.name in ("metrics.json", "validation.json", "checks.json", "seeds.json", "built.json"):
            (tmp_path / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tmp_path / path.relative_to(ROOT))
    return Project(tmp_path)


def _as_sample(project: Project) -> None:
    path = project.reports("lenet") / "metrics.json"
    path.write_text(path.read_text().replace('"data": "real"', '"data": "sample"'))


def _other_number(project: Project) -> None:
    path = project.reports("lenet") / "metrics.json"
    path.write_text(path.read_text().replace('"accuracy": 0.9', '"accuracy": 0.8', 1))


def _other_readme(project: Project) -> None:
    path = project.root / "README.md"
    path.write_text(path.read_text().replace(readme.START, readme.START + "\n| best | 100.00 % |"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_as_sample, r"reports/lenet/metrics\.json was made from sample data"),
        (_other_number, r"dvc\.lock was written with another reports/lenet/metrics\.json"),
        (_other_readme, r"README\.md does not show the results"),
    ],
)
def test_the_check_refuses_what_must_not_be_committed(spoil: Any, message: str, tmp_path: Path) -> None:
    project = spoiled_checkout(tmp_path)
    check.check(project)
    spoil(project)
    with pytest.raises(HandbookError, match=message):
        check.check(project)
