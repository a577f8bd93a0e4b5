"""python -m flows.deployments: what Prefect's pages offer, served from this checkout."""

from __future__ import annotations

from prefect import serve
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

import handbook as package
from flows.case_study import case_study
from flows.handbook import handbook

# Loaded as a script, flows/ itself is searched for modules, and flows/handbook.py hides the package of its name.
AS_MODULE = EntrypointType.MODULE_PATH
NIGHTLY = "0 3 * * *"  # at three, when nobody works in the checkout


def offered() -> list[RunnerDeployment]:
    """One case on demand; the whole handbook on demand, or nightly once somebody switches its schedule on."""
    one = RunnerDeployment.from_flow(
        case_study,
        name="case-study",
        description="One case from its data to the registry. Stages that are up to date end as Cached.",
        tags=["handbook", "case"],
        version=package.__version__,
        entrypoint_type=AS_MODULE,
    )
    every = RunnerDeployment.from_flow(
        handbook,
        name="handbook",
        description="Every case, then the report. Its nightly schedule starts paused: switch it on here.",
        tags=["handbook", "nightly"],
        version=package.__version__,
        entrypoint_type=AS_MODULE,
        schedules=[Cron(NIGHTLY, timezone="UTC", active=False)],
    )
    return [one, every]


if __name__ == "__main__":
    # limit: one workspace has one writer. Prefect would pause what it served for good; each start pauses
    # the nightly schedule anyway. query_seconds: somebody has clicked and waits
    serve(*offered(), limit=1, pause_on_shutdown=False, query_seconds=3)
