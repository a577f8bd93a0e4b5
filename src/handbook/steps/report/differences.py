"""What is new since the build before: figures of today beside those that the last build wrote down.

`reports/built.json`, kept in git, holds the figures of the last build and of the one before it that had others. So a
build that changes nothing shows the same again, byte for byte, and a fresh clone knows what its last build was.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from handbook import contract
from handbook.files import documents
from handbook.files.formats import write_json
from handbook.project import Project
from handbook.registry import results as read
from handbook.steps.report.table import data_of, metrics, shown
from handbook.steps.sources import digest

DIGITS = 6  # significant ones that are kept: more than any table shows
Build = dict[str, dict[str, Any]]  # {"cases": {name: {"data", "figures"}}, "labs": {name: {"facts", "digest"}}}


def place(project: Project) -> Path:
    """Where a build writes down what it showed."""
    return project.root / "reports" / "built.json"


def today(project: Project) -> Build:
    """The figures of all cases as they are now; of labs, which measure some hundred facts each, a digest."""
    found: Build = {"cases": {}, "labs": {}}
    for name in project.cases():
        numbers = metrics(project, name)
        figures = {key: float(f"{value:.{DIGITS}g}") for key, value in numbers.items() if isinstance(value, float)}
        found["cases"][name] = {"data": data_of(numbers, project.case(name).dataset), "figures": figures}
    for name in project.labs():
        checks = read.checks(project, name)
        kept = {key: f"{value:.{DIGITS}g}" if isinstance(value, float) else value for key, value in checks.items()}
        found["labs"][name] = {"facts": len(checks), "digest": digest(kept)}
    return found


def before(project: Project, now: Build) -> Build | None:
    """The figures that today's are to be compared with; None where no build with others is known."""
    if not os.path.lexists(place(project)):
        return None
    fields: dict[str, documents.Kind] = {"now": dict, "before": (dict, type(None))}
    way = "Bring it back: git checkout -- reports/built.json; or delete it, and the next build compares with nothing"
    last = documents.json_object(place(project), way, fields)
    for build in filter(None, (last["now"], last["before"])):
        if fault := documents.misshapen(build, {"cases": dict, "labs": dict}):
            raise documents.damaged(place(project), fault, way)
    found: Build | None = last["before"] if last["now"] == now else last["now"]
    return found


def write(project: Project, now: Build, earlier: Build | None) -> None:
    """Write down what this build showed and what it was compared with."""
    write_json(place(project), {"now": now, "before": earlier})


def changes(project: Project, now: Build, earlier: Build | None) -> dict[str, Any]:
    """What the top of the report says: new, gone and changed cases and labs."""
    if earlier is None:
        return {"first": True}
    kinds = ("cases", "labs")
    return {
        "first": False,
        "added": {kind: [name for name in now[kind] if name not in earlier[kind]] for kind in kinds},
        "gone": {kind: [name for name in earlier[kind] if name not in now[kind]] for kind in kinds},
        "moved": list(_moved(project, now["cases"], earlier["cases"])),
        "labs": [name for name, each in now["labs"].items() if earlier["labs"].get(name, each) != each],
    }


def _moved(project: Project, now: Mapping[str, Any], earlier: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The cases whose data or whose figures, as they are shown, are others."""
    for name in now:
        if name not in earlier:
            continue
        page = project.case(name).page
        data = [earlier[name]["data"], now[name]["data"]]
        figures = list(_figures(now[name]["figures"], earlier[name]["figures"]))
        if figures or data[0] != data[1]:
            old, new = (each[name]["figures"].get(page.PRIMARY) for each in (earlier, now))
            figures.sort(key=lambda each: each["name"] != page.PRIMARY)  # the one that it is judged by stands first
            yield {
                "case": name,
                "data": data if data[0] != data[1] else None,
                "figures": figures,
                "primary": page.PRIMARY,
                "better": None if old is None or new is None or old == new or data[0] != data[1]
                else (new < old) == contract.case(page).lower_is_better,
            }  # fmt: skip


def _figures(now: Mapping[str, float], earlier: Mapping[str, float]) -> Iterator[dict[str, str]]:
    for name in dict.fromkeys([*now, *earlier]):
        old, new = shown(name, earlier.get(name)), shown(name, now.get(name))
        if old != new:
            yield {"name": name, "before": old, "now": new}
