"""python -m flows.deployments: what Prefect's pages offer, served from this checkout."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module

from prefect import serve
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron, Schedule
from prefect.settings import PREFECT_API_URL
from prefect.types.entrypoint import EntrypointType

import handbook as package
from handbook.errors import HandbookError, unknown
from handbook.project import Project

# Loaded as a script, flows/ itself is searched for modules, and flows/handbook.py hides the package of its name.
AS_MODULE = EntrypointType.MODULE_PATH


@dataclass(frozen=True)
class Offer:
    """A flow that can be started or scheduled in Prefect's pages: the module and the flow in it have one name."""

    name: str
    flow: str
    description: str
    tags: tuple[str, ...]


OFFERS = (
    Offer(
        "case-study",
        "case_study",
        "One case from its data to the registry. Stages that are up to date end as Cached.",
        ("case",),
    ),
    Offer("handbook", "handbook", "Every case, then the report. Its nightly schedule starts paused.", ("nightly",)),
    Offer(
        "sweep",
        "sweep",
        "Tries a case's ranges of params.yaml on held-out rows. The best is proposed, never taken over.",
        ("case", "search"),
    ),
    Offer(
        "monitor",
        "monitor",
        "Looks at the batches that came in: validated, compared with the training data, scored with the champion.",
        ("case", "in-service"),
    ),
    Offer(
        "retrain",
        "retrain",
        "Trains a case again; the challenger becomes champion only if it passes the gate.",
        ("case", "in-service"),
    ),
    Offer(
        "predict",
        "predict",
        "A case's champion over files on this machine; answers as CSV, faults listed beside them.",
        ("case", "in-service"),
    ),
)


def offered() -> list[RunnerDeployment]:
    """A deployment for each of OFFERS, with the schedules of params.yaml, all of them paused.

    Raises HandbookError for a schedule that is none, and for one of a deployment that is not there.
    """
    plans = schedules([offer.name for offer in OFFERS])
    return [_deployment(offer, plans.get(offer.name)) for offer in OFFERS]


def schedules(names: list[str]) -> dict[str, Schedule]:
    """`schedules:` of params.yaml, a cron string for a deployment; each starts paused, to be switched on by a person.

    Raises HandbookError for a string that is no schedule, and for a name that is no deployment.
    """
    asked = Project.here().numbers().get("schedules") or {}
    if not isinstance(asked, dict):
        raise HandbookError(f"params.yaml, schedules: expected a mapping of deployments, found {asked!r}")
    return {name: _schedule(name, text, names) for name, text in asked.items()}


def _schedule(name: str, text: object, names: list[str]) -> Schedule:
    where = f"params.yaml, schedules.{name}"
    if name not in names:
        raise HandbookError(f"{where}: {unknown('deployment', name, names)}")
    try:
        return Cron(str(text), timezone="UTC", active=False)
    except ValueError:
        raise HandbookError(
            f"{where}: {text!r} is no schedule. Expected five fields, minute hour day month weekday, in UTC, "
            f"such as '0 3 * * *' for every night at three"
        ) from None


def _deployment(offer: Offer, schedule: Schedule | None) -> RunnerDeployment:
    flow = getattr(import_module(f"flows.{offer.flow}"), offer.flow)
    return RunnerDeployment.from_flow(
        flow,
        name=offer.name,
        description=offer.description,
        tags=["handbook", *offer.tags],
        version=package.__version__,
        entrypoint_type=AS_MODULE,
        schedules=[schedule] if schedule else [],
    )


def main() -> int:
    """Serve until ended; 1 for schedules that are none, and without a server to offer them to."""
    try:
        if not PREFECT_API_URL.value():  # Prefect would start a server that lets everybody in
            raise HandbookError(
                "no Prefect to offer deployments to. `make ui` starts one with all of them; "
                "to serve them to another, export PREFECT_API_URL and PREFECT_API_AUTH_STRING"
            )
        # limit: one workspace has one writer. Prefect would pause what it served for good; each start pauses
        # the schedules anyway. query_seconds: somebody has clicked and waits
        serve(*offered(), limit=1, pause_on_shutdown=False, query_seconds=3)
    except HandbookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
