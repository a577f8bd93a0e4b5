"""python -m flows.deployments: what Prefect's pages offer, served from this checkout.

`prefect.yaml` says what that is, for these pages as for a work pool.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from prefect import serve
from prefect.deployments.runner import RunnerDeployment
from prefect.events.schemas.deployment_triggers import DeploymentEventTrigger
from prefect.schedules import Cron, Schedule
from prefect.settings import PREFECT_API_URL
from prefect.types.entrypoint import EntrypointType

import handbook as package
from flows import automations, servers
from handbook.errors import HandbookError
from handbook.files import documents
from handbook.files.private import private_folder
from handbook.project import Project

NAMED = {"name", "entrypoint"}  # what every deployment has
DECLARED = Path(__file__).resolve().parents[1] / "prefect.yaml"  # resolved: the checkout for samples links flows/


def offered(declared: Path = DECLARED) -> list[RunnerDeployment]:
    """The deployments of prefect.yaml, with their schedules, all of them paused: a person switches them on.

    Raises HandbookError for a flow that is not there, and for a schedule that is none.
    """
    way = "Bring it back: git checkout -- prefect.yaml"
    found = documents.yaml_of(declared, way)
    listed = found.get("deployments") if isinstance(found, dict) else None
    if not isinstance(listed, list) or not all(isinstance(each, dict) and each.keys() >= NAMED for each in listed):
        raise documents.damaged(declared, "expected `deployments`, a list, each with name and entrypoint", way)
    return [_deployment(each, declared) for each in listed]


def _deployment(declared: dict[str, Any], where: Path) -> RunnerDeployment:
    name = str(declared["name"])
    module, _, function = str(declared["entrypoint"]).rpartition(".")
    try:
        flow = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise HandbookError(f"{where}, deployment {name}: entrypoint {module}.{function}: {error}") from None
    return RunnerDeployment.from_flow(
        flow,
        name=name,
        description=str(declared["description"]),
        tags=list(declared["tags"]),
        version=package.__version__,
        entrypoint_type=EntrypointType.MODULE_PATH,
        schedules=[_schedule(each, f"{where}, deployment {name}") for each in declared.get("schedules", [])],
        triggers=[_trigger(each, f"{where}, deployment {name}") for each in declared.get("triggers", [])],
    )


def _schedule(declared: dict[str, Any], where: str) -> Schedule:
    try:
        return Cron(str(declared["cron"]), timezone=declared.get("timezone", "UTC"), active=False)
    except (KeyError, ValueError):
        raise HandbookError(
            f"{where}: {declared} is no schedule. Expected `cron` with five fields, minute hour day month weekday, "
            f"such as '0 3 * * *' for every night at three"
        ) from None


def _trigger(declared: dict[str, Any], where: Path | str) -> DeploymentEventTrigger:
    try:
        return DeploymentEventTrigger.model_validate(declared)
    except ValueError as error:
        raise HandbookError(f"{where}: {declared} is no trigger: {error}") from None


def main() -> int:
    """Serve until ended; 1 for schedules that are none, and without a server to offer them to."""
    try:
        if not PREFECT_API_URL.value():  # Prefect would start a server that lets everybody in
            raise HandbookError(
                "no Prefect to offer deployments to. `make ui` starts one with all of them; "
                "to serve them to another, export PREFECT_API_URL and PREFECT_API_AUTH_STRING"
            )
        project = Project.here()
        automations.call(automations.address(project))
        # what runs are started from would lie in one folder for all users of a machine, its first one's
        tempfile.tempdir = str(private_folder(servers.home(project.root) / "runner"))
        # limit: one workspace has one writer. Prefect would pause what it served for good; each start pauses
        # the schedules anyway. query_seconds: somebody has clicked and waits
        serve(*offered(), limit=1, pause_on_shutdown=False, query_seconds=3)
    except HandbookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
