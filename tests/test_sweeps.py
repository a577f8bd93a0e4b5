"""Sweeps: ranges that are checked, trials that survive a kill, a test set never seen, a change only proposed."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from handbook import datasets, proposals, ranges, sweeps, tracking, trial_runs
from handbook.errors import HandbookError
from handbook.project import Project
from tests.conftest import ROOT

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)
RANGES = {"learning_rate": {"low": 0.001, "high": 0.05, "log": True}, "dropout": [0.0, 0.6], "hidden": {"choices": [[128, 64], [32]]}}  # fmt: skip  # noqa: E501


def asking(project: Project, name: str, block: Any) -> Project:
    """The project with this block under `sweeps:` for the case."""
    path = project.root / "params.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"sweeps": {name: block}}, sort_keys=False))
    return project


@pytest.fixture
def project(bare: Project, samples: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Project:
    """The same with sample data of the bank, and one epoch."""
    shutil.copytree(samples("bank_marketing"), bare.data("bank_marketing"))
    numbers = yaml.safe_load((ROOT / "params.yaml").read_text())
    numbers["cases"]["mlp"]["epochs"] = 1
    (bare.root / "params.yaml").write_text(yaml.safe_dump(numbers, sort_keys=False))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return bare


@pytest.fixture
def bare(tmp_path: Path) -> Project:
    """The real params.yaml, and nothing else."""
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    return Project(tmp_path)


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"learning_rat": [0.1, 0.2]}, r"no parameter 'learning_rat'; .*did you mean learning_rate"),
        ({"dropout": [0.6, 0.1]}, r"sweeps.mlp.dropout: low must be below high, found 0.6 and 0.1"),
        ({"dropout": {"low": 0.0, "high": 0.5, "log": True}}, "a logarithmic range begins above 0, found 0.0"),
        ({"dropout": [0.4, 0.5]}, "0.3 is today's value, and not between 0.4 and 0.5"),
        ({"dropout": [0.1]}, r"expected \[low, high\]"),
        ({"dropout": {"low": 0.1, "high": 0.5, "lgo": True}}, "no key 'lgo'; choose from high, log, low"),
        ({"dropout": {"low": "a little", "high": 0.5}}, "expected float, found 'a little'"),
        ({"batch_size": [64, 1000.5]}, "sweeps.mlp.batch_size.high: expected int, found 1000.5"),
        ({"batch_size": {"choices": [512, "many"]}}, "expected int, found 'many'"),
        ({"batch_size": {"choices": [512]}}, "expected two choices or more"),
        ({"hidden": [1, 2]}, "hidden is no number; list what may be tried"),
        ({"seed": [0, 100]}, "seed says what is learnt from and judged by"),
        ({"trials": 0, "dropout": [0.0, 0.5]}, "sweeps.mlp.trials: expected a number of trials from 1 up, found 0"),
        ({"trials": 3}, "expected `PARAMETER: "),
        (None, "expected `PARAMETER: "),
    ],
)
def test_a_range_that_is_wrong_is_named_with_what_was_expected(bare: Project, block: Any, told: str) -> None:
    with pytest.raises(HandbookError, match=told):
        ranges.plan(asking(bare, "mlp", block), bare.case("mlp"))


def test_a_case_without_ranges_is_told_how_to_write_them(bare: Project) -> None:
    with pytest.raises(HandbookError, match=r"sweeps.boosting: no ranges(.|\n)*PARAMETER: \[low, high\]"):
        ranges.plan(asking(bare, "mlp", RANGES), bare.case("boosting"))


def test_the_ranges_of_params_yaml_fit_their_pages() -> None:
    here = Project(ROOT)
    for name in here.numbers()["sweeps"]:
        assert ranges.plan(here, here.case(name)).ranges


@pytest.mark.parametrize("name", ["mlp", "boosting", "classifiers_iris", "regressors_boston", "som_applications"])
def test_no_test_row_is_among_those_that_a_sweep_sees(samples: Any, name: str) -> None:
    from handbook.tables import split

    case = Project(ROOT).case(name)
    whole = datasets.page(case.dataset).load(samples(case.dataset))
    p = case.params
    judged = (
        split(whole, p.test_share, p.split_seed, stratify=False)[1]
        if hasattr(p, "test_share")
        else split(whole, p.held_out, p.seed)[1]
    )
    seen = sweeps.without_test(whole, case)
    assert not set(seen.features.index) & set(judged.features.index)
    assert len(seen) + len(judged) == len(whole)


def test_no_test_picture_is_among_those_that_a_sweep_sees(samples: Any) -> None:
    case = Project(ROOT).case("lenet")
    whole = datasets.page(case.dataset).load(samples(case.dataset))
    seen = sweeps.without_test(whole, case)
    both = np.concatenate([seen.train_images, seen.test_images])
    assert sorted(each.tobytes() for each in both) == sorted(each.tobytes() for each in whole.train_images)
    assert len(seen.test_images) == round(len(whole.train_images) / 6)


def test_a_case_that_is_judged_on_all_its_rows_is_not_swept(samples: Any) -> None:
    case = Project(ROOT).case("som_transactions")
    with pytest.raises(HandbookError, match="has no rows to choose by"):
        sweeps.without_test(datasets.page(case.dataset).load(samples(case.dataset)), case)


def trials(project: Project, name: str) -> list[Any]:
    """The finished trials of the case's one sweep, their number left out: what was tried and what came of it."""
    import optuna

    (study,) = optuna.get_all_study_names(sweeps.database(project))
    loaded = optuna.load_study(study_name=study, storage=sweeps.database(project))
    return [
        (each.params, each.value, each.state.name, each.datetime_start, each.datetime_complete)
        for each in sweeps.finished(loaded)
    ]


