"""A lab as files: its checks to six digits, its figures, and a mark where they show sample data."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handbook import datasets, labs
from handbook.data import provenance
from handbook.errors import HandbookError
from handbook.evaluation.figures import canvas
from handbook.project import Project
from handbook.steps import lab


def toy(dataset: str | tuple[str, ...] | None) -> Any:
    """A lab that counts what it is given, and draws and moves nothing."""

    def animations(*given: Any) -> dict[str, Any]:
        return {"moving": lambda path: path.write_bytes(b"GIF89a")}

    page = SimpleNamespace(
        checks=lambda *given: {"third": 1 / 3, "holds": True, "given": len(given)},
        figures=lambda *given: {"still": canvas()[0]}, animations=animations,
    )  # fmt: skip
    if dataset:
        page.DATASET = dataset
    return page


@pytest.mark.parametrize(("dataset", "given"), [(None, 0), ("iris", 1), (("iris", "boston"), 2)])
def test_a_lab_leaves_checks_and_figures_and_says_which_data_it_shows(
    dataset: str | tuple[str, ...] | None, given: int, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labs, "page", lambda name: toy(dataset))
    lab.lab(project, "toy")
    home: Path = project.root / "reports" / "labs" / "toy"
    checks = json.loads((home / "checks.json").read_text())
    assert checks.pop("data", "none") == ("sample" if dataset else "none")
    assert checks == {"third": 0.333333, "holds": True, "given": given}
    assert sorted(path.name for path in (home / "figures").iterdir()) == ["moving.gif", "still.png"]


def test_a_lab_is_given_its_data_in_the_order_of_their_names_and_one_that_is_drawn_marks_all(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = toy(("iris", "boston"))
    page.checks = lambda flowers, houses: {"flowers": len(flowers), "houses": len(houses)}
    monkeypatch.setattr(labs, "page", lambda name: page)
    kinds = {"iris": "real", "boston": "sample"}
    monkeypatch.setattr(provenance, "verify", lambda page, folder: {"kind": kinds[folder.name]})
    path = project.reports("labs") / "toy" / "checks.json"
    sizes = {name: datasets.page(name).SAMPLE_ROWS["all"] for name in kinds}
    expected = {"flowers": sizes["iris"], "houses": sizes["boston"]}
    lab.lab(project, "toy")
    assert json.loads(path.read_text()) == expected | {"data": "sample"}
    kinds["boston"] = "real"
    lab.lab(project, "toy")
    assert json.loads(path.read_text()) == expected | {"data": "real"}


def test_a_lab_without_its_data_is_an_error_before_anything_is_written(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labs, "page", lambda name: toy("iris"))
    (project.data("iris") / "provenance.json").unlink()
    with pytest.raises(HandbookError, match="iris"):
        lab.lab(project, "toy")
    assert not (project.root / "reports" / "labs").exists()
