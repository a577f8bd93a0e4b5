"""The promises that every lab keeps; no lab has code of its own here."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from handbook import contract, datasets, labs
from handbook.project import Project
from handbook.steps import lab
from tests.conftest import ROOT, drawn

HOME = ROOT / "src/handbook/labs"
PAGES = sorted(path for path in HOME.rglob("*.py") if path.parent != HOME or path.name != "__init__.py")


# what takes 4 s of a core or more on samples is held to its promises with `make proof`; its laws are tested here too
DEAR = (
    "autoencoders", "automl", "bank_by_time", "beyond", "classics", "dense_to_convolution", "few_labels", "forecasting",
    "gan_varieties", "kohonen_maps", "optimisers", "outliers", "rankings", "rbf_networks", "responsible_use",
    "unsupervised",
)  # fmt: skip
OFFERED = [pytest.param(name, marks=pytest.mark.slow) if name in DEAR else name for name in labs.names()]


@pytest.fixture(scope="module", params=OFFERED)
def page(request: pytest.FixtureRequest) -> ModuleType:
    return labs.page(request.param)


def given(page: ModuleType, samples: Any) -> tuple[Any, ...]:
    """What the lab's functions are called with: sample data, if it shows data at all."""
    return tuple(datasets.page(name).load(samples(name)) for name in contract.lab(page).datasets)


def test_every_lab_is_in_the_pipeline() -> None:
    assert sorted(Project(ROOT).labs()) == labs.names()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(HOME).as_posix())
def test_a_page_is_within_its_length_and_opens_with_a_docstring(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    assert text.startswith('"""')


def test_every_figure_renders_with_a_title(page: ModuleType, samples: Any) -> None:
    figures = page.figures(*given(page, samples))
    assert figures
    for name, figure in figures.items():
        titles = [figure.get_suptitle(), *(axes.get_title() for axes in figure.axes)]
        assert any(titles), f"{name} has no title"
        assert np.ptp(drawn(figure)) > 0, f"{name} is blank"


def test_checks_are_plain(page: ModuleType, samples: Any) -> None:
    facts = page.checks(*given(page, samples))
    assert facts
    assert all(type(value) in (bool, int, float) and np.isfinite(value) for value in facts.values())


@pytest.mark.slow  # all labs again, and in processes of their own, which remember nothing
@pytest.mark.parametrize("name", labs.names())
def test_checks_are_the_same_twice(name: str, samples: Any) -> None:
    data = given(labs.page(name), samples)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        first, second = pool.map(checks, [name] * 2, [data] * 2)
    assert first == second


def checks(name: str, data: tuple[Any, ...]) -> str:
    return json.dumps(labs.page(name).checks(*data), sort_keys=True)


def test_a_lab_leaves_its_checks_and_figures_and_the_report_shows_them(project: Project) -> None:
    from handbook.steps.report import page

    lab.lab(project, "units")
    home = project.reports("labs") / "units"
    checks = json.loads((home / "checks.json").read_text())
    shown = page.lab(project, "units")
    assert list(checks) == sorted(checks)
    assert len(shown["figures"]) == len(list((home / "figures").glob("*.png"))) > 0
    assert set(shown["checks"]) == set(checks)


@pytest.mark.parametrize("moving", [False, True])
def test_a_lab_that_shows_sample_data_says_so(moving: bool, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    toy = ModuleType("toy", "Toy")
    toy.DATASET = "mnist"  # type: ignore[attr-defined]
    toy.checks = lambda data: {"pictures": len(data.test_images)}  # type: ignore[attr-defined]
    toy.figures = lambda data: {"empty": Figure()}  # type: ignore[attr-defined]
    if moving:
        toy.animations = lambda data: {"race": lambda path: path.write_bytes(b"GIF")}  # type: ignore[attr-defined]
    monkeypatch.setattr(labs, "page", lambda name: toy)
    lab.lab(project, "toy")
    home = project.reports("labs") / "toy"
    assert json.loads((home / "checks.json").read_text())["data"] == "sample"
    assert (home / "figures" / "race.gif").exists() == moving
