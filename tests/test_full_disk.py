"""A full disk, for real: every verb ends in a sentence and leaves nothing half-written; with room it ends well."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from handbook.project import Project
from tests.conftest import ROOT
from tests.monitoring.toys import CASE as NAME
from tests.monitoring.toys import bring_new_calls, give_ranges

SIZE = 96  # megabytes: the toy project, its registry, and what is written beside them
VERBS = (
    ("sources",), ("validate", "bank_marketing"), ("train", NAME), ("evaluate", NAME), ("register", NAME),
    ("predict", NAME, "clients.csv", "--output", "answers.csv"), ("sweep", NAME, "--trials", "2"), ("monitor", NAME),
    ("retrain", NAME), ("promote", NAME, "--version", "2"), ("rollback", NAME),
    ("data", "iris", "--source", "sample"),
)  # fmt: skip
pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes, where mounting is allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no tmpfs can be mounted here: it takes root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextlib.contextmanager
def full(disk: Path, left: int) -> Iterator[None]:
    """Next to no room on the disk."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while True:
            stream.write(bytes(1 << 16))
    os.truncate(filler, max(filler.stat().st_size - left, 0))
    try:
        yield
    finally:
        filler.unlink()


def handbook(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-m", "handbook", *words]
    environment = {**os.environ, "TMPDIR": str(root.parent / "tmp"), "OMP_NUM_THREADS": "1"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def test_every_verb_says_so_and_ends_well_once_there_is_room(
    small_disk: Path, champion_of: Callable[[str], Path]
) -> None:
    root = small_disk / "project"
    shutil.copytree(champion_of(NAME), root)
    (small_disk / "tmp").mkdir()
    (root / ".dvc").mkdir()
    shutil.copy(ROOT / ".dvc" / "config", root / ".dvc")
    give_ranges(root)
    rows = (root / "data" / "bank_marketing" / "bank-full.csv").read_text().splitlines()
    (root / "clients.csv").write_text("\n".join([rows[0], *rows[1:20]]) + "\n")
    bring_new_calls(root)
    refused = set()
    for words in VERBS:
        for left in (0, 1 << 14, 1 << 18):
            with full(small_disk, left):
                done = handbook(root, *words)
            assert "Traceback" not in done.stderr, (words, left, done.stderr)
            assert done.returncode in (0, 1), (words, left, done)
            if done.returncode:
                refused.add(words[0])
                assert "error: " in done.stderr, (words, left, done.stderr)
                assert not [path for path in root.rglob(".*.new") if ".cache" not in path.parts], (words, left)
            else:
                break
        else:
            done = handbook(root, *words)
            assert done.returncode == 0, (words, done.stderr)
    assert refused >= {"train", "evaluate", "register"}
    verified = handbook(root, "verify", NAME).stdout
    assert not [
        line for line in verified.splitlines() if line.startswith(("ledger", "MLflow")) and ", 0 not" not in line
    ]
    assert Project(root).models(NAME).is_dir()
