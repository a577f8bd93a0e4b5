"""A case by several seeds: each as train and evaluate make it, what has ended is not made again, and the summary."""

from __future__ import annotations

import json
import shutil
import statistics
from typing import Any

import pytest
import yaml

from handbook.errors import HandbookError
from handbook.files.formats import write_json
from handbook.project import Project
from handbook.registry import results
from handbook.steps import evaluate, repeat, repeated, status, train, validate
from handbook.steps.report import table
from tests.conftest import ROOT

NAME = "rbf_before_call"


def summary(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.reports(NAME) / "seeds.json").read_text())
    return found


def test_its_own_seed_repeats_the_pipelines_figures_and_the_others_are_summed_up(project: Project, capsys: Any) -> None:
    train.train(project, NAME)
    evaluate.evaluate(project, NAME)
    own = json.loads((project.reports(NAME) / "metrics.json").read_text())
    repeat.repeat(project, NAME, seeds=2, jobs=1)
    found, primary = summary(project), project.case(NAME).page.PRIMARY
    assert found["seeds"]["0"] == {name: value for name, value in own.items() if type(value) in (int, float)}
    values = [row[primary] for row in found["seeds"].values()]
    assert len(set(values)) == 2
    assert found["mean"][primary] == pytest.approx(statistics.fmean(values), rel=1e-5)
    assert found["deviation"][primary] == pytest.approx(statistics.stdev(values), rel=1e-5)
    assert found["data"] == "sample"
    assert "mean and standard deviation of 2 seeds" in capsys.readouterr().out
    assert json.loads((project.reports(NAME) / "metrics.json").read_text()) == own
    case = project.case(NAME)
    assert results.seeds(project, case) == found
    write_json(project.reports(NAME) / "metrics.json", own | {primary: own[primary] + 0.001})
    assert results.seeds(project, case) is None  # of another model than the one that stands there now


def test_what_has_ended_is_not_made_again_and_other_parameters_begin_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []

    def carried(each: repeat.Repetition) -> repeat.Repetition:
        trained.append(each.params["seed"])
        if len(trained) == 2:
            raise KeyboardInterrupt
        each.folder.mkdir(parents=True)
        each.kept.write_text(json.dumps({project.case(NAME).page.PRIMARY: 0.5 + each.params["seed"] / 100}))
        return each

    monkeypatch.setattr(repeat, "carry_out", carried)
    with pytest.raises(KeyboardInterrupt):
        repeat.repeat(project, NAME, seeds=3, jobs=1)
    assert not (project.reports(NAME) / "seeds.json").exists()
    repeat.repeat(project, NAME, seeds=3, jobs=1)
    assert trained == [0, 1, 1, 2]
    repeat.repeat(project, NAME, seeds=4, jobs=1)
    assert trained == [0, 1, 1, 2, 3]
    text = (project.root / "params.yaml").read_text()
    (project.root / "params.yaml").write_text(text.replace("n_components: 1000", "n_components: 900"))
    repeat.repeat(project, NAME, seeds=2, jobs=1)
    assert trained == [0, 1, 1, 2, 3, 0, 1]
    assert len(list((project.cache / "repeats" / NAME).iterdir())) == 1


