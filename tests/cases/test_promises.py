"""The promises that every case page and every dataset page keeps; no page has code of its own here."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from handbook import cases, datasets
from handbook.data import fetch, provenance, validation
from handbook.project import Project
from handbook.registry.gate import better
from handbook.training import models
from tests.conftest import PAGES, ROOT, TOO_BRIEF, brief, counts_no_epochs, drawn

CASES = Project(ROOT).cases()
SEEDED = {PAGES[each]: each for each in CASES}.values()  # one case of each page
BY_EYE = ("som_book",)  # the book judges its map by looking; measured, what it calls is no better than chance
DATASETS = Project(ROOT).datasets()
FILES = [path for room in ("cases", "datasets") for path in sorted((ROOT / "src/handbook" / room).glob("[!_]*.py"))]


@pytest.mark.parametrize("name", DATASETS)
def test_a_sample_is_the_same_for_the_same_seed(name: str, samples: Callable[[str], Path], tmp_path: Path) -> None:
    again = fetch.draw_sample(datasets.page(name), tmp_path / name, seed=0)
    other = fetch.draw_sample(datasets.page(name), tmp_path / "other" / name, seed=1)
    assert again == provenance.provenance(samples(name))
    assert other["files"] != again["files"]


@pytest.mark.parametrize("name", DATASETS)
def test_the_suite_accepts_the_sample_and_rejects_a_spoiled_one(
    name: str, samples: Callable[[str], Path], tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "gx", tmp_path / "gx", ignore=shutil.ignore_patterns("uncommitted"))
    page = datasets.page(name)
    table = page.facts(samples(name))
    good = validation.check(name, table, page.expectations(sample=True), tmp_path / "gx")
    validation.refuse(name, good, tmp_path)
    spoiled = validation.check(name, table.iloc[::2], page.expectations(sample=True), tmp_path / "gx")
    with pytest.raises(Exception, match=rf"the {name} data are refused: \d+ of {len(good)}"):
        validation.refuse(name, spoiled, tmp_path)


@pytest.mark.parametrize("name", CASES)
def test_training_twice_gives_the_same_numbers(name: str, fitted: Any) -> None:
    case = brief(Project(ROOT).case(name), epochs=1)
    eight, data, model = fitted(name)
    first = model if eight.params == case.params else case.page.fit(case.split(data), case.params)
    second = case.page.fit(case.split(data), case.params)
    assert first.history_ == second.history_
    if name in SEEDED:
        luck = dataclasses.replace(case, params=dataclasses.replace(case.params, seed=case.params.seed + 1))
        other = case.page.fit(luck.split(data), luck.params)
        assert other.history_ != first.history_


@pytest.mark.parametrize("name", [each for each in CASES if each not in BY_EYE + TOO_BRIEF])
def test_the_model_beats_the_baseline_of_its_page(name: str, judged: Any) -> None:
    case, report = Project(ROOT).case(name), judged(name)
    low, high = report.interval[case.page.PRIMARY]
    assert low <= report.metrics[case.page.PRIMARY] <= high
    assert all(better(case, bound, report.baseline[case.page.PRIMARY]) for bound in (low, high))


@pytest.mark.parametrize("name", TOO_BRIEF)
def test_a_recipe_that_needs_its_steps_beats_the_baseline_in_the_results_of_real_data(name: str) -> None:
    case = Project(ROOT).case(name)
    found = json.loads((ROOT / "reports" / name / "metrics.json").read_text(encoding="utf-8"))
    assert found["data"] == "real"
    bounds, baseline = (found[key][case.page.PRIMARY] for key in ("interval", "baseline"))
    assert all(better(case, bound, baseline) for bound in bounds)


@pytest.mark.parametrize("name", BY_EYE)
def test_what_the_book_judges_by_eye_is_no_better_than_chance_and_says_so(name: str, judged: Any) -> None:
    case, report = Project(ROOT).case(name), judged(name)
    low, high = report.interval[case.page.PRIMARY]
    assert low <= report.baseline[case.page.PRIMARY] <= high
    assert "no better than chance" in report.finding


@pytest.mark.parametrize("name", CASES)
def test_a_model_is_saved_as_the_same_bytes_and_predicts_the_same_when_it_is_loaded(
    name: str, fitted: Any, tmp_path: Path
) -> None:
    case, data, model = fitted(name)
    models.save(model, tmp_path / "a")
    models.save(model, tmp_path / "b")
    one, other = ([path.read_bytes() for path in sorted((tmp_path / each).iterdir())] for each in "ab")
    assert one == other
    loaded = models.load(case.page, case.params, tmp_path / "a")
    inputs = case.example(case.split(data))
    before, after = (case.page.predict(each, inputs) for each in (model, loaded))
    assert len(after) == len(inputs)
    assert np.array_equal(before, after) if isinstance(after, np.ndarray) else before.equals(after)


@pytest.mark.parametrize("name", [each for each in CASES if not counts_no_epochs(Project(ROOT).case(each))])
def test_no_network_is_moved_to_its_device_in_inference_mode(
    name: str, fitted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On an accelerator its weights would be of that mode: it could be trained and explained no more."""
    case, data, model = fitted(name)
    to, modes = nn.Module.to, []

    def noted(self: nn.Module, *args: Any, **kwargs: Any) -> nn.Module:
        modes.append(torch.is_inference_mode_enabled())
        return to(self, *args, **kwargs)

    monkeypatch.setattr(nn.Module, "to", noted)
    case.page.predict(model, case.example(case.split(data)))
    assert modes or name.startswith("som_")  # a map's rows are moved, its units with them
    assert not any(modes)


@pytest.mark.parametrize("name", CASES)
def test_every_figure_renders_with_a_title(name: str, judged: Any) -> None:
    for title, figure in judged(name).figures.items():
        titles = [figure.get_suptitle(), *(axes.get_title() for axes in figure.axes)]
        assert any(titles), f"{title} has no title"
        assert np.ptp(drawn(figure)) > 0, f"{title} is blank"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_page_is_within_its_length_and_opens_with_a_docstring(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    assert text.startswith('"""')


def test_every_page_is_used_by_a_case() -> None:
    project = Project(ROOT)
    assert {project.case(name).page.__name__.rsplit(".", 1)[1] for name in CASES} == set(cases.names())
    assert {project.case(name).dataset for name in CASES} <= set(DATASETS) <= set(datasets.names())
