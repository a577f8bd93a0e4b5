"""What of the pipeline is built, what is stale, and what is not there yet: before DVC is asked to show or compare it.

`dvc plots show` and `dvc metrics show` fail over what was never built, and `dvc status` says a line for each file of
each stage. This says a line a verb, and what to type.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from handbook.project import Project
from handbook.registry import pinned
from handbook.steps import repeated, sources

SHOWN = 6  # names in a line
ORDER = ("validate", "train", "evaluate", "lab", "register", "report")
# Files that a stage depends on and that are small: what is stale by its data is seen by `dvc status` alone.
SMALL = ("sources/", "reports/", "models/")


@dataclass(frozen=True)
class State:
    """A stage, by its verb and its name: fresh, or what is the matter with it."""

    verb: str
    name: str
    fault: str = ""  # "not built" or "stale"


def states(project: Project) -> Iterator[State]:
    """Of every stage that params.yaml asks for, whether it is built, of today's code, parameters and inputs."""
    locked, md5 = project.locked(), cache(pinned.md5)
    wanted = [(verb, name) for verb, names in sources.stages(project).items() if verb != "report" for name in names]
    for verb, name in [*wanted, ("register", ""), ("report", "")]:
        stage = locked.get(f"{verb}@{name}" if name else verb)
        yield State(verb, name, _fault(project, stage, md5))


def _repeated(project: Project) -> Iterator[State]:
    """Of each case whose figures over several seeds are there, whether they are today's."""
    for name in project.cases():
        if (old := repeated.stale(project, name)) is not None:
            yield State("repeat", name, "stale" if old else "")


def _fault(project: Project, stage: dict[str, Any] | None, md5: Any) -> str:
    if stage is None or any(not _is_there(project.root, out) for out in stage.get("outs", [])):
        return "not built"
    small = [part for part in stage.get("deps", []) if part["path"].startswith(SMALL)]
    return "stale" if any(md5(project.root / part["path"]) != part["md5"] for part in small) else ""


def _is_there(root: Path, out: dict[str, Any]) -> bool:
    path = root / out["path"]
    return (out.get("nfiles") == 0 or any(path.iterdir())) if path.is_dir() else path.exists()


def status(project: Project) -> None:
    """Print a line a verb: how many of its stages are fresh, which are not, and what to type."""
    sources.sources(project)
    found = list(states(project))
    for verb in ORDER:
        stages = [each for each in found if each.verb == verb]
        if stages:
            print(_line(verb, stages))
    if seeds := list(_repeated(project)):
        print(_line("repeat", seeds))
    if any(each.fault for each in seeds):
        print("Stale seeds are trained again, for hours, by dvc repro repeats/dvc.yaml; then make report")
    faulty = [each for each in found if each.fault]
    missing = [each.name for each in faulty if each.fault == "not built" and each.verb in ("train", "evaluate")]
    if not faulty:
        print("All is built of today's code and parameters. Whether the data changed as well, says: dvc status --quiet")
        return
    print("Build what is missing or stale: make repro, or, one stage after the other, dvc repro")
    if missing:
        built = [each.name for each in found if each.verb == "evaluate" and not each.fault]
        shown = f", for now of what is built: dvc plots show reports/{built[0]}/history.csv" if built else ""
        print(f"Until then dvc plots show and dvc metrics show fail{shown}")


def _line(verb: str, stages: list[State]) -> str:
    fresh = sum(not each.fault for each in stages)
    parts = [f"{fresh} of {len(stages)} fresh"]
    for fault in ("stale", "not built"):
        names = [each.name or verb for each in stages if each.fault == fault]
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        parts += [f"{len(names)} {fault}: {', '.join(names[:SHOWN])}{more}"] * bool(names)
    return f"{verb:9} " + "; ".join(parts)
