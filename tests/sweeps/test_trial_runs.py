"""Trials as runs in MLflow: a sweep has one run, and children that a kill left open are closed."""

from __future__ import annotations

import pytest

from handbook.project import Project
from handbook.sweeps import trial_runs

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


def test_a_sweep_that_goes_on_finds_its_run_and_closes_what_a_kill_left_open(project: Project) -> None:
    case = project.case("mlp")
    sweep = trial_runs.sweep_run(project, case, "key", {"data": "sample"})
    done = trial_runs.trial_run(project, case, sweep, 0, {"dropout": 0.1})
    done.show({"epoch": 2.0, "loss": 0.5})
    done.show({"epoch": 3.0, "loss": 0.25})
    done.end("FINISHED")
    left = trial_runs.trial_run(project, case, sweep, 1, {"dropout": 0.2})
    again = trial_runs.sweep_run(project, case, "key", {"data": "sample"})
    assert again.run_id == sweep.run_id
    states = [again.client.get_run(each.run_id).info.status for each in (sweep, done, left)]
    assert states == ["RUNNING", "FINISHED", "KILLED"]
    points = again.client.get_metric_history(done.run_id, "loss")
    assert [(point.step, point.value) for point in points] == [(2, 0.5), (3, 0.25)]
    assert "epoch" not in again.client.get_run(done.run_id).data.metrics
    assert trial_runs.sweep_run(project, case, "other", {}).run_id != sweep.run_id
