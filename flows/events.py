"""What happens to cases in service, as events of Prefect: for its pages, its automations and whoever listens to them.

Each is about the resource `handbook.case.CASE` and carries `case` and `said`, a sentence. Only a server hears of it;
where none is configured nothing is lost, since the records and the ledger hold it all.

    python -m flows.events promoted|rolled-back CASE    what the commands of these names tell a server that is there
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flows import servers
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.registry import ledger, standings

BATCH_DRIFTED, BATCH_REFUSED = "handbook.batch.drifted", "handbook.batch.refused"
DRIFTED = "handbook.case.drifted"  # k of the last n batches: it is time to retrain
PROMOTED, ROLLED_BACK = "handbook.model.promoted", "handbook.model.rolled-back"
FAILED = "handbook.case.failed"
COMMANDS = {"promoted": PROMOTED, "rolled-back": ROLLED_BACK}
LONGEST = 2000  # characters of a sentence; a batch's reason may list every expectation


def emit(event: str, case: str, said: str, **more: Any) -> None:
    """Tell the server, if there is one; a server that does not listen is no fault of ours."""
    from prefect.events import emit_event

    resource = {"prefect.resource.id": f"handbook.case.{case}", "prefect.resource.name": case}
    emit_event(event, resource=resource, payload={"case": case, "said": said[:LONGEST], **more})


def champion(project: Project, case: str) -> str | None:
    """The record that is champion of a case; None where there is none, or the ledger cannot be read."""
    try:
        return (standings.opened(ledger.store(project, case)) or {}).get("champion")
    except HandbookError:  # reported by who needs it
        return None


@contextmanager
def promotions(project: Project, *cases: str) -> Iterator[None]:
    """Whoever becomes champion in this block is reported at its end."""
    before = {case: champion(project, case) for case in cases}
    yield
    for case in cases:
        now = champion(project, case)
        if now and now != before[case]:
            emit(PROMOTED, case, state_of(project, case), champion=now, before=before[case] or "")


def state_of(project: Project, case: str) -> str:
    """A sentence on who is champion."""
    known = standings.opened(ledger.store(project, case)) or standings.blank()
    before = ledger.number(known, "previous")
    return f"{case}: version {ledger.number(known, 'champion')} is champion" + (f", before it {before}" * bool(before))


def main() -> int:
    """The exit code: 0 the server knows or there is none, 1 it could not be reached."""
    arguments = parser().parse_args()
    project = Project.here()
    try:
        known = servers.known_api(project.root)
        if known is None:
            return 0
        os.environ.update(servers.environment(project.root) | known)
        from prefect.events.worker import EventsWorker

        said = state_of(project, arguments.case)
        emit(COMMANDS[arguments.what], arguments.case, said, champion=champion(project, arguments.case) or "")
        EventsWorker.drain_all(timeout=10)
    except HandbookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="flows.events", description="Tell Prefect what was done to a case.")
    top.add_argument("what", choices=sorted(COMMANDS))
    top.add_argument("case", metavar="CASE")
    return top


if __name__ == "__main__":
    sys.exit(main())
