"""The command line: what is wrong with it is reported without a traceback, and each verb says what it does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from handbook import datasets
from handbook.__main__ import VERBS
from handbook.project import Project
from tests.conftest import ROOT


def test_the_code_of_another_checkout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "src/handbook").mkdir(parents=True)
    (tmp_path / "src/handbook/__main__.py").write_text("")
    (tmp_path / "params.yaml").write_text("")
    command = [sys.executable, "-m", "handbook", "check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"the current folder belongs to {tmp_path}" in done.stderr
    assert "make setup" in done.stderr


def handbook(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "handbook", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["train", "lenett"],
            f"no case 'lenett'; choose from {', '.join(sorted(Project(ROOT).cases()))} (did you mean lenet?)",
        ),
        (
            ["validate", "mnits"],
            f"no dataset 'mnits'; choose from {', '.join(sorted(datasets.names()))} (did you mean mnist?)",
        ),
        (["data", "x"], "no dataset 'x'"),
        (["evaluate", "digits"], "no model here: it is not trained yet"),
    ],
)
def test_an_error_is_reported_without_a_traceback(words: list[str], message: str, project: Project) -> None:
    done = handbook(*words, cwd=project.root)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_command_line_is_refused(project: Project) -> None:
    assert handbook("trian", "lenet", cwd=project.root).returncode == 2
    assert handbook("data", "--source", "cloud", cwd=project.root).returncode == 2


def test_every_verb_says_what_it_does(project: Project) -> None:
    reported = handbook("--help", cwd=project.root).stdout
    assert all(verb in reported for verb in VERBS)
