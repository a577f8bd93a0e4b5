"""All calls of DVC: a stage is run as a person would run it, `dvc repro --single-item STAGE`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from flows.machine import Machine, current
from handbook.errors import HandbookError
from handbook.files import private
from handbook.project import Project

Say = Callable[[str], None]

GATES = ("sources", "validate")  # what all the others wait for
HEAVY = ("train", "evaluate")  # the verbs that take memory, and the accelerator
SHARE = "HANDBOOK_SHARE"  # set: this clone has its DVC remote in common with others that work on the same stages
KEPT_LINES = 12  # holds an error of the handbook with its way out, and still fits a list of runs
PATIENCE = 3600.0  # seconds to wait for another DVC: a person's own `dvc repro` may be training

# What DVC says after every stage; git is nothing that a run does.
HINTS = ("To track the changes with git", "\tgit add", "To enable auto staging", "\tdvc config", "Use `dvc push`")
# Nor is a folder without a plot in it, as a case has that tells no classes apart.
EMPTY = re.compile(r"WARNING: 'reports/\w+/confusion' is empty")
# What DVC says of a stage that it did not have to run: nothing changed, or its run-cache knows the outcome.
NOTHING_TO_DO = "Stage '{}' (didn't change, skipping$|is cached - skipping run)"
# Another DVC holds a path that this stage needs, or the file in which such claims are kept.
BUSY = re.compile(r"^ERROR: .*(is busy, it is being blocked by|[Uu]nable to acquire lock)")


class Outcome(Enum):
    """What became of a stage that did not fail."""

    RAN = "ran"
    CACHED = "cached"


@dataclass(frozen=True)
class Done:
    """A stage that is up to date: whether it had to run for that, and how long DVC took."""

    stage: str
    outcome: Outcome
    seconds: float


class StageError(HandbookError):
    """A stage that could not be brought up to date."""


def run(stage: str, say: Say) -> Done:
    """Bring one stage up to date and pass on each line that it writes; StageError carries its last lines."""
    room, root = current(), Project.here().root
    with room.place(stage.partition("@")[0] in HEAVY, _rank(stage)):
        started = time.monotonic()
        for wait in _patience():
            code, idle, lines = _brought(stage, root, room, say)
            if not any(map(BUSY.match, lines)):
                break
            say(f"another DVC is at work on what {stage} needs; next try in {wait:.0f} s")
            room.pause(wait)
        seconds = time.monotonic() - started
    if code:
        raise StageError(_story(stage, code, lines))
    return Done(stage, Outcome.CACHED if idle else Outcome.RAN, seconds)


def _rank(stage: str) -> int:
    """Gates go first, for everything waits for them; then what params.yaml names, in its order; then the others."""
    if stage.partition("@")[0] in GATES:
        return 0
    first = Project.here().first()
    return 1 + (first.index(stage) if stage in first else len(first))


def _patience() -> Iterator[float]:
    """Seconds until the next try, doubling up to half a minute; ends when PATIENCE is used up."""
    wait, spent = 1.0, 0.0
    while spent < PATIENCE:
        yield wait
        spent += wait
        wait = min(2 * wait, 30.0)


def _brought(stage: str, root: Path, room: Machine, say: Say) -> tuple[int, bool, list[str]]:
    """One try: DVC's exit code, whether it found nothing to do, and the last lines.

    Of a clone that shares its remote, what others made is fetched first, and what was made here is given to them.
    """
    # --wait-for-lock: a stage takes the lock again after its command; given up after 3 s, its work is lost
    dvc = ["dvc", "--wait-for-lock"]
    if not os.environ.get(SHARE):
        return _streamed([*dvc, "repro", "--single-item", stage], stage, root, room, say)
    fetched = _streamed([*dvc, "fetch", "--run-cache", stage], stage, root, room, say)
    if fetched[0]:
        return fetched
    # with what comes before it: another clone may have made that, and then it is given back, not run
    reproduced = _streamed([*dvc, "repro", "--pull", stage], stage, root, room, say)
    given = reproduced if reproduced[0] else _streamed(["flows.share", stage], stage, root, room, say)
    return given if given[0] else reproduced


def _streamed(module: list[str], stage: str, root: Path, room: Machine, say: Say) -> tuple[int, bool, list[str]]:
    """`python -m MODULE`: its exit code, whether DVC had nothing to do for the stage, and the last lines."""
    if room.closed:
        raise StageError(f"stage {stage} was stopped with its flow. Run the flow again to go on")
    nothing = re.compile(NOTHING_TO_DO.format(re.escape(stage)))
    with started([sys.executable, "-m", *module], root, room) as process, room.child(process):
        idle, lines = False, deque[str](maxlen=KEPT_LINES)
        for line in map(str.rstrip, process.stdout or ()):
            if not line or line.startswith(HINTS) or EMPTY.match(line):
                continue
            say(line)
            lines.append(line)
            idle = idle or bool(nothing.match(line))
    return process.returncode, idle, list(lines)


def started(command: list[str], root: Path, room: Machine) -> subprocess.Popen[str]:
    """The command in a process group of its own, so that it can be ended whole; supervised where nobody else would."""
    return subprocess.Popen(
        [sys.executable, "-m", "flows.supervisor", *command] if room.alone else command,
        cwd=root,
        env=_environment(root),
        stdin=subprocess.PIPE if room.alone else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def _environment(root: Path) -> dict[str, str]:
    """What a stage finds: our own python first, DVC's cache closed, no lines held back."""
    own = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": os.pathsep.join([own, os.environ.get("PATH", os.defpath)]),
        private.SITE_CACHE: str(private.site_cache(root)),
        "PYTHONUNBUFFERED": "1",
    }


def _story(stage: str, code: int, lines: list[str]) -> str:
    tail = "\n".join(f"  {line}" for line in lines) or "  (it said nothing)"
    return (
        f"stage {stage} failed, dvc ended with {code}. Its last lines:\n{tail}\n"
        f"To see it alone: dvc repro --single-item {stage}"
    )
