"""Killed at its writes, one after the other, for real: the same command again ends as an unbroken one does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handbook.project import Project
from handbook.registry import ledger, shown
from tests.monitoring.toys import CASE as NAME
from tests.monitoring.toys import bring_new_calls, give_ranges

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

# The command line, but that the process is gone at the write of that number: files moved in, rows of databases.
DYING = """
import os, sys
from pathlib import Path
last, calls = int(sys.argv[1]), 0

def counted(write):
    def dying(*given, **named):
        global calls
        calls += 1
        if calls == last:
            os._exit(9)
        return write(*given, **named)
    return dying

Path.replace, os.replace = counted(Path.replace), counted(os.replace)
import sqlalchemy
sqlalchemy.event.listen(sqlalchemy.engine.Engine, "commit", counted(lambda connection: None))
sys.argv[:] = ["handbook", *sys.argv[2:]]
from handbook.__main__ import main
sys.exit(main())
"""


def run(root: Path, last: int, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-c", DYING, str(last), *words]
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def end(root: Path) -> dict[str, Any]:
    """What a command leaves: the ledger, what MLflow shows of it, batches and their records."""
    project = Project(root)
    state = ledger.state(project, NAME)
    versions, aliases = shown.recorded(project, NAME)
    records = sorted((root / "reports" / "monitor" / NAME).glob("*.json"))
    page = root / "reports" / "monitor" / NAME / "index.html"
    return {
        "ledger": {key: value for key, value in state.items() if key != "files"},
        "versions": [each.content for each in versions],
        "aliases": aliases,
        "incoming": sorted(str(path.relative_to(root)) for path in (root / "incoming").rglob("*") if path.is_file()),
        "outcomes": [json.loads(path.read_text())["outcome"] for path in records],
        "on the page": [path.stem in page.read_text() for path in records],
        "left": sorted(str(path.relative_to(root)) for path in root.rglob(".*.new")),
    }


@pytest.mark.parametrize(
    "commands",
    [
        [("promote", NAME, "--version", "1")], [("rollback", NAME)], [("monitor", NAME)],
        [("monitor", NAME), ("retrain", NAME)], [("sweep", NAME, "--trials", "2")], [("register", NAME)],
    ],
    ids=lambda commands: commands[-1][0],
)  # fmt: skip
def test_the_same_command_again_ends_as_an_unbroken_one(
    commands: list[tuple[str, ...]], champion_of: Callable[[str], Path], tmp_path: Path
) -> None:
    place, before = tmp_path / "project", tmp_path / "before"
    shutil.copytree(champion_of(NAME), place)
    bring_new_calls(place)
    give_ranges(place)
    numbers = (place / "params.yaml").read_text()
    (place / "params.yaml").write_text(numbers.replace("max_iter: 60", "max_iter: 61"))
    for verb in ("train", "evaluate", "register"):
        assert run(place, 0, verb, NAME).returncode == 0
    assert run(place, 0, "promote", NAME, "--version", "2").returncode in (0, 1)
    if commands[-1][0] == "register":
        (place / "params.yaml").write_text(numbers.replace("max_iter: 60", "max_iter: 62"))
        for verb in ("train", "evaluate"):
            assert run(place, 0, verb, NAME).returncode == 0
    for words in commands[:-1]:
        assert run(place, 0, *words).returncode == 0
    place.rename(before)
    unbroken: dict[str, Any] = {}
    for last in (0, *range(1, 9), 11, 14, 18, 23, 29, 37, 47, 60):
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(before, place, symlinks=True)
        killed = run(place, last, *commands[-1])
        assert killed.returncode in (0, 9), (last, killed.stderr)
        if killed.returncode == 9:
            again = run(place, 0, *commands[-1])
            # killed behind the last batch, the same command is a new one, which finds none
            assert again.returncode == 0 or "no batch has come in" in again.stderr, (last, again.stderr)
        found = end(place)
        unbroken = unbroken or found
        assert found == unbroken, last
        if last and not killed.returncode:
            break
