"""A sweep in MLflow: a run, and a child run for each trial. `tracking` hands over MLflow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handbook.project import Case, Project
from handbook.registry import connection, tracking

SWEEP = "handbook.sweep"


@dataclass(frozen=True)
class OpenRun:
    """A run that is open in MLflow: a row is shown under its epoch, if it has one."""

    client: Any
    run_id: str

    def show(self, row: dict[str, float]) -> None:
        for name, value in row.items():
            if name != "epoch":
                self.client.log_metric(self.run_id, name, value, step=int(row.get("epoch", 0)))

    def end(self, status: str) -> None:
        """FINISHED, KILLED or FAILED."""
        self.client.set_terminated(self.run_id, status)


def sweep_run(project: Project, case: Case, key: str, tags: dict[str, str]) -> OpenRun:
    """The run whose children a sweep's trials are; children that a kill left open are closed."""
    with connection.opened(project) as mlflow:
        tracking._experiment(project, case, mlflow)
        client = mlflow.MlflowClient()
        home = [mlflow.get_experiment_by_name(case.name).experiment_id]
        found = client.search_runs(home, f"tags.`{SWEEP}` = '{key}'")
        run = found[0] if found else client.create_run(home[0], tags={SWEEP: key, **tags}, run_name=f"sweep-{key}")
        client.update_run(run.info.run_id, "RUNNING")
        mine = f"tags.`mlflow.parentRunId` = '{run.info.run_id}' and attributes.status = 'RUNNING'"
        for left in client.search_runs(home, mine):
            client.set_terminated(left.info.run_id, "KILLED")
        return OpenRun(client, run.info.run_id)


def trial_run(project: Project, case: Case, parent: OpenRun, number: int, settings: dict[str, Any]) -> OpenRun:
    """A child run for one trial, its settings logged."""
    with connection.opened(project) as mlflow:
        home = mlflow.get_experiment_by_name(case.name).experiment_id
        tags = {"mlflow.parentRunId": parent.run_id, "trial": str(number)}
        run = parent.client.create_run(home, tags=tags, run_name=f"trial-{number}")
        for name, value in settings.items():
            parent.client.log_param(run.info.run_id, name, value)
    return OpenRun(parent.client, run.info.run_id)
