"""`make audit` says what it knows, and never that nothing is wrong where it could not ask."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT

LOCK = """
[[package]]
name = "handbook"
version = "0"
source = { editable = "." }
[[package]]
name = "one"
version = "1.0"
source = { registry = "https://example.org/simple" }
[[package]]
name = "two"
version = "2.0"
source = { registry = "https://example.org/simple" }
"""
HOLE = {"id": "PYSEC-1", "fix_versions": ["1.1"], "description": "a hole"}
CLEAN = [{"name": "one", "version": "1.0", "vulns": []}, {"name": "two", "version": "2.0", "vulns": []}]


@pytest.fixture
def audit(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The audit of a lock of two packages, with a stand-in for pip-audit that prints and fails as it is bidden."""

    def run(out: str, error: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
        (tmp_path / "requirements").mkdir(exist_ok=True)
        (tmp_path / "requirements" / "audit.py").write_text((ROOT / "requirements" / "audit.py").read_text())
        (tmp_path / "uv.lock").write_text(LOCK)
        body = f"import sys\nprint({out!r}, end='')\nprint({error!r}, file=sys.stderr)\nsys.exit({code})\n"
        (tmp_path / "requirements" / "pip_audit.py").write_text(body)
        environment = {"PYTHONPATH": str(tmp_path / "requirements")}
        command = [sys.executable, "requirements/audit.py"]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


def test_where_nothing_is_known_it_says_how_many_were_looked_up(
    audit: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = audit(json.dumps({"dependencies": CLEAN}))
    assert (done.returncode, done.stdout) == (0, "2 packages looked up, 0 known vulnerabilities, 0 accepted\n")


def test_a_known_vulnerability_is_named_with_what_mends_it(
    audit: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = audit(json.dumps({"dependencies": [CLEAN[0] | {"vulns": [HOLE]}, CLEAN[1]]}), code=1)
    assert done.returncode == 1
    assert "one: PYSEC-1, fixed in 1.1" in done.stdout


def test_an_advisory_service_out_of_reach_is_no_clean_result(
    audit: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = audit("", "Traceback ...\nrequests.exceptions.ConnectionError: no route", code=1)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "no audit was made: requests.exceptions.ConnectionError: no route" in done.stderr
    assert "says nothing about the packages" in done.stderr


def test_packages_that_could_not_be_looked_up_are_no_clean_result(
    audit: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    skipped = {"name": "two", "skip_reason": "Dependency not found and could not be audited"}
    done = audit(json.dumps({"dependencies": [CLEAN[0], skipped]}))
    assert done.returncode == 2
    assert "1 of 2 were not looked up: two==2.0" in done.stderr
