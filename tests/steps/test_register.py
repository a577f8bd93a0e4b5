"""Registering: a case that cannot be registered keeps no other from it, and what is evaluated is what is registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.files.formats import write_json
from handbook.project import Project
from handbook.registry import ledger
from handbook.steps import register

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


def test_faults_are_said_all_of_them_and_the_sound_case_is_registered(
    placed: Callable[..., Any], project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    placed("digits")
    with pytest.raises(HandbookError, match=r"^no case 'digit'; choose from .*\(did you mean digits\?\)$"):
        register.register(project, "digit", "digits", "lenet")
    reported = capsys.readouterr()
    assert reported.out == "digits: version 1 passes the gate and is champion (accuracy 0.9000)\n"
    assert "metrics.json is missing: lenet is not evaluated yet. Make it: dvc repro evaluate@lenet" in reported.err
    assert ledger.number(ledger.state(project, "digits"), "champion") == 1


def test_by_default_all_that_are_evaluated_are_registered_and_no_other(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    register.register(project)
    assert capsys.readouterr().out == ""
    for name in ("lenet", "gone"):
        card = project.evaluated(name)
        assert card
        write_json(card, {})
    with pytest.raises(HandbookError, match="lenet is not evaluated yet"):
        register.register(project)
