"""The verbs for models in service: MLflow follows, and a server that is not there changes nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.registry import shown
from handbook.serving import commands
from tests.registry.test_lineage import aliases, registered

NAME = "lenet"
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


def test_mlflow_follows_a_rollback_and_a_deleted_registry_comes_back_rolled_back(
    placed: Callable[..., Any], project: Project
) -> None:
    registered(project, placed, 0.8, 0.9)
    commands.rollback(project, NAME)
    assert "version 2 is champion, before it 1" in commands.promote(project, NAME, "2")
    assert set(shown.recorded(project, NAME)[1]) == {"challenger", "champion", "previous"}
    assert "version 1 is champion again; version 2 is rejected" in commands.rollback(project, NAME)
    before, known = shown.recorded(project, NAME)
    assert known == {"challenger": "2", "champion": "1"}
    shutil.rmtree(project.mlruns)
    # in a process of its own: this one's MLflow still holds the database that is gone
    command = [sys.executable, "-W", "ignore", "-c", AGAIN, NAME]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=True)
    again, known_again = json.loads(done.stdout.splitlines()[-1])
    assert known_again == known
    assert again == [[each.version, each.content, each.files] for each in before]


AGAIN = """
import json, sys
from handbook.project import Project
from handbook.registry import shown
from handbook.steps import register
project, name = Project.here(), sys.argv[1]
register.register(project, name)
found, aliases = shown.recorded(project, name)
print(json.dumps([[[each.version, each.content, each.files] for each in found], aliases]))
"""


def test_a_server_that_is_not_there_changes_nothing_and_is_named(
    entered: Callable[..., str], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered(NAME, 0.8)
    entered(NAME, 0.9)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(HandbookError, match=r"is http://127\.0\.0\.1:9, but no MLflow server answers there"):
        commands.rollback(project, NAME)
    assert aliases(project)["champion"] == 2