def test_the_pipelines_model_stands_for_its_seed_unless_it_is_not_what_training_makes(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []
    judged: list[bytes] = []

    def judge(apart: Project, name: str) -> None:
        judged.append((apart.models(name) / "model.skops").read_bytes())
        write_json(apart.reports(name) / "metrics.json", {apart.case(name).page.PRIMARY: 0.5})

    def count(apart: Project, name: str) -> None:
        trained.append(apart.case(name).params.seed)
        apart.reports(name).mkdir(parents=True)
        apart.models(name).mkdir(parents=True)
        (apart.models(name) / "model.skops").touch()

    train.train(project, NAME)
    own = (project.models(NAME) / "model.skops").read_bytes()
    monkeypatch.setattr(repeat, "evaluate", judge)
    monkeypatch.setattr(repeat, "train", count)
    repeat.repeat(project, NAME, seeds=2, jobs=1)
    assert (trained, judged) == ([1], [own, b""])
    assert (project.models(NAME) / "model.skops").read_bytes() == own
    (project.models(NAME) / "model.skops").write_bytes(own + b"more")
    shutil.rmtree(project.cache / "repeats")
    repeat.repeat(project, NAME, seeds=2, jobs=1)
    assert trained == [1, 0, 1]


def test_seeds_of_today_are_not_made_again_and_those_of_earlier_code_are_said_to_be_and_are(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    trained: list[int] = []

    def carried(each: repeat.Repetition) -> repeat.Repetition:
        trained.append(each.params["seed"])
        write_json(each.kept, {primary: own[primary] + each.params["seed"] / 100})
        return each

    def again(seeds: int) -> list[int]:
        trained.clear()
        shutil.rmtree(project.cache / "repeats", ignore_errors=True)
        repeat.repeat(project, NAME, seeds, jobs=1)
        return [*trained]

    validate.validate(project, project.case(NAME).dataset)
    train.train(project, NAME)
    evaluate.evaluate(project, NAME)
    own, primary = results.metrics(project, project.case(NAME)), project.case(NAME).page.PRIMARY
    monkeypatch.setattr(repeat, "carry_out", carried)
    assert (again(2), again(2), again(3)) == ([0, 1], [], [2])
    assert not table.row(project, NAME)["seeds"].endswith("‡")
    status.status(project)
    assert "repeat    1 of 1 fresh\n" in capsys.readouterr().out
    (project.reports(NAME) / "seeds.json").write_text("{")
    assert again(2) == [0, 1]

    monkeypatch.setattr(repeated, "fingerprint", lambda *_, **__: "other code")
    assert table.row(project, NAME)["seeds"].endswith("(2) ‡")
    status.status(project)
    assert f"repeat    0 of 1 fresh; 1 stale: {NAME}\nStale seeds are trained again" in capsys.readouterr().out
    assert again(2) == [0, 1]
    assert table.row(project, NAME)["seeds"].endswith("(2)")
    text = (project.root / "params.yaml").read_text()
    (project.root / "params.yaml").write_text(text.replace("n_components: 1000", "n_components: 900"))
    assert table.row(project, NAME)["seeds"].endswith("(2) ‡")


@pytest.mark.slow  # two processes that load torch
def test_several_at_once_make_what_one_after_the_other_makes(project: Project) -> None:
    repeat.repeat(project, NAME, seeds=2, jobs=2)
    together = summary(project)
    shutil.rmtree(project.cache / "repeats")
    repeat.repeat(project, NAME, seeds=2, jobs=1)
    assert summary(project) == together


@pytest.mark.parametrize(
    ("given", "said"),
    [({"seeds": 1}, "--seeds: expected 2 to 100, found 1"), ({"jobs": 0}, "--jobs: expected 1 or more, found 0")],
)
def test_what_cannot_be_is_refused_before_anything_is_trained(
    given: dict[str, int], said: str, project: Project
) -> None:
    with pytest.raises(HandbookError, match=said):
        repeat.repeat(project, NAME, **given)
    assert not (project.cache / "repeats").exists()


def test_the_table_shows_the_spread_in_the_figures_own_unit() -> None:
    spread = {"mean": {"accuracy": 0.92051, "roc_auc": 0.93141}, "deviation": {"accuracy": 0.00123, "roc_auc": 0.00041}}
    known = spread | {"seeds": {"0": {}, "1": {}}}
    assert table.over_seeds(known, True, "accuracy") == "92.05 % ± 0.12 % (2)"
    assert table.over_seeds(known, True, "roc_auc") == "0.931 ± 0.00041 (2)"
    assert table.over_seeds(known, False, "roc_auc") == "0.931 ± 0.00041 (2) ‡"
    assert table.over_seeds(None, False, "roc_auc") == "–"


def test_the_pipeline_of_repetitions_names_all_cases_but_those_of_many_folds_and_stands_apart() -> None:
    stage = yaml.safe_load((ROOT / "repeats" / "dvc.yaml").read_text())["stages"]["repeat"]
    assert [*stage["foreach"]] == [
        name for name in Project(ROOT).cases() if not name.startswith(("classifiers_", "regressors_"))
    ]
    assert {*stage["foreach"].values()} <= {3, 5}
    assert "seeds.json" not in (ROOT / "dvc.yaml").read_text()
