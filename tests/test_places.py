"""Fresh checkouts in the places and under the conditions that people have, from nothing to a registered model.

Each does its own set-up by `make`, and then the chain of one case on real data that need no network. With
HANDBOOK_PROOF_TARGETS="repro check test", these of make's targets are built in place of the chain, half an hour a
place; with PYTHON, by that Python, which every user must be able to read.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(6 * 3600)]
STRANGER = 12345  # a user without a name, a home or a line in passwd, as containers have it
TARGETS = os.environ.get("HANDBOOK_PROOF_TARGETS", "chain")
CHAIN = """
chain: setup
	@python -c "import handbook; print('code of', handbook.__file__)"
	@python -m handbook data iris
	@dvc repro --single-item sources && dvc repro evaluate@classifiers_iris && dvc repro --single-item register
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user can reach, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="handbook ")).resolve()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def git(*words: str, cwd: Path = ROOT) -> None:
    subprocess.run(["git", *words], cwd=cwd, check=True, capture_output=True)


def system_path() -> str:
    """The path without a virtual environment, and for a stranger without what lies in root's home."""
    own = str(Path(sys.prefix) / "bin")
    folders = [each for each in os.environ["PATH"].split(os.pathsep) if each != own]
    if os.geteuid() == 0:
        folders = [each for each in folders if not each.startswith("/root")]
    return os.pathsep.join(folders)


def build(checkout: Path, environment: dict[str, str], umask: int = 0o022, user: int | None = None) -> str:
    """What make prints, in this environment and no other variable but those that say where packages come from."""
    (checkout / "chain.mk").write_text(CHAIN)
    if user is not None:
        for path in (checkout, *checkout.rglob("*")):
            os.chown(path, user, user, follow_symlinks=False)
    given, alone = ("PIP_", "UV_", "SSL_", "HANDBOOK_"), ("PYTHON", "PYTEST_ADDOPTS")
    kept = {key: value for key, value in os.environ.items() if key.startswith(given) or key in alone}
    kept = {key: value for key, value in kept.items() if not value.startswith("/root")}
    done = subprocess.run(
        ["make", "-f", "Makefile", "-f", "chain.mk", *TARGETS.split()],
        cwd=checkout, env={"PATH": system_path()} | kept | environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, umask=umask, user=user, group=user,
        extra_groups=None if user is None else [],
    )  # fmt: skip
    print(done.stdout)  # which pytest shows of what fails, and with -rP of all
    assert done.returncode == 0
    return done.stdout


def holds(checkout: Path, reported: str) -> None:
    """The checkout's own code has run to the end, on real data."""
    if TARGETS == "chain":
        assert f"code of {checkout}/src/handbook" in reported
        metrics = json.loads((checkout / "reports/classifiers_iris/metrics.json").read_text())
        assert metrics["data"] == "real"
        assert (checkout / "mlruns/registered/classifiers_iris.json").exists()


def test_a_stranger_without_home_or_name_builds_in_a_folder_with_a_space_and_an_accent(place: Path) -> None:
    checkout, other = place / "ein Café", place / "other"
    git("clone", "--quiet", "--no-hardlinks", str(ROOT), str(checkout))
    (other / "handbook").mkdir(parents=True)
    (other / "handbook/__init__.py").write_text("raise SystemExit('the other handbook was run')\n")
    environment = {
        "LANG": "C", "PIP_USER": "1", "PYTHONHOME": "/nonexistent", "PYTHONPATH": str(other),
        "TMPDIR": "/nonexistent/tmp", "OMP_NUM_THREADS": "4,2",
    }  # fmt: skip
    user = STRANGER if os.geteuid() == 0 else None
    reported = build(checkout, environment, umask=0o077, user=user)
    assert "TMPDIR is /nonexistent/tmp" in reported
    holds(checkout, reported)


def test_a_worktree_builds_beside_an_active_conda_where_home_cannot_be_written(place: Path) -> None:
    clone, checkout, home, conda = (place / name for name in ("clone", "worktree", "home", "conda"))
    git("clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone))
    git("worktree", "add", "--quiet", "--detach", str(checkout), cwd=clone)
    (conda / "bin").mkdir(parents=True)
    python = shutil.which("python3", path=system_path())
    assert python
    (conda / "bin/python3").symlink_to(python)
    home.mkdir(mode=0o555)
    environment = {
        "HOME": str(home), "CONDA_PREFIX": str(conda), "CONDA_DEFAULT_ENV": "base", "OMP_NUM_THREADS": "auto",
        "PATH": f"{conda}/bin:{system_path()}",
    }  # fmt: skip
    user = STRANGER if os.geteuid() == 0 else None
    if user is not None:
        for path in (clone, *clone.rglob("*")):
            os.chown(path, user, user, follow_symlinks=False)
    holds(checkout, build(checkout, environment, umask=0o000, user=user))
    assert not [*home.iterdir()]


def test_a_source_archive_without_git_builds_whatever_the_locale(place: Path) -> None:
    checkout = place / "archive"
    checkout.mkdir()
    git("archive", "--output", str(place / "source.tar"), "HEAD")
    subprocess.run(["tar", "-xf", str(place / "source.tar"), "-C", str(checkout)], check=True)
    holds(checkout, build(checkout, {"HOME": str(place), "LC_ALL": "POSIX"}))
    assert not (checkout / ".git").exists()
