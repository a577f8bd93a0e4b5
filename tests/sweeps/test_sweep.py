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
from pathlib import Path
from typing import Any

import pytest
import yaml

from handbook import datasets
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.registry import connection
from handbook.sweeps import ranges, sweep, trial_runs
from tests.conftest import ROOT
from tests.sweeps.toys import RANGES, asking

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


@pytest.mark.parametrize("name", ["mlp", "boosting_before_call", "classifiers_iris", "som_applications"])
def test_no_test_row_is_among_those_that_a_sweep_sees(samples: Any, name: str) -> None:
    case = Project(ROOT).case(name)
    data = datasets.page(case.dataset).load(samples(case.dataset))
    seen, whole = sweep.development(case, data), case.split(data)
    rows = seen.development.join(seen.test).features.index
    assert sorted(rows) == sorted(whole.development.features.index)
    assert not set(rows) & set(whole.test.features.index)
    assert len(seen.test) == round(len(whole.train) / 6)


def test_no_test_picture_is_among_those_that_a_sweep_sees(samples: Any) -> None:
    case = Project(ROOT).case("lenet")
    data = datasets.page(case.dataset).load(samples(case.dataset))
    seen, whole = sweep.development(case, data), case.split(data)
    both = seen.development.join(seen.test).images
    assert sorted(each.tobytes() for each in both) == sorted(each.tobytes() for each in data.train_images)
    assert len(seen.test) == round(len(whole.train) / 6)


def test_no_test_character_is_among_those_that_a_sweep_sees(samples: Any) -> None:
    case = Project(ROOT).case("char_rnn")
    data = datasets.page(case.dataset).load(samples(case.dataset))
    seen, whole = sweep.development(case, data), case.split(data)
    assert str(seen.train) + str(seen.test) == str(whole.train)
    assert seen.valid is whole.valid or str(seen.valid) == str(whole.valid)


def test_a_case_that_is_judged_on_all_its_rows_is_not_swept(samples: Any) -> None:
    case = Project(ROOT).case("som_transactions")
    with pytest.raises(HandbookError, match="has no rows to choose by"):
        sweep.development(case, datasets.page(case.dataset).load(samples(case.dataset)))


def trials(project: Project, name: str) -> list[Any]:
    """The finished trials of the case's one sweep, their number left out: what was tried and what came of it."""
    import optuna

    (study,) = optuna.get_all_study_names(sweep.database(project))
    loaded = optuna.load_study(study_name=study, storage=sweep.database(project))
    return [
        (each.params, each.value, each.state.name, each.datetime_start, each.datetime_complete)
        for each in sweep.finished(loaded)
    ]


def test_a_sweep_tries_todays_settings_first_shows_every_trial_and_changes_nothing_by_itself(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    asking(project, "mlp", RANGES)
    before = (project.root / "params.yaml").read_bytes()
    sweep.sweep(project, "mlp", 4)
    first = trials(project, "mlp")
    assert len(first) == 4
    case = project.case("mlp")
    assert first[0][0] == ranges.plan(project, case).suggestions(case.params)
    with connection.opened(project) as mlflow:
        runs = mlflow.search_runs(experiment_names=["mlp"], output_format="list")
    parents = [run for run in runs if trial_runs.SWEEP in run.data.tags]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parents[0].info.run_id]
    assert len(parents) == 1
    assert sorted(run.data.metrics["roc_auc"] for run in children) == sorted(each[1] for each in first)
    assert {run.info.status for run in runs} == {"FINISHED"}
    sweep.sweep(project, "mlp", 4)  # nothing is left to do
    assert trials(project, "mlp") == first
    assert (project.root / "params.yaml").read_bytes() == before
    reported = capsys.readouterr().out
    proposal = project.root / "reports" / "sweeps" / "mlp" / "proposal.yaml"
    assert proposal.exists() == ("Proposed, not applied" in reported or "By hand" in reported)


def test_a_trial_that_falls_behind_is_cut_short_and_one_that_cannot_be_is_reported(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    import optuna

    asking(project, "mlp", {"learning_rate": {"low": 0.0000001, "high": 0.05, "log": True}, "dropout": [0.0, 1.0]})
    case = project.case("mlp")
    case = dataclasses.replace(case, params=dataclasses.replace(case.params, epochs=3))
    monkeypatch.setattr(Project, "case", lambda self, name: case)
    monkeypatch.setattr(sweep, "STARTUP", 1)
    plan = ranges.plan(project, case)
    data = datasets.page(case.dataset).load(project.data(case.dataset))
    study = sweep._study(project, case, "key")
    parent = trial_runs.sweep_run(project, case, "key", {})
    work = sweep._Work(project, case, plan, data, study, parent)
    for rate, dropout in ((0.02, 0.1), (0.0000001, 0.1), (0.02, 1.0), (0.02, 0.1)):
        study.enqueue_trial({"learning_rate": rate, "dropout": dropout})
    reported = [work.next() for _ in range(4)]
    assert "roc_auc" in reported[0]
    assert reported[1].endswith("cut short after epoch 1")
    assert "cannot be: dropout must be in [0, 1)" in reported[2]
    assert reported[3].endswith("tried already, in trial 0")
    states = [each.state for each in study.get_trials(deepcopy=False)]
    complete, pruned = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED
    assert states == [complete, pruned, pruned, complete]


def test_two_sweeps_of_a_case_do_not_run_at_once(project: Project) -> None:
    asking(project, "mlp", RANGES)
    with sweep._alone(project, "mlp"), pytest.raises(HandbookError, match="a sweep of mlp runs already"):
        sweep.sweep(project, "mlp", 1)


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
    with connection.opened(project) as mlflow:
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
