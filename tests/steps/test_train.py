"""Training a case: epochs are reported as they end."""

from __future__ import annotations

import re

import pytest

from handbook.project import Project
from handbook.steps import train, validate


def test_a_log_receives_each_epoch_as_it_ends(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    validate.validate(project, "bank_marketing")
    train.train(project, "mlp")
    epochs = re.findall(
        r"^epoch (\d+)/1: train_loss [\d.]+, .*valid_loss [\d.]+", capsys.readouterr().out, re.MULTILINE
    )
    assert epochs == ["1"]
