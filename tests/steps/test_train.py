"""Training a case: epochs are reported as they end, and one that was cut off goes on where it was."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from handbook.files import progress
from handbook.project import Project
from handbook.steps import train, validate


def test_a_log_receives_each_epoch_as_it_ends(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    validate.validate(project, "bank_marketing")
    train.train(project, "mlp")
    epochs = re.findall(
        r"^epoch (\d+)/1: train_loss [\d.]+, .*valid_loss [\d.]+", capsys.readouterr().out, re.MULTILINE
    )
    assert epochs == ["1"]


class CutOffError(Exception):
    """What ends a training in the night."""


def test_a_recipe_in_full_that_was_cut_off_goes_on_to_the_model_of_an_unbroken_one(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers, name = project.numbers() | {"preset": "book"}, "gan_book"
    brief = {"steps": 2, "batch_size": 8, "sheet_every": 3, "gpu": {"epochs": 3}}
    numbers["cases"][name] |= brief
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers))
    train.train(project, name)
    whole = {path.name: path.read_bytes() for path in project.models(name).iterdir()}
    shutil.rmtree(project.models(name))
    listener = train._listener

    def cut_off(*given: Any) -> Callable[[Any], None]:
        listening = listener(*given)

        def tell(row: Any) -> None:
            if row["epoch"] == 2:
                raise CutOffError
            assert listening
            listening(row)

        return tell

    with pytest.MonkeyPatch.context() as patch, pytest.raises(CutOffError):
        patch.setattr(train, "_listener", cut_off)
        train.train(project, name)
    assert not project.models(name).exists()
    capsys.readouterr()
    train.train(project, name)
    assert re.findall(r"^epoch (\d+)/3: ", capsys.readouterr().out, re.MULTILINE) == ["2", "3"]
    assert {path.name: path.read_bytes() for path in project.models(name).iterdir()} == whole


def test_a_second_fit_counts_its_epochs_from_the_first(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    train.train(project, "som_transactions")
    assert re.findall(r"^epoch (\d+/\d+): ", capsys.readouterr().out, re.MULTILINE) == ["1/1", "1/1"]
    assert progress.read(progress.place(project.cache, "train@som_transactions")) == progress.Progress(1, 1)
