"""Bring judged cases into the registry."""

from __future__ import annotations

import sys

from handbook.errors import HandbookError
from handbook.project import Project


def register(project: Project, *names: str) -> None:
    """Bring cases, by default all that are evaluated, into the registry, and move their aliases.

    One process for all of them, since most of a registration is the start of its libraries. A case that cannot be
    registered keeps no other from it; the first such error is raised at the end.
    """
    from handbook.registry import outlines, tracking

    faults = []
    for name in names or _evaluated(project):
        try:
            print(tracking.register(project, project.case(name, outlines.page)), flush=True)
        except HandbookError as error:
            faults.append(error)
    for fault in faults[1:]:
        print(f"error: {fault}", file=sys.stderr)
    if faults:
        raise faults[0]


def _evaluated(project: Project) -> list[str]:
    return [name for name in project.cases() if (card := project.evaluated(name)) and card.exists()]