def test_a_sweep_tries_todays_settings_first_shows_every_trial_and_changes_nothing_by_itself(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    asking(project, "mlp", RANGES)
    before = (project.root / "params.yaml").read_bytes()
    sweeps.sweep(project, "mlp", 4)
    first = trials(project, "mlp")
    assert len(first) == 4
    case = project.case("mlp")
    assert first[0][0] == ranges.plan(project, case).suggestions(case.params)
    with tracking._mlflow(project) as mlflow:
        runs = mlflow.search_runs(experiment_names=["mlp"], output_format="list")
    parents = [run for run in runs if trial_runs.SWEEP in run.data.tags]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parents[0].info.run_id]
    assert len(parents) == 1
    assert sorted(run.data.metrics["roc_auc"] for run in children) == sorted(each[1] for each in first)
    assert {run.info.status for run in runs} == {"FINISHED"}
    sweeps.sweep(project, "mlp", 4)  # nothing is left to do
    assert trials(project, "mlp") == first
    assert (project.root / "params.yaml").read_bytes() == before
    told = capsys.readouterr().out
    proposal = project.root / "reports" / "sweeps" / "mlp" / "proposal.yaml"
    assert proposal.exists() == ("Proposed, not applied" in told or "By hand" in told)


def test_a_trial_that_falls_behind_is_cut_short_and_one_that_cannot_be_is_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    import optuna

    asking(project, "mlp", {"learning_rate": {"low": 0.0000001, "high": 0.05, "log": True}, "dropout": [0.0, 1.0]})
    case = project.case("mlp")
    case = dataclasses.replace(case, params=dataclasses.replace(case.params, epochs=3))
    monkeypatch.setattr(Project, "case", lambda self, name: case)
    monkeypatch.setattr(sweeps, "STARTUP", 1)
    plan = ranges.plan(project, case)
    data = sweeps.without_test(datasets.page(case.dataset).load(project.data(case.dataset)), case)
    study = sweeps._study(project, case, "key")
    parent = trial_runs.sweep_run(project, case, "key", {})
    work = sweeps._Work(project, case, plan, data, study, parent)
    for rate, dropout in ((0.02, 0.1), (0.0000001, 0.1), (0.02, 1.0), (0.02, 0.1)):
        study.enqueue_trial({"learning_rate": rate, "dropout": dropout})
    told = [work.next() for _ in range(4)]
    assert "roc_auc" in told[0]
    assert told[1].endswith("cut short after epoch 1")
    assert "cannot be: dropout must be in [0, 1)" in told[2]
    assert told[3].endswith("tried already, in trial 0")
    states = [each.state for each in study.get_trials(deepcopy=False)]
    complete, pruned = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED
    assert states == [complete, pruned, pruned, complete]


