"""`handbook export`: the champion as a file that answers as it does, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.registry import ledger
from handbook.serving import export
from handbook.serving.export import agreement
from tests.test___main__ import in_here


def test_the_champion_is_written_with_what_is_to_be_known_of_it(
    entered: Callable[..., str], project: Project, fitted: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    entered("lenet")
    place = project.root / "lenet.onnx"
    assert in_here(monkeypatch, "export", "lenet", "--to", str(place)) == 0
    assert f"lenet version 1 is in {place}" in capsys.readouterr().out
    known = {each.key: each.value for each in onnx.load(place).metadata_props}
    assert known["content"] == ledger.state(project, "lenet")["champion"]
    assert (known["case"], known["version"], known["data"]) == ("lenet", "1", "sample")
    case, data, model = fitted("lenet")
    assert json.loads(known["classes"]) == model.facts["classes"]
    session = agreement.session(place.read_bytes())
    for some in (data.test_images[:1], data.test_images):
        assert not agreement.difference(case.page.predict(model, some), agreement.answers(session, some))
    before = place.read_bytes()
    assert in_here(monkeypatch, "export", "lenet", "--to", str(place)) == 1
    assert "is there already. Name another file, or replace it: --force" in capsys.readouterr().err
    place.write_bytes(b"old")
    assert in_here(monkeypatch, "export", "lenet", "--to", str(place), "--force") == 0
    assert place.read_bytes() == before  # the same model is the same file
    assert not [path for path in project.root.iterdir() if path.suffix == ".new"]


def test_a_version_is_named_as_for_predict_and_what_was_never_registered_is_taken_from_models(
    entered: Callable[..., str], placed: Callable[..., Any], project: Project, tmp_path: Path
) -> None:
    placed("lenet")
    assert export.export(project, "lenet", tmp_path / "a.onnx").startswith("models/lenet is in")
    entered("lenet", 0.8)
    entered("lenet", 0.9)
    assert "lenet version 1 is in" in export.export(project, "lenet", tmp_path / "b.onnx", "previous")
    with pytest.raises(HandbookError, match="no version '7' of lenet"):
        export.export(project, "lenet", tmp_path / "c.onnx", "7")
    assert not (tmp_path / "c.onnx").exists()


@pytest.mark.parametrize("odd", ["folder", "link", "nowhere/a.onnx"])
def test_nothing_odd_is_replaced_and_nothing_is_loaded_before(odd: str, project: Project, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder" / "x")
    with pytest.raises(HandbookError, match=r"is a folder|is a link|is not there"):
        export.export(project, "no such case", tmp_path / odd, force=True)


def test_a_library_that_is_missing_is_named_with_how_to_get_it(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "NEEDED", ("onnx", "no_such_library"))
    with pytest.raises(HandbookError, match=r"export needs no_such_library, .* sh requirements/setup\.sh add onnx"):
        export.export(project, "lenet", tmp_path / "a.onnx")


def test_a_file_that_answers_otherwise_is_not_written(
    entered: Callable[..., str], project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered("lenet")
    monkeypatch.setattr(agreement, "answers", lambda session, given: {
        "label": np.zeros(len(given), np.int64), "name": np.full(len(given), "x", object),
        "probability": np.ones(len(given)),
    })  # fmt: skip
    with pytest.raises(HandbookError, match="cannot be exported: ONNX Runtime answers otherwise"):
        export.export(project, "lenet", tmp_path / "a.onnx")
    assert not list(tmp_path.glob("*.onnx"))
