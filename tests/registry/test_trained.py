"""A model that was only trained: no changed file of it is used, and what is whole is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from handbook.errors import HandbookError
from handbook.files.formats import write_json, write_rows
from handbook.project import Project
from handbook.registry import pinned, trained

NAME = "lenet"
TRAINING = {"key": "k", "seconds": 1.5, "samples": 8, "epochs": 1, "device": "cpu", "threads": 1}


@pytest.fixture
def sealed(project: Project) -> Project:
    """A case with the files of a training, sealed."""
    model, report = project.models(NAME), project.reports(NAME)
    write_json(model / "facts.json", {"mean": 0.3})
    (model / "model.safetensors").write_bytes(bytes(range(64)))
    write_rows(report / "history.csv", [{"epoch": 1.0, "train_loss": 0.5}])
    write_json(report / "training.json", TRAINING)
    trained.seal(model, report)
    return project


def test_a_sealed_model_is_whole_and_sealing_it_again_changes_nothing(sealed: Project) -> None:
    place = sealed.reports(NAME) / "training.json"
    trained.check(sealed, NAME)
    known = trained.facts(sealed, NAME)
    assert known.items() >= TRAINING.items()
    assert trained.is_sealed(sealed.models(NAME), sealed.reports(NAME), known)
    before = place.read_bytes()
    trained.seal(sealed.models(NAME), sealed.reports(NAME))
    assert place.read_bytes() == before


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE: dict[str, tuple[Callable[[Path, Path], Any], str]] = {
    "a bit of the weights": (lambda model, _: flip(model / "model.safetensors"), "model.safetensors was changed"),
    "facts": (lambda model, _: (model / "facts.json").write_text("[]"), "facts.json was changed"),
    "facts gone": (lambda model, _: (model / "facts.json").unlink(), "facts.json is missing"),
    "more": (lambda model, _: (model / "model.skops").write_bytes(b""), "model.skops is new"),
    "history": (lambda _, report: flip(report / "history.csv"), "history.csv was changed"),
    "training": (lambda _, report: (report / "training.json").write_text("{"), "training.json cannot be used"),
    "shape": (lambda _, report: write_json(report / "training.json", {"key": 3}), "expected a text as `key`"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_what_was_changed_is_named_with_the_way_back(kind: str, sealed: Project) -> None:
    damage, fault = DAMAGE[kind]
    damage(sealed.models(NAME), sealed.reports(NAME))
    with pytest.raises(HandbookError) as refused:
        trained.check(sealed, NAME)
    assert fault in str(refused.value)
    assert "dvc checkout train@lenet" in str(refused.value)


def test_a_case_is_refused_for_its_judges_model(sealed: Project) -> None:
    numbers = sealed.numbers()
    numbers["cases"]["digits"]["judge"] = f"models/{NAME}"
    (sealed.root / "params.yaml").write_text(yaml.safe_dump(numbers))
    trained.check(sealed, "digits")
    flip(sealed.models(NAME) / "model.safetensors")
    with pytest.raises(HandbookError, match="the model of lenet is not what its training made"):
        trained.check(sealed, "digits")


def test_what_an_older_handbook_trained_is_held_against_dvc_lock(sealed: Project) -> None:
    write_json(sealed.reports(NAME) / "training.json", TRAINING)
    outs = [f"models/{NAME}", f"reports/{NAME}/history.csv", f"reports/{NAME}/training.json"]
    stage = {"outs": [{"path": path, "md5": pinned.md5(sealed.root / path)} for path in outs]}
    (sealed.root / "dvc.lock").write_text(yaml.safe_dump({"stages": {f"train@{NAME}": stage}}))
    trained.check(sealed, NAME)
    flip(sealed.models(NAME) / "model.safetensors")
    with pytest.raises(HandbookError, match=f"models/{NAME} was changed: md5 "):
        trained.check(sealed, NAME)
    write_json(sealed.reports(NAME) / "training.json", TRAINING | {"seconds": 2.5})  # trained since, by hand
    trained.check(sealed, NAME)


def test_what_is_not_trained_is_left_to_who_reads_it(project: Project) -> None:
    trained.check(project, NAME)