def test_two_sweeps_of_a_case_do_not_run_at_once(project: Project) -> None:
    asking(project, "mlp", RANGES)
    with sweeps._alone(project, "mlp"), pytest.raises(HandbookError, match="a sweep of mlp runs already"):
        sweeps.sweep(project, "mlp", 1)


BLOCK = """\
preset: laptop
cases:
  one:
    rate: 0.1  # the peak
    hidden: [128, 64]
    gpu: {rate: 0.2}
  two:
    rate: 0.1
"""


def test_a_patch_changes_the_case_alone_and_keeps_its_comments(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(BLOCK)
    patch = proposals.patched(Project(tmp_path), "one", {"rate": 0.25, "hidden": [32]})
    (tmp_path / "a.patch").write_text(patch)
    subprocess.run(["git", "apply", "a.patch"], cwd=tmp_path, check=True)
    want = BLOCK.replace("rate: 0.1  #", "rate: 0.25  #").replace("[128, 64]", "[32]")
    assert (tmp_path / "params.yaml").read_text() == want


@pytest.mark.parametrize("spoiled", [("laptop", "gpu"), ("[128, 64]", "\n    - 128\n    - 64")])
def test_where_a_patch_cannot_be_sure_there_is_none(tmp_path: Path, spoiled: tuple[str, str]) -> None:
    (tmp_path / "params.yaml").write_text(BLOCK.replace(*spoiled))
    assert proposals.patched(Project(tmp_path), "one", {"hidden": [32]}) == ""


WANTED = 8


@pytest.mark.slow
def test_a_sweep_that_is_killed_at_random_repeats_no_trial_and_ends_as_an_unbroken_one(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    asking(project, "mlp", RANGES)
    path = project.root / "params.yaml"
    numbers = yaml.safe_load(path.read_text())
    numbers["cases"]["mlp"]["epochs"] = 6
    path.write_text(yaml.safe_dump(numbers, sort_keys=False))
    other = tmp_path_factory.mktemp("unbroken") / "checkout"
    shutil.copytree(project.root, other)
    subprocess.run(command(), cwd=other, check=True, capture_output=True, env=environment())
    rng = random.Random()
    kills, before = 0, []
    while kills < 3:
        after = rng.randrange(1, 3)
        if not killed(project.root, after, rng.random()):
            break
        kills += 1
        now = trials(project, "mlp")
        assert now[: len(before)] == before  # untouched to the microsecond of their times
        before = now
    done = subprocess.run(command(), cwd=project.root, check=True, capture_output=True, text=True, env=environment())
    end = trials(project, "mlp")
    assert kills >= 1
    assert end[: len(before)] == before
    assert len(end) == WANTED
    assert done.stdout.count(f"/{WANTED}: ") == WANTED - len(before)
    assert [each[:3] for each in end] == [each[:3] for each in trials(Project(other), "mlp")]
    with tracking._mlflow(project) as mlflow:
        runs = mlflow.search_runs(experiment_names=["mlp"], output_format="list")
    assert {run.info.status for run in runs} <= {"FINISHED", "KILLED"}


def command() -> list[str]:
    return [sys.executable, "-m", "handbook", "sweep", "mlp", "--trials", str(WANTED)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}


def killed(root: Path, after: int, seconds: float) -> bool:
    """Run a sweep, and kill it that long after its so-manieth trial; False if it ended first."""
    with subprocess.Popen(command(), cwd=root, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        for _ in range(after):
            if f"/{WANTED}: " not in process.stdout.readline():
                return False
        time.sleep(seconds)
        if process.poll() is not None:
            return False
        process.send_signal(signal.SIGKILL)
    return True
